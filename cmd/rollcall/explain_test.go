package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/cmd/rollcall/explain"
	"rollcall/differ"
	"rollcall/wire"
)

func idOf(e *rollcall.Event) string {
	return fmt.Sprintf("%s/%s/%d-%012d", e.Tenant, wire.Token(e.ConferenceID), e.Epoch, e.Sequence)
}

// Of any event the two polls are those of the records before and after, and say of
// the person what these hold.
func TestExplainAgreesWithTheRecords(t *testing.T) { explainSome(t, 40, 60) }

func TestThousandEventsAreExplainedLong(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("explains a thousand events; ROLLCALL_LONG=1 go test ./cmd/rollcall -run Long runs it")
	}
	explainSome(t, 400, 1000)
}

func explainSome(t *testing.T, looks, events int) {
	w := newPastWorld(t)
	w.happen(looks)
	recorded := 0
	for _, i := range w.random.Perm(len(w.told))[:events] {
		e := &w.told[i]
		storedAt := w.stored(e.stream)
		x := answerOf[explain.Explanation](w, "explain", idOf(&e.Event))
		if x.Type != string(e.Type) || x.ConferenceID != e.ConferenceID || !x.Known.StoredAt.Equal(storedAt.Truncate(time.Millisecond)) ||
			!x.Before.Asked.Equal(e.Window.After) || !x.After.Answered.Equal(e.Window.Before) && e.Reason != rollcall.ReasonOperator {
			t.Fatalf("%+v\nof %+v", x, e.Event)
		}
		if e.Provenance != rollcall.ProvenanceBaseline && e.Participant != nil {
			checkPerson(t, "before", x.Before, inRoster(e.before, e.Participant.Key))
		}
		if e.Participant != nil {
			checkPerson(t, "after", x.After, inRoster(e.after, e.Participant.Key))
		} else if e.Reason != rollcall.ReasonOperator && (x.After.Meeting == nil || x.After.Meeting.Title != e.Meeting.Title) {
			t.Fatalf("%+v", x.After)
		}
		least, most := storedAt.Sub(e.Window.Before), storedAt.Sub(e.Window.After)
		if x.Known.Least > least.Milliseconds() || x.Known.Most != nil && *x.Known.Most < most.Milliseconds() || (x.Known.Most == nil) != e.Window.After.IsZero() {
			t.Fatalf("known %+v; stored at %v, window %v", x.Known, storedAt, e.Window)
		}
		if newest := w.records[e.ConferenceID].Record == e.after; newest != (x.Asker.Poll == e.after.Number.Poll) || newest != (x.Asker.Poll > 0) {
			t.Fatalf("asked by %+v; the newest record: %t", x.Asker, newest)
		} else if newest {
			recorded++
		}
	}
	if recorded == 0 {
		t.Error("no event was of the poll that wrote the record")
	}
}

// inRoster is somebody in the roster of a record; nil: not there.
func inRoster(r *rollcall.Record, key string) *rollcall.Participant {
	if r == nil || r.Untracked {
		return nil
	}
	if i := slices.IndexFunc(r.Roster, func(p rollcall.Participant) bool { return p.Key == key }); i >= 0 {
		return &r.Roster[i]
	}
	return nil
}

// checkPerson holds what a poll is told to have said against the roster.
func checkPerson(t *testing.T, which string, told explain.Look, want *rollcall.Participant) {
	t.Helper()
	if want == nil {
		if told.Person != nil && slices.Contains([]string{"invited", "joining", "present"}, told.Person.Attendance) {
			t.Fatalf("%s: %+v, who was not in the roster", which, told.Person)
		}
		return
	}
	if told.Person == nil || !slices.Equal(shownLines([]wire.Person{*told.Person}), lines([]rollcall.Participant{*want})) {
		t.Fatalf("%s: %+v, want %+v", which, told, *want)
	}
}

func TestExplainNamesTheWorkerOrSaysThatNobodyRecordedIt(t *testing.T) {
	w := newPastWorld(t)
	// The claim of the world is the stream's first message, which is the term.
	for range 2 {
		w.look("c1", differ.Look{Kind: rollcall.SightingListed, Answer: w.crowd()})
	}
	newest, older := idOf(&w.told[len(w.told)-1].Event), idOf(&w.told[0].Event)
	for id, want := range map[string]string{newest: "by worker worker-1 (poll 2 of its term 1)", older: "by whom is not recorded; worker worker-1 has held the shard since "} {
		_, out, _ := w.run("explain", id)
		if rows := strings.Split(strings.TrimSpace(out), "\n"); len(rows) != 5 || !strings.HasPrefix(rows[3], "asked   "+want) {
			t.Errorf("%s:\n%s\nwant %s", id, out, want)
		}
	}
	if err := w.ledger.Purge(t.Context(), jetstream.WithPurgeSubject("meetings.claim.>")); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := w.run("explain", older); !strings.Contains(out, "by whom is not recorded; nobody holds the shard now") {
		t.Error(out)
	}
}

func TestExplainSaysWhyNot(t *testing.T) {
	w := newPastWorld(t)
	for range 3 {
		w.look("c.1", differ.Look{Kind: rollcall.SightingListed, Answer: w.crowd()})
	}
	e := w.told[0].Event
	front := fmt.Sprintf("acme/c%%2E1/%d-", e.Epoch)
	last := w.told[len(w.told)-1].Sequence
	if code, out, said := w.run("explain", front+"000000000001"); code != exitDone || !strings.Contains(out, "the first time") {
		t.Errorf("%d: %s%s", code, out, said)
	}
	gone := w.told[3]
	message, err := w.ledger.GetLastMsgForSubject(t.Context(), w.names.Event("acme", "c.1", gone.Type))
	if err != nil {
		t.Fatal(err)
	}
	hole, err := wire.DecodeEvent(message.Data)
	if err != nil || w.ledger.DeleteMsg(t.Context(), message.Sequence) != nil {
		t.Fatal(err)
	}
	for id, c := range map[string]struct {
		code int
		says string
	}{
		front + fmt.Sprint(last+1):                  {exitFailed, fmt.Sprintf("the last one of its epoch is number %d", last)},
		front + fmt.Sprint(hole.Sequence):           {exitFailed, "somebody who was forgotten, or it was lost"},
		"acme/c%2E1/17-1":                           {exitFailed, "nor any other of its epoch; events are kept for 168h"},
		"acme/c.1/17-1":                             {exitMisused, "is no id of an event"},
		"acme/c%2e1/17-1":                           {exitMisused, "is no meeting's id"},
		"acme/watch-0/17-1":                         {exitFailed, "nor any other"},
		"acme":                                      {exitMisused, "is no id of an event"},
		"acme/c/1-99999999999999999999":             {exitMisused, "is no id of an event"},
		"acme/c/1795963736091":                      {exitMisused, "is no id of an event"},
		"acme/\x1b[2J/1-1":                          {exitMisused, `\x1b[2J`},
		"other/c%2E1/" + fmt.Sprint(e.Epoch) + "-1": {exitFailed, "nor any other"},
	} {
		if code, _, said := w.run("explain", id); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%q: exit code %d, %s", id, code, said)
		}
	}
	if err := w.ledger.Purge(t.Context(), jetstream.WithPurgeSubject("meetings.event.acme.c%2E1.meeting.started")); err != nil {
		t.Fatal(err)
	}
	if code, _, said := w.run("explain", front+"1"); code != exitFailed || !strings.Contains(said, "is gone: the first one that is left of its epoch is number 2") {
		t.Errorf("%d: %s", code, said)
	}
}
