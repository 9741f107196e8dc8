package worker_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// tears is a ledger that stores a part of the next batch with events, as a
// broker does that reaches a limit in the middle of it.
type tears struct {
	*ledgertest.Memory
	next atomic.Int64 // messages of the next batch that are stored
	err  error        // what the publisher hears
	of   string       // in the subject of that batch's first message, ".event." where it is empty
	dies bool         // nothing more is stored after it
	dead atomic.Bool
}

func (l *tears) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	if l.dead.Load() {
		return 0, l.err
	}
	n := int(l.next.Load())
	if n == 0 || !strings.Contains(msgs[0].Subject, cmp.Or(l.of, ".event.")) {
		return l.Memory.Commit(ctx, msgs)
	}
	l.next.Store(0)
	l.dead.Store(l.dies)
	if n = min(n, len(msgs)-1); n < 0 {
		return 0, l.err
	}
	if _, err := l.Memory.Commit(ctx, msgs[:n]); err != nil {
		return 0, err
	}
	return 0, l.err
}

// unique holds that no id is used for two contents, and that every epoch's
// events are without a gap.
func unique(t *testing.T, m *ledgertest.Memory, id string) {
	t.Helper()
	told, last := map[string]bool{}, map[int64]uint64{}
	for _, e := range events(t, m, id) {
		name := fmt.Sprint(e.Epoch, "-", e.Sequence)
		if told[name] {
			t.Errorf("%s: event %s is stored twice", id, name)
		}
		if told[name] = true; e.Sequence != last[e.Epoch]+1 {
			t.Errorf("%s: event %s comes after %d", id, name, last[e.Epoch])
		}
		last[e.Epoch] = e.Sequence
	}
}

// halves is a ledger that stores of a batch the events alone, and then loses the
// second of the records that close their epochs.
type halves struct {
	*ledgertest.Memory
	next   atomic.Bool
	closes atomic.Int64 // records without events since then
}

func (l *halves) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	switch first := msgs[0].Subject; {
	case strings.Contains(first, ".event.") && l.next.Swap(false):
		l.closes.Store(1)
		for _, msg := range msgs {
			if strings.Contains(msg.Subject, ".event.") {
				if _, err := l.Memory.Commit(ctx, []ledger.Message{msg}); err != nil {
					return 0, err
				}
			}
		}
		return 0, ledger.ErrUnknown
	case strings.Contains(first, ".state.") && l.closes.Load() > 0 && l.closes.Add(1) == 3:
		return 0, ledger.ErrUnknown
	}
	return l.Memory.Commit(ctx, msgs)
}

// One of two epochs that cannot go on is closed, the other one not yet: it is
// still to be, though its events stand before what was written last.
func TestTwoEpochsCannotGoOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), &halves{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		w.set("c2", "bob")
		p := start(t, "w1", l, w, track("c1", "c2"))
		elapse(20 * time.Second)
		w.set("c1", "ann", "eve")
		w.set("c2", "bob", "dan")
		l.next.Store(true)
		elapse(time.Minute)
		p.stop(t)
		for _, id := range []string{"c1", "c2"} {
			unique(t, l.Memory, id)
			lawful(t, l.Memory, id)
		}
		if n := p.logs.FilterMessageSnippet("events stand beyond").Len(); n != 2 {
			t.Errorf("it was said %d times", n)
		}
	})
}

// The ledger refuses the record that closes a torn epoch: the meeting is set
// aside, the other ones go on, and it goes on once the ledger takes it.
func TestAClosingThatIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), &tears{Memory: ledgertest.NewMemory(names), err: ledger.ErrUnknown}
		refusing := &refuses{tears: l, subject: names.State("acme", "c1")}
		w.set("c1", "ann")
		w.set("calm", "zoe")
		p := start(t, "w1", refusing, w, track("c1", "calm"))
		elapse(20 * time.Second)
		w.set("c1", "ann", "bob")
		l.next.Store(1)
		refusing.on.Store(true)
		elapse(time.Minute)
		w.set("calm", "zoe", "dan")
		elapse(time.Minute)
		if n := refusing.refused.Load(); n == 0 || n > 5 {
			t.Errorf("in two minutes it was tried %d times", n)
		}
		if aside := p.worker.Health()[0].Aside; !slices.Equal(aside, []string{"c1"}) {
			t.Errorf("set aside are %q", aside)
		}
		expect(t, l.Memory, "calm", "meeting.started", "participant.joined zoe", "participant.joined dan")
		unique(t, l.Memory, "c1")
		refusing.on.Store(false)
		elapse(10 * time.Minute)
		p.stop(t)
		if aside := p.worker.Health()[0].Aside; len(aside) > 0 || record(t, l.Memory, "c1").Meeting.Present != 2 {
			t.Errorf("set aside are %q, and recorded is %+v", aside, record(t, l.Memory, "c1"))
		}
		unique(t, l.Memory, "c1")
		lawful(t, l.Memory, "c1")
	})
}

