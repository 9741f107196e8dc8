package worker_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/contracttest"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
)

// class is a fault of one class.
type class poller.Class

func (c class) Error() string             { return "the source says " + poller.Class(c).String() }
func (c class) Class() poller.Class       { return poller.Class(c) }
func (c class) RetryAfter() time.Duration { return 0 }

// watched are the watch events of the tenant, in the order in which they were stored.
func watched(t *testing.T, m *ledgertest.Memory) (all []rollcall.WatchEvent) {
	t.Helper()
	for _, msg := range m.Messages() {
		if !strings.HasPrefix(msg.Subject, "meetings.watch.") {
			continue
		}
		if err := contracttest.Load(t).Event(msg.Data); err != nil {
			t.Error(err)
		}
		e, err := wire.DecodeWatch(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		if e.Sequence != uint64(len(all)+1) || msg.Subject != names.Watch("acme", e.Type) {
			t.Errorf("watch event %d stands on %s and is %+v", len(all)+1, msg.Subject, e)
		}
		all = append(all, e)
	}
	return all
}

// wantWatched fails unless exactly these were told.
func wantWatched(t *testing.T, m *ledgertest.Memory, want ...string) []rollcall.WatchEvent {
	t.Helper()
	events := watched(t, m)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s %s", e.Type, e.Reason, e.Provenance))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("told was\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return events
}

func TestBlindnessIsTold(t *testing.T) {
	for reason, fault := range map[rollcall.Reason]error{
		rollcall.ReasonUnreachable: errors.New("connection refused"),
		rollcall.ReasonThrottled:   class(poller.ClassThrottled),
		rollcall.ReasonPermission:  class(poller.ClassPermission),
		rollcall.ReasonAuth:        class(poller.ClassToken),
		rollcall.ReasonQuota:       class(poller.ClassQuota),
		rollcall.ReasonBlocked:     class(poller.ClassBlocked),
		rollcall.ReasonRefused:     class(poller.ClassBadRequest),
	} {
		t.Run(string(reason), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m := newWorld(), ledgertest.NewMemory(names)
				w.set("c1", "ann")
				p := start(t, "w1", m, w, track("c1"))
				elapse(time.Minute)
				wantWatched(t, m)
				w.fail(fault)
				from := time.Now()
				elapse(10 * time.Minute)
				lost := wantWatched(t, m, "watch.lost "+string(reason)+" observed")[0]
				if w := lost.Window; w.After.After(from) || from.Sub(w.After) > 16*time.Second || w.Before.Sub(w.After) > 2*time.Minute {
					t.Errorf("blind from %v, told as %v", from, w)
				}
				if reason == rollcall.ReasonQuota {
					p.stop(t) // the month has to be over
					return
				}
				w.fail(nil)
				until := time.Now()
				elapse(time.Hour)
				resumed := wantWatched(t, m, "watch.lost "+string(reason)+" observed", "watch.resumed "+string(reason)+" observed")[1]
				if w := resumed.Window; !w.After.Equal(lost.Window.After) || w.Before.Before(until) {
					t.Errorf("blind from %v until %v, told as %v", from, until, w)
				}
				p.stop(t)
			})
		})
	}
}

// A restart or a takeover within the allowed age tells nothing; whoever was away for
// longer is told by the next one.
func TestAWorkerThatWasDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		p.stop(t)
		elapse(3 * time.Second)
		p = start(t, "w2", m, w, track("c1"))
		elapse(time.Minute)
		wantWatched(t, m)
		p.stop(t)
		from := time.Now()
		elapse(5 * time.Minute)
		until := time.Now()
		p = start(t, "w3", m, w, track("c1"))
		elapse(time.Minute)
		for _, e := range wantWatched(t, m, "watch.lost stopped inferred", "watch.resumed stopped inferred") {
			if w := e.Window; w.After.After(from) || from.Sub(w.After) > 16*time.Second || w.Before.Before(until) || w.Before.Sub(until) > 30*time.Second {
				t.Errorf("down from %v until %v, told as %v", from, until, w)
			}
		}
		p.stop(t)
	})
}

