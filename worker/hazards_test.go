package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/publisher"
	"rollcall/wire"
	"rollcall/worker"
)

// 1: the stream was lost and made anew; the journal still holds terms of the old one.
func TestForeignJournal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		track1, err := ledger.TrackMessage(names, "acme", ledger.Tracking{ConferenceID: "c1", Source: "api", Since: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Commit(t.Context(), []ledger.Message{track1}); err != nil {
			t.Fatal(err)
		}
		raw, _ := json.Marshal(w.meetings["c1"])
		old := &rollcall.Observation{
			Tenant: "acme", Number: rollcall.Number{Term: 5000, Poll: 7}, AskedAt: time.Now(), AnsweredAt: time.Now(),
			Sightings: []rollcall.Sighting{{ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: w.Decode(raw)}},
		}
		j := &paper{}
		j.leave("acme#0/1", old)
		p := start(t, "w1", m, w, func(c *worker.Config) { c.Backlog = j.open(j) })
		elapse(time.Minute)
		w.set("c1", "ann", "bob")
		elapse(time.Hour)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		p.stop(t)
	})
}

// 2: untrack of a meeting that is set aside.
func TestUntrackSetAside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track())
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		l.intercept(func(_ context.Context, msgs []ledger.Message) error {
			return fmt.Errorf("%w: too large", ledger.ErrRefused)
		})
		w.set("c1", "ann", "bob")
		elapse(20 * time.Second)
		l.intercept(nil)
		view, err := p.worker.Untrack(t.Context(), "acme", "c1")
		if err == nil && (view.Tracked || len(trackedSet(t, m)) > 0) {
			t.Errorf("untrack says %v, the view says tracked: %t, the tracked set is %v", err, view.Tracked, trackedSet(t, m))
		}
		p.stop(t)
	})
}

// 3: a vanished meeting has left the tracked set.
func TestStatusTracked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		w.forget("c1")
		elapse(5 * time.Minute)
		if s := status(t, m); s.Tracked != len(trackedSet(t, m)) {
			t.Errorf("status says %d tracked, the tracked set is %v", s.Tracked, trackedSet(t, m))
		}
		p.stop(t)
	})
}

// 3b: two workers, two shards.
func TestStatusOfTwo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		var ids []string
		for i := range 8 {
			ids = append(ids, fmt.Sprintf("c%d", i))
			w.set(ids[i], "ann")
		}
		two := func(c *worker.Config) { c.Tenants[0].Conferences, c.Tenants[0].Shards = ids, 4 }
		p1 := start(t, "w1", m, w, two)
		p2 := start(t, "w2", m, w, two)
		elapse(time.Minute)
		seen := map[int]bool{}
		for _, msg := range m.Messages() {
			if msg.Subject != names.Status("acme") || time.Since(msg.Time) > 30*time.Second {
				continue
			}
			var s wire.Status
			if err := json.Unmarshal(msg.Data, &s); err != nil {
				t.Fatal(err)
			}
			seen[s.Tracked] = true
		}
		if len(seen) != 1 || !seen[8] {
			t.Errorf("8 meetings are tracked; the statuses of the last 30 s say %v", seen)
		}
		p1.stop(t)
		p2.stop(t)
	})
}

// 5: a lost acknowledgement of track.
func TestTrackUnknown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Second)
		once := true
		m.Fail = func(op string) error {
			if op == "commit done" && once {
				once = false
				return ledger.ErrUnknown
			}
			return nil
		}
		_, err := p.worker.Track(t.Context(), "acme", "c1", "api")
		elapse(10 * time.Minute)
		if len(trackedSet(t, m)) > 0 && len(events(t, m, "c1")) == 0 {
			t.Errorf("track said %v; the tracked set is %v, and in ten minutes nobody has asked", err, trackedSet(t, m))
		}
		p.stop(t)
	})
}