// refuses is a ledger that does not accept a record.
type refuses struct {
	*tears
	subject string
	on      atomic.Bool
	refused atomic.Int64
}

// patient is how often it refuses, so that a test ends where nothing waits.
const patient = 1000

func (l *refuses) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	if l.on.Load() && msgs[0].Subject == l.subject && l.refused.Add(1) < patient {
		return 0, fmt.Errorf("%w: it is cursed", ledger.ErrRefused)
	}
	return l.tears.Commit(ctx, msgs)
}

// A batch is stored in part, whatever the publisher hears of it: the epoch ends,
// the next answer opens another one, and nothing is lost or told twice.
func TestABatchThatIsStoredInPart(t *testing.T) {
	for _, outcome := range []error{ledger.ErrUnknown, ledger.ErrFull, ledger.ErrBusy, ledger.ErrStale, errors.New("no word")} {
		for _, part := range []int64{1, 2, 3} {
			for _, first := range []bool{false, true} {
				t.Run(fmt.Sprint(outcome, "/", part, "/first ", first), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w, l := newWorld(), &tears{Memory: ledgertest.NewMemory(names), err: fmt.Errorf("%w: struck", outcome)}
						w.set("c1", "ann", "bob")
						w.set("calm", "zoe")
						if first {
							l.next.Store(part)
						}
						p := start(t, "w1", l, w, track("c1", "calm"))
						elapse(20 * time.Second)
						if !first {
							w.set("c1", "ann", "eve", "cid", "dan")
							l.next.Store(part)
						}
						elapse(time.Minute)
						w.set("c1", "ann", "eve")
						w.set("calm", "zoe", "ann")
						elapse(time.Minute)
						p.stop(t)
						for _, id := range []string{"c1", "calm"} {
							unique(t, l.Memory, id)
							lawful(t, l.Memory, id)
						}
						if n := p.logs.FilterMessageSnippet("events stand beyond").Len(); n != 1 {
							t.Errorf("it was said %d times", n)
						}
						if set := trackedSet(t, l.Memory); !slices.Equal(set, []string{"c1", "calm"}) {
							t.Errorf("tracked is %v", set)
						}
						if got := keys(record(t, l.Memory, "c1")); got != "ann eve" {
							t.Errorf("the roster is %q", got)
						}
					})
				})
			}
		}
	}
}

func keys(r *rollcall.Record) string {
	var all []string
	for _, p := range r.Roster {
		all = append(all, p.Key)
	}
	return strings.Join(all, " ")
}

// The process ends with the torn batch. Whoever claims the shard next notices,
// also where another meeting changes first, and where it dies before it looks.
func TestAClaimFindsABatchThatIsStoredInPart(t *testing.T) {
	for _, first := range []bool{false, true} {
		for _, shards := range []int{1, 3} {
			t.Run(fmt.Sprint("first ", first, "/shards ", shards), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w, m := newWorld(), ledgertest.NewMemory(names)
					ids := []string{"c1"}
					for i := range 8 {
						ids = append(ids, fmt.Sprint("other", i))
					}
					for _, id := range ids {
						w.set(id, "ann", "bob")
					}
					l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
					torn := false
					several := func(c *worker.Config) {
						c.Tenants[0].Conferences, c.Tenants[0].Shards = ids, shards
						c.StopTimeout = time.Second
					}
					p := start(t, "w1", &dying{line: l, torn: &torn, armed: func() bool { return first || len(events(t, m, "c1")) > 0 }}, w, several)
					elapse(20 * time.Second)
					w.set("c1", "ann", "eve", "cid")
					elapse(time.Minute)
					if !torn {
						t.Fatal("nothing was torn: the test says nothing")
					}
					p.end(l)
					w.set("other3", "ann")
					for range 2 { // the first heir dies at its claim
						heir := start(t, "w2", m, w, several)
						elapse(20 * time.Second)
						heir.stop(t)
					}
					for _, id := range ids {
						unique(t, m, id)
						lawful(t, m, id)
						if r := record(t, m, id); r == nil {
							t.Errorf("%s has no record", id)
						}
					}
				})
			})
		}
	}
}

