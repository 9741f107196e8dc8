package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
	"rollcall/wire"
)

// pastWorld writes a ledger as a worker does, and remembers what was so when.
type pastWorld struct {
	t       *testing.T
	server  *natstest.Server
	js      jetstream.JetStream
	names   wire.Names
	commits *publisher.Publisher
	random  *rand.Rand
	records map[string]ledger.Stored // by meeting
	now     time.Time
	poll    uint64
	moments []momentOfPast
	told    []toldEvent
	ledger  jetstream.Stream
}

// momentOfPast is what was known after something was stored.
type momentOfPast struct {
	at      string                            // as the commands read it
	rosters map[string][]rollcall.Participant // of the meetings that went on
}

// toldEvent is an event, and the records before and after its poll.
type toldEvent struct {
	rollcall.Event
	before, after *rollcall.Record
	stream        uint64 // its sequence there
}

func newPastWorld(t *testing.T) *pastWorld {
	w := &pastWorld{
		t: t, server: natstest.Start(t), names: wire.Names{Stream: "MEETINGS", Prefix: "meetings"}, random: rand.New(rand.NewPCG(1, 2)),
		records: map[string]ledger.Stored{}, now: time.Now().UTC().Add(-100 * time.Hour).Truncate(time.Millisecond),
	}
	w.js = w.server.JetStream(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := store.Open(ctx, w.js, w.names, store.StreamConfig{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(ctx, "acme", 0, "worker-1"); err != nil {
		t.Fatal(err)
	}
	if w.ledger, err = w.js.Stream(ctx, w.names.Stream); err != nil {
		t.Fatal(err)
	}
	w.commits = &publisher.Publisher{Conn: w.js.Conn(), Names: w.names}
	return w
}

// crowd is an answer with some of eight people, in any state.
func (w *pastWorld) crowd() *rollcall.Answer {
	a := &rollcall.Answer{Title: fmt.Sprint("周会", w.random.IntN(2)), Status: rollcall.StatusStarted, Listed: true}
	for i := range 8 {
		if w.random.IntN(3) > 0 {
			a.Entries = append(a.Entries, rollcall.Entry{
				UserID: fmt.Sprint("u", i), Nick: fmt.Sprint("N", i), Attendance: rollcall.Attendance(1 + w.random.IntN(6)),
				Mic: rollcall.Device(1 + w.random.IntN(2)), Camera: rollcall.Device(1 + w.random.IntN(2)),
			})
		}
	}
	return a
}

// look stores what a look at a meeting changes.
func (w *pastWorld) look(meeting string, look differ.Look) {
	w.t.Helper()
	w.now, w.poll = w.now.Add(time.Duration(1+w.random.IntN(30_000))*time.Millisecond), w.poll+1
	look.Tenant, look.ConferenceID, look.Number = "acme", meeting, rollcall.Number{Term: 1, Poll: w.poll}
	look.AskedAt, look.AnsweredAt = w.now, w.now.Add(time.Duration(w.random.IntN(900))*time.Millisecond)
	prev := w.records[meeting]
	result := differ.Diff(prev.Record, look, differ.Rules{})
	var d ledger.Draft
	if err := publisher.DraftEvents(&d, w.names, result.Events); err != nil {
		w.t.Fatal(err)
	}
	if err := ledger.DraftRecord(&d, w.names, result.Record, prev.Revision, true); err != nil {
		w.t.Fatal(err)
	}
	first, err := w.commits.Commit(context.Background(), d.Messages)
	if err != nil {
		w.t.Fatal(err)
	}
	w.records[meeting] = ledger.Stored{Record: result.Record, Revision: first + uint64(len(d.Messages)) - 1}
	for i, e := range result.Events {
		w.told = append(w.told, toldEvent{e, prev.Record, result.Record, first + uint64(i)})
	}
	w.moments = append(w.moments, momentOfPast{w.stored(w.records[meeting].Revision).Format(time.RFC3339Nano), w.rosters()})
}

// stored is when the message of a sequence was.
func (w *pastWorld) stored(sequence uint64) time.Time {
	w.t.Helper()
	m, err := w.ledger.GetMsg(w.t.Context(), sequence)
	if err != nil {
		w.t.Fatal(err)
	}
	return m.Time
}

func (w *pastWorld) rosters() map[string][]rollcall.Participant {
	all := map[string][]rollcall.Participant{}
	for id, s := range w.records {
		if !s.Record.Untracked && s.Record.Meeting.Status != rollcall.StatusEnded {
			all[id] = s.Record.Roster
		}
	}
	return all
}

// happen lets so many looks find something, also the end and a new beginning.
func (w *pastWorld) happen(looks int) {
	for range looks {
		meeting := fmt.Sprint("c", w.random.IntN(3))
		switch w.random.IntN(12) {
		case 0:
			w.look(meeting, differ.Look{Kind: rollcall.SightingEnded, Reason: rollcall.ReasonStatus})
		case 1:
			if r := w.records[meeting].Record; r != nil && !r.Untracked {
				w.look(meeting, differ.Look{Kind: rollcall.SightingUntracked, Reason: rollcall.ReasonOperator})
			}
		default:
			w.look(meeting, differ.Look{Kind: rollcall.SightingListed, Answer: w.crowd()})
		}
	}
}

// run runs a command, and returns its exit code and what it wrote.
func (w *pastWorld) run(args ...string) (code int, stdout, stderr string) {
	var out, said bytes.Buffer
	p := program{args: append(args, "--nats", w.server.URL()), stdout: &out, stderr: &said, env: func(string) (string, bool) { return "", false }}
	code = p.run(w.t.Context())
	return code, out.String(), said.String()
}

// answer reads the JSON of a command that must succeed.
func answerOf[T any](w *pastWorld, args ...string) (value T) {
	w.t.Helper()
	code, out, said := w.run(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &value); code != exitDone || err != nil {
		w.t.Fatalf("%v: exit code %d, %v: %s%s", args, code, err, out, said)
	}
	return value
}

// lines are people without what differs in how they are written.
func lines(people []rollcall.Participant) (all []string) {
	for _, p := range people {
		all = append(all, strings.Join([]string{p.Key, p.Nick, p.Attendance.String(), max(p.Mic, rollcall.DeviceClosed).String(), max(p.Camera, rollcall.DeviceClosed).String(), fmt.Sprint(p.Session)}, " "))
	}
	slices.Sort(all)
	return all
}

func shownLines(people []wire.Person) (all []string) {
	for _, p := range people {
		all = append(all, strings.Join([]string{p.Key, p.Nick, p.Attendance, p.Mic, p.Camera, fmt.Sprint(p.Session)}, " "))
	}
	slices.Sort(all)
	return all
}