// One who starts while a loss is told goes on with it.
func TestALossOutlivesTheWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		w.fail(errors.New("connection refused"))
		elapse(5 * time.Minute)
		p.stop(t)
		p = start(t, "w2", m, w, track("c1"))
		elapse(5 * time.Minute)
		lost := wantWatched(t, m, "watch.lost unreachable observed")[0]
		w.fail(nil)
		elapse(10 * time.Minute)
		resumed := wantWatched(t, m, "watch.lost unreachable observed", "watch.resumed unreachable observed")[1]
		if !resumed.Window.After.Equal(lost.Window.After) {
			t.Errorf("lost %v, resumed %v", lost.Window, resumed.Window)
		}
		p.stop(t)
	})
}

// NATS away is not to be blind: what was observed is kept.
func TestNATSAwayIsNotToBeBlind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		m.SetFail(func(string) error { return ledger.ErrBusy })
		for i := range 12 {
			w.set("c1", "ann", fmt.Sprint("p", i))
			elapse(15 * time.Second)
		}
		m.SetFail(nil)
		elapse(5 * time.Minute)
		wantWatched(t, m)
		p.stop(t)
	})
}

// Nothing to look at is not to be blind.
func TestNobodyToLookAt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Hour)
		if _, err := p.worker.Track(t.Context(), "acme", "c1", "api"); err != nil {
			t.Fatal(err)
		}
		elapse(time.Hour)
		wantWatched(t, m)
		p.stop(t)
	})
}

// What tells of the watch is stored once, however often its outcome is lost.
func TestTheWatchIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		w.fail(errors.New("connection refused"))
		var n atomic.Int64
		m.SetFail(func(op string) error {
			if n := n.Add(1); op == "commit done" && n%3 > 0 {
				return ledger.ErrUnknown
			}
			return nil
		})
		elapse(5 * time.Minute)
		w.fail(nil)
		elapse(10 * time.Minute)
		m.SetFail(nil)
		elapse(time.Minute)
		wantWatched(t, m, "watch.lost unreachable observed", "watch.resumed unreachable observed")
		lawful(t, m, "c1")
		p.stop(t)
	})
}

// What is stored in several parts tells the watch once, whatever fails of it.
func TestTheWatchIsToldOnceOfManyMeetings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		var ids, people []string
		for i := range 60 {
			people = append(people, fmt.Sprint("p", i))
		}
		for i := range 100 {
			ids = append(ids, fmt.Sprint("c", i))
			w.set(ids[i], "ann")
		}
		p := start(t, "w1", m, w, track(ids...))
		elapse(time.Minute)
		w.fail(errors.New("connection refused"))
		elapse(5 * time.Minute)
		for _, id := range ids {
			w.set(id, people...)
		}
		w.fail(nil)
		var n atomic.Int64
		m.SetFail(func(op string) error {
			if op == "commit" && n.Add(1)%2 == 0 {
				return ledger.ErrBusy
			}
			if op == "status" {
				return ledger.ErrBusy // so that it says nothing newer
			}
			return nil
		})
		elapse(10 * time.Minute)
		m.SetFail(nil)
		elapse(time.Minute)
		wantWatched(t, m, "watch.lost unreachable observed", "watch.resumed unreachable observed")
		p.stop(t)
	})
}

// What could not be told while NATS was away is told afterwards, with its reason.
func TestBlindWhileNATSIsAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		m.SetFail(func(string) error { return ledger.ErrBusy })
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		w.fail(class(poller.ClassPermission))
		from := time.Now()
		elapse(5 * time.Minute)
		w.fail(nil)
		until := time.Now()
		elapse(10 * time.Minute)
		m.SetFail(nil)
		elapse(5 * time.Minute)
		for _, e := range wantWatched(t, m, "watch.lost permission observed", "watch.resumed permission observed") {
			if e.Window.After.After(from) || e.Window.Before.Before(until) {
				t.Errorf("blind from %v until %v, told as %v", from, until, e.Window)
			}
		}
		p.stop(t)
	})
}

// Where nothing was tracked nobody was missed.
func TestAWorkerThatWasDownWithNothingToLookAt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, nil)
		elapse(time.Minute)
		p.stop(t)
		elapse(time.Hour)
		p = start(t, "w2", m, w, track("c1"))
		elapse(5 * time.Minute)
		wantWatched(t, m)
		p.stop(t)
	})
}