// reopened lets a meeting vanish, so that it is asked about for a day, and come back.
func reopened(w *world, id string, before func()) {
	w.forget(id)
	elapse(2 * time.Minute)
	before()
	w.set(id, "ann", "eve")
	elapse(30 * time.Minute)
}

// The batch of a meeting that is told to go on again is stored in part: it is
// tracked and asked about whatever is stored of it, in this process or the next.
func TestAReopeningThatIsStoredInPart(t *testing.T) {
	for part := range int64(5) { // two or three events, the record, the entry in the tracked set
		for _, dies := range []bool{false, true} {
			t.Run(fmt.Sprint(part+1, "/dies ", dies), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w, m := newWorld(), ledgertest.NewMemory(names)
					w.set("c1", "ann", "bob")
					w.set("calm", "zoe")
					l := &tears{Memory: m, err: fmt.Errorf("%w: struck", ledger.ErrUnknown), dies: dies}
					p := start(t, "w1", l, w, nil)
					trackBoth(t, p, "c1", "calm")
					reopened(w, "c1", func() { l.next.Store(part + 1) })
					if l.next.Load() != 0 {
						t.Fatal("nothing was torn: the test says nothing")
					}
					if dies {
						p.kill()
						<-p.ended
						p = start(t, "w2", m, w, nil)
						elapse(time.Minute)
					}
					w.set("c1", "ann", "dan")
					elapse(30 * time.Minute)
					w.status("c1", rollcall.StatusEnded)
					elapse(time.Minute)
					p.stop(t)
					for _, id := range []string{"c1", "calm"} {
						unique(t, m, id)
						lawful(t, m, id)
					}
					if r := record(t, m, "c1"); r.Meeting.Status != rollcall.StatusEnded || r.EndReason != rollcall.ReasonStatus {
						t.Errorf("the end was not seen: the meeting is %v, %s", r.Meeting.Status, r.EndReason)
					}
					if set := trackedSet(t, m); !slices.Equal(set, []string{"calm"}) {
						t.Errorf("tracked is %v", set)
					}
				})
			})
		}
	}
}

func trackBoth(t *testing.T, p *process, ids ...string) {
	t.Helper()
	elapse(time.Second)
	for _, id := range ids {
		if _, err := p.worker.Track(t.Context(), "acme", id, "api"); err != nil {
			t.Fatal(err)
		}
	}
	elapse(20 * time.Second)
}

// What takes a meeting off the tracked set is lost at the end of a batch: the
// meeting does not come back, and its entry does not outlive its record.
func TestAnEndThatIsStoredInPart(t *testing.T) {
	for name, over := range map[string]func(*testing.T, *world, *process){
		"ended":    func(_ *testing.T, w *world, _ *process) { w.status("c1", rollcall.StatusEnded) },
		"vanished": func(_ *testing.T, w *world, _ *process) { w.forget("c1") },
		"untracked": func(t *testing.T, _ *world, p *process) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, _ = p.worker.Untrack(ctx, "acme", "c1")
		},
	} {
		for _, dies := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/dies ", dies), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w, m := newWorld(), ledgertest.NewMemory(names)
					m.Retention = 7 * 24 * time.Hour
					w.set("c1", "ann", "bob")
					l := &tears{Memory: m, err: ledger.ErrUnknown, dies: dies}
					p := start(t, "w1", l, w, nil)
					trackBoth(t, p, "c1")
					l.next.Store(1000) // all but the last one
					over(t, w, p)
					elapse(2 * time.Minute)
					if l.next.Load() != 0 {
						t.Fatal("nothing was torn: the test says nothing")
					}
					if dies {
						p.kill()
						<-p.ended
						p = start(t, "w2", m, w, nil)
						elapse(time.Minute)
					}
					if set := trackedSet(t, m); len(set) > 0 {
						t.Errorf("tracked is %v", set)
					}
					p.stop(t)
					elapse(8 * 24 * time.Hour)
					p = start(t, "w3", m, w, nil)
					elapse(2 * time.Minute)
					p.stop(t)
					ends := 0
					for _, e := range events(t, m, "c1") {
						if e.Type == rollcall.MeetingEnded || e.Type == rollcall.MeetingUntracked {
							ends++
						}
					}
					if unique(t, m, "c1"); ends > 1 {
						t.Errorf("its end is told %d times", ends)
					}
				})
			})
		}
	}
}

