package consume_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/nats-io/nats.go"

	"rollcall"
	"rollcall/consume"
)

const joined = `{"specversion":"1.0","id":"acme/6f1a/1795399200000-000000000001","source":"/rollcall/acme/6f1a",
"type":"rollcall.participant.joined","subject":"6f1a/u42","time":"2026-11-23T02:00:15.210Z","datacontenttype":"application/json",
"dataschema":"rollcall:event:1","sequence":"000000000001","partitionkey":"6f1a","data":{"tenant":"acme","conferenceId":"6f1a",
"epoch":1795399200000,"sequence":1,"poll":{"index":1,"count":1},"meeting":{"title":"Stand-up","startTime":null,"status":"started",
"media":{"micMuted":false,"cameraClosed":false,"muteAll":false,"code":0},"present":1},"participant":{"key":"u42","userId":"u42",
"nick":"Mei","attendance":"present","mic":"closed","camera":"closed","rejectDescription":"","session":1},"reason":"",
"provenance":"observed","window":{"after":"2026-11-23T02:00:00.101Z","before":"2026-11-23T02:00:15.210Z"}}}`

// An event tells what happened, and when at the earliest and at the latest.
func ExampleParse() {
	e, err := consume.Parse([]byte(joined))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Participant.Nick, e.Type, "in", e.Meeting.Title)
	fmt.Println("between", e.Window.After.Format("15:04:05"), "and", e.Window.Before.Format("15:04:05"))
	// Output:
	// Mei participant.joined in Stand-up
	// between 02:00:00 and 02:00:15
}

// The fold of a meeting's events is who is in it. Events that come again do no
// harm, and those that are missing are named.
func ExampleRoster_Apply() {
	e, err := consume.Parse([]byte(joined))
	if err != nil {
		log.Fatal(err)
	}
	var roster consume.Roster
	for range 2 {
		if _, err := roster.Apply(e); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(roster.Present(), "present")

	e.Sequence = 5
	_, err = roster.Apply(e)
	var gap *consume.GapError
	if errors.As(err, &gap) {
		fmt.Println("read the record: event", gap.Want, "is missing")
	}
	// Output:
	// 1 present
	// read the record: event 2 is missing
}

// The resync recipe, done: rosters that stay equal to what is stored, over lost
// connections and missing events.
func ExampleWatch() {
	nc, err := nats.Connect("nats://127.0.0.1:4222")
	if err != nil {
		log.Fatal(err)
	}
	meetings, err := consume.Watch(context.Background(), nc, consume.Options{
		Tenant: "acme",
		OnChange: func(u consume.Update) {
			if u.Kind == consume.Changed && u.Event.Type == rollcall.ParticipantKickedOut {
				fmt.Println(u.Event.Participant.Nick, "was kicked out of", u.Meeting.Info.Title)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	<-meetings.Synced()
	for _, m := range meetings.List() {
		fmt.Println(m.Info.Title, m.Info.Present)
	}
}