// 13: an untrack overtakes observations that wait.
func TestUntrackOvertakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		w.set("c2", "ann")
		p := start(t, "w1", l, w, track())
		elapse(time.Second)
		for _, id := range []string{"c1", "c2"} {
			if _, err := p.worker.Track(t.Context(), "acme", id, "api"); err != nil {
				t.Fatal(err)
			}
		}
		l.fail(ledger.ErrBusy)
		for _, who := range []string{"bob", "cid", "dan"} {
			w.set("c1", "ann", who)
			w.set("c2", "ann", who)
			elapse(15 * time.Second)
		}
		ended := make(chan error)
		go func() {
			_, err := p.worker.Untrack(t.Context(), "acme", "c1")
			ended <- err
		}()
		elapse(time.Millisecond)
		l.fail(nil)
		t.Log(<-ended)
		elapse(2 * time.Minute)
		want := tell(events(t, m, "c2"))
		got := tell(events(t, m, "c1"))
		if len(got) < len(want) {
			t.Errorf("kept: %v\nuntracked: %v", want, got)
		}
		p.stop(t)
	})
}

var _ = errors.New

// 6: the last slice of an untracking is lost.
func TestUntrackInSlices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		var people []string
		for i := range 1500 {
			people = append(people, fmt.Sprintf("p%04d", i))
		}
		w.set("c1", people...)
		p := start(t, "w1", l, w, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		n := 0
		l.intercept(func(_ context.Context, msgs []ledger.Message) error {
			if len(msgs) > 10 {
				if n++; n == 2 {
					return ledger.ErrUnknown // and it was not stored
				}
			}
			return nil
		})
		view, err := p.worker.Untrack(t.Context(), "acme", "c1")
		elapse(10 * time.Minute)
		all := events(t, m, "c1")
		t.Log(err, view.Tracked, n, len(all), trackedSet(t, m), all[len(all)-1].Type, len(record(t, m, "c1").Roster))
		if last := all[len(all)-1].Type; err == nil && (len(trackedSet(t, m)) > 0 || last != rollcall.MeetingUntracked) {
			t.Errorf("untrack: %v, tracked %t; ten minutes later the tracked set is %v, and the last event %s; %d people stand in the record",
				err, view.Tracked, trackedSet(t, m), last, len(record(t, m, "c1").Roster))
		}
		p.stop(t)
	})
}

// 7: an untrack that meets a record which an older term wrote after the claim.
func TestUntrackOverlaps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		schedule, _ := poller.ParseSchedule("@every 15s", "UTC")
		p := start(t, "w0", m, w, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		p.stop(t)
		gate := &late{w, make(chan struct{})}
		p = start(t, "w1", m, w, func(c *worker.Config) {
			c.Tenants[0].Schedule = schedule
			c.Tenants[0].Asker = &poller.Poller{Source: gate, Tenant: "acme"}
		})
		elapse(time.Second)
		// The worker before, frozen until now, stores what it asked.
		stored, _ := m.Load(t.Context(), "acme", []string{"c1"})
		r := *stored["c1"].Record
		r.Number.Poll++
		msg, err := ledgertest.RecordMessage(names, &r, stored["c1"].Revision, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Commit(t.Context(), []ledger.Message{msg}); err != nil {
			t.Fatal(err)
		}
		view, err := p.worker.Untrack(t.Context(), "acme", "c1")
		close(gate.gate)
		elapse(10 * time.Minute)
		if err == nil && len(trackedSet(t, m)) > 0 {
			t.Errorf("untrack: %v, tracked %t; ten minutes later the tracked set is %v", err, view.Tracked, trackedSet(t, m))
		}
		p.stop(t)
	})
}