// The batch that closes an epoch which cannot go on is stored in part as well.
func TestAClosingThatIsStoredInPart(t *testing.T) {
	for _, dies := range []bool{false, true} {
		t.Run(fmt.Sprint("dies ", dies), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m := newWorld(), ledgertest.NewMemory(names)
				w.set("c1", "ann", "bob")
				l := &tears{Memory: m, err: ledger.ErrUnknown, of: ".state.", dies: dies}
				p := start(t, "w1", l, w, nil)
				trackBoth(t, p, "c1")
				l.next.Store(1)
				spoiled := ledger.Message{Subject: names.State("acme", "c1"), Data: []byte("+OK"), Rollup: true, TTL: "never"}
				if _, err := m.Commit(t.Context(), []ledger.Message{spoiled}); err != nil {
					t.Fatal(err)
				}
				w.set("c1", "ann", "eve")
				elapse(time.Minute)
				if l.next.Load() != 0 {
					t.Fatal("nothing was torn: the test says nothing")
				}
				if dies {
					p.kill()
					<-p.ended
					p = start(t, "w2", m, w, nil)
				}
				w.set("c1", "dan")
				elapse(time.Minute)
				p.stop(t)
				unique(t, m, "c1")
				lawful(t, m, "c1")
				if set, got := trackedSet(t, m), keys(record(t, m, "c1")); !slices.Equal(set, []string{"c1"}) || got != "dan" {
					t.Errorf("tracked is %v, the roster is %q", set, got)
				}
			})
		})
	}
}

// dying is a process whose last batch of c1 is stored in part.
type dying struct {
	*line
	torn  *bool
	armed func() bool
}

func (d *dying) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	if d.gone() {
		return 0, errGone
	}
	at := slices.IndexFunc(msgs, func(m ledger.Message) bool { return strings.Contains(m.Subject, ".event.acme.c1.") })
	if at < 0 || !d.armed() {
		return d.line.Commit(ctx, msgs)
	}
	*d.torn = true
	_, _ = d.Memory.Commit(ctx, msgs[:at+2])
	d.die()
	return 0, errGone
}

// Garbage in place of a record ends its epoch; the ids of its events are not
// used again.
func TestGarbageInPlaceOfARecord(t *testing.T) {
	for name, garbage := range map[string]string{"no JSON": "+OK", "empty": "", "another's": `{"schema":1,"tenant":"acme","conferenceId":"other"}`} {
		for _, running := range []bool{true, false} {
			t.Run(fmt.Sprint(name, "/running ", running), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w, m := newWorld(), ledgertest.NewMemory(names)
					w.set("c1", "ann", "bob")
					p := start(t, "w1", m, w, track("c1"))
					elapse(time.Minute)
					if !running {
						p.stop(t)
					}
					bad := ledger.Message{Subject: names.State("acme", "c1"), Data: []byte(garbage), Rollup: true, TTL: "never"}
					if _, err := m.Commit(t.Context(), []ledger.Message{bad}); err != nil {
						t.Fatal(err)
					}
					if !running {
						p = start(t, "w2", m, w, track("c1"))
					}
					w.set("c1", "ann", "eve")
					elapse(time.Minute)
					p.stop(t)
					unique(t, m, "c1")
					lawful(t, m, "c1")
					if got := keys(record(t, m, "c1")); got != "ann eve" {
						t.Errorf("the roster is %q", got)
					}
					if p.logs.FilterMessageSnippet("a record cannot be read").Len() != 1 {
						t.Error("nothing was said of it")
					}
				})
			})
		}
	}
}

// Garbage in place of a claim: the shard is claimed after it.
func TestGarbageInPlaceOfAClaim(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		bad := ledger.Message{Subject: names.Claim("acme", 0), Data: []byte("+OK"), Rollup: true, TTL: "never"}
		if _, err := m.Commit(t.Context(), []ledger.Message{bad}); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob")
		lawful(t, m, "c1")
		p.stop(t)
	})
}
