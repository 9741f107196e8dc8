package consume_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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

var names = wire.Names{Stream: "MEETINGS", Prefix: "meetings"}

// world writes a ledger as a worker does: it compares answers and commits.
type world struct {
	t       testing.TB
	server  *natstest.Server
	js      jetstream.JetStream
	commits *publisher.Publisher
	records map[string]ledger.Stored // by meeting
	now     time.Time
	poll    uint64
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, server: natstest.Start(t), records: map[string]ledger.Stored{}, now: time.UnixMilli(1700000000000).UTC()}
	w.open()
	return w
}

// open makes the stream, where it is not there, and connects.
func (w *world) open() {
	w.t.Helper()
	w.js = w.server.JetStream(w.t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := store.Open(ctx, w.js, names, store.StreamConfig{}, zap.NewNop()); err != nil {
		w.t.Fatal(err)
	}
	w.commits = &publisher.Publisher{Conn: w.js.Conn(), Names: names}
}

// answer is that of a meeting that goes on with these people present.
func answer(people ...string) *rollcall.Answer {
	a := &rollcall.Answer{Title: "Weekly", Status: rollcall.StatusStarted, Listed: true}
	for _, p := range people {
		a.Entries = append(a.Entries, rollcall.Entry{UserID: p, Nick: "N " + p, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed})
	}
	return a
}

// listed stores what an answer changes, and returns the events.
func (w *world) listed(meeting string, a *rollcall.Answer) []rollcall.Event {
	w.t.Helper()
	return w.look(meeting, differ.Look{Kind: rollcall.SightingListed, Answer: a})
}

func (w *world) ended(meeting string) []rollcall.Event {
	w.t.Helper()
	return w.look(meeting, differ.Look{Kind: rollcall.SightingEnded, Reason: rollcall.ReasonStatus})
}

func (w *world) look(meeting string, look differ.Look) []rollcall.Event {
	w.t.Helper()
	msgs, result := w.draft(meeting, look)
	first, err := w.commits.Commit(context.Background(), msgs)
	if err != nil {
		w.t.Fatal(err)
	}
	w.records[meeting] = ledger.Stored{Record: result.Record, Revision: first + uint64(len(msgs)) - 1}
	return result.Events
}

// draft compares and makes the messages, and stores nothing.
func (w *world) draft(meeting string, look differ.Look) ([]ledger.Message, differ.Result) {
	w.t.Helper()
	w.now, w.poll = w.now.Add(15*time.Second), w.poll+1
	look.Tenant, look.ConferenceID = "acme", meeting
	look.Number = rollcall.Number{Term: 1, Poll: w.poll}
	look.AskedAt, look.AnsweredAt = w.now, w.now.Add(time.Second)
	prev := w.records[meeting]
	result := differ.Diff(prev.Record, look, differ.Rules{})
	var d ledger.Draft
	if err := publisher.DraftEvents(&d, names, result.Events); err != nil {
		w.t.Fatal(err)
	}
	if err := ledger.DraftRecord(&d, names, result.Record, prev.Revision, true); err != nil {
		w.t.Fatal(err)
	}
	return d.Messages, result
}

// crowd is an answer with some of twenty people, in any state.
func crowd(random *rand.Rand) *rollcall.Answer {
	a := &rollcall.Answer{Title: fmt.Sprint("T", random.IntN(3)), Status: rollcall.StatusStarted, Listed: true}
	for i := range 20 {
		if random.IntN(3) == 0 {
			continue
		}
		a.Entries = append(a.Entries, rollcall.Entry{
			UserID: fmt.Sprint("u", i), Nick: fmt.Sprint("N", i, random.IntN(2)), Attendance: rollcall.Attendance(1 + random.IntN(6)),
			Mic: rollcall.Device(random.IntN(3)), Camera: rollcall.Device(random.IntN(3)),
		})
	}
	return a
}

// rosters are those of the stored records.
func (w *world) rosters() map[string][]rollcall.Participant {
	all := map[string][]rollcall.Participant{}
	for id, s := range w.records {
		all[id] = s.Record.Roster
	}
	return all
}

type storedRecord = ledger.Stored

// openAgain makes the stream anew. The server refuses for a moment while it
// still removes the files of the one before.
func (w *world) openAgain() {
	w.t.Helper()
	for tries := 0; ; tries++ {
		_, err := store.Open(context.Background(), w.js, names, store.StreamConfig{}, zap.NewNop())
		if err == nil {
			return
		}
		if tries == 100 {
			w.t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// crowded stores as many meetings that look alike, some hundred in a batch.
func (w *world) crowded(meetings int, a *rollcall.Answer) {
	w.t.Helper()
	var batch []ledger.Message
	for i := range meetings {
		msgs, result := w.draft(fmt.Sprint("c", i), differ.Look{Kind: rollcall.SightingListed, Answer: a})
		w.records[result.Record.ConferenceID] = ledger.Stored{Record: result.Record}
		if batch = append(batch, msgs...); len(batch)+len(msgs) <= ledger.MaxBatchMessages && i < meetings-1 {
			continue
		}
		if _, err := w.commits.Commit(context.Background(), batch); err != nil {
			w.t.Fatal(err)
		}
		batch = nil
	}
}

func (w *world) stream() jetstream.Stream {
	w.t.Helper()
	s, err := w.js.Stream(w.t.Context(), names.Stream)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}