// 8: entries that are read again for a late answer of a claim that is lost.
func TestLateAnswerAfterTheHold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w0", m, w, nil)
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		p.stop(t)
		gate := &late{w, make(chan struct{})}
		b := &shifty{Memory: m}
		b.see("w1")
		p = start(t, "w1", b, w, func(c *worker.Config) {
			c.Tenants[0].Asker = &poller.Poller{Source: gate, Tenant: "acme"}
		})
		elapse(time.Second) // it asks: ann is there
		// The worker before, frozen until now, had asked after that: bob is there, too.
		stored, _ := m.Load(t.Context(), "acme", []string{"c1"})
		r := *stored["c1"].Record
		r.Number.Poll++
		r.Sequence++
		r.Meeting.Present = 2
		bob := r.Roster[0]
		bob.Key, bob.UserID, bob.Nick = "bob", "bob", "BOB"
		r.Roster = append(append([]rollcall.Participant{}, r.Roster...), bob)
		e := rollcall.Event{
			Tenant: "acme", ConferenceID: "c1", Epoch: r.Epoch, Sequence: r.Sequence, Type: rollcall.ParticipantJoined,
			Time: time.Now(), Index: 1, Count: 1, Meeting: r.Meeting, Participant: &bob, Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{Before: time.Now()},
		}
		var d ledger.Draft
		if err := publisher.DraftEvents(&d, names, []rollcall.Event{e}); err != nil {
			t.Fatal(err)
		}
		msg, err := ledgertest.RecordMessage(names, &r, stored["c1"].Revision, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Commit(t.Context(), append(d.Messages, msg)); err != nil {
			t.Fatal(err)
		}
		w.set("c1", "ann", "bob")
		b.see("w2") // the shard belongs to another now
		elapse(10 * time.Second)
		close(gate.gate)
		elapse(10 * time.Second)
		for _, e := range events(t, m, "c1") {
			if e.Type == rollcall.ParticipantLeft {
				t.Errorf("bob is there and was told as gone: %v", tell(events(t, m, "c1")))
			}
		}
		p.stop(t)
	})
}

// shifty sees one member, which a test may change.
type shifty struct {
	*ledgertest.Memory
	mu sync.Mutex
	id string
}

func (s *shifty) see(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

func (s *shifty) Members(context.Context) ([]ledger.Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []ledger.Member{{ID: s.id}}, nil
}

// 13: a batch in slices meets an outage: is it said, is it kept?
func TestSlicesInAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &wrapped{Memory: m}
		var people []string
		for i := range 1500 {
			people = append(people, fmt.Sprintf("p%04d", i))
		}
		w.set("c1", people...)
		l.intercept(func(_ context.Context, msgs []ledger.Message) error {
			if len(msgs) > 10 && len(msgs) < 900 {
				return ledger.ErrBusy // from the second slice on
			}
			return nil
		})
		p := start(t, "w1", l, w, track("c1"))
		elapse(10 * time.Minute)
		if n := p.logs.FilterMessageSnippet("fails").Len(); n == 0 {
			t.Errorf("ten minutes of refusals, and nothing is logged")
		}
		p.kill()
		<-p.ended
	})
}

// Two tenants of which one always waits for the ledger: what an outage left in
// the journal is cleared all the same, and what comes later does not pile up.
func TestJournalDoesNotGrowOnceTheLedgerTakesAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		w.set("c2", "ann")
		schedule, err := poller.ParseSchedule("@every 2s", "UTC")
		if err != nil {
			t.Fatal(err)
		}
		p := start(t, "w1", l, w, func(c *worker.Config) {
			c.Backlog = j.open(j)
			c.Tenants[0].Schedule, c.Tenants[0].Conferences = schedule, []string{"c1"}
			c.Tenants = append(c.Tenants, worker.Tenant{Name: "umbra", Schedule: schedule, Decode: w.Decode, Conferences: []string{"c2"}})
		})
		elapse(time.Second)
		live := func(seconds int) {
			for i := range seconds {
				w.set("c1", fmt.Sprint("p", i))
				w.set("c2", fmt.Sprint("p", i))
				elapse(time.Second)
			}
		}
		l.fail(errors.New("no responders"))
		live(60)
		if j.len() < 50 {
			t.Errorf("%d observations of a minute's outage are in the journal", j.len())
		}
		l.fail(nil)
		l.intercept(func(context.Context, []ledger.Message) error { // one always waits
			time.Sleep(1300 * time.Millisecond)
			return nil
		})
		live(300)
		if j.len() > 5 {
			t.Errorf("%d observations stand in the journal minutes after the outage", j.len())
		}
		p.kill()
		<-p.ended
	})
}
