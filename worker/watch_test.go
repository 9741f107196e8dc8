package worker_test

import (
	"errors"
	"fmt"
	"slices"
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
	"rollcall/worker/membership"
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
		if e.Sequence != uint64(len(ofShard(all, e.Shard))+1) || msg.Subject != names.Watch("acme", e.Type) {
			t.Errorf("watch event %d stands on %s and is %+v", len(all)+1, msg.Subject, e)
		}
		all = append(all, e)
	}
	return all
}

// ofShard are those of one shard.
func ofShard(all []rollcall.WatchEvent, shard int) []rollcall.WatchEvent {
	return slices.DeleteFunc(slices.Clone(all), func(e rollcall.WatchEvent) bool { return e.Shard != shard })
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

// Whoever is claimed away from in the moment in which it looks again still tells what
// was missed, and goes on.
func TestAClaimIsOutdatedBeforeALossIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		p.stop(t)
		elapse(5 * time.Minute)
		m.SetFail(func(op string) error {
			if op == "commit" {
				return ledger.ErrBusy
			}
			return nil
		})
		p = start(t, "w2", m, w, track("c1"))
		elapse(time.Second) // it has claimed the shard, and has an answer
		m.SetFail(nil)
		if _, err := m.Claim(t.Context(), "acme", 0, "w3"); err != nil {
			t.Fatal(err)
		}
		w.set("c1", "ann", "bob")
		elapse(time.Minute)
		wantWatched(t, m, "watch.lost stopped inferred", "watch.resumed stopped inferred")
		if got := tell(events(t, m, "c1")); !strings.Contains(strings.Join(got, "\n"), "bob") {
			t.Errorf("bob came and is not told: %v", got)
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

// oneOfEach returns a meeting of each of so many shards.
func oneOfEach(shards int) []string {
	ids := make([]string, shards)
	for i, left := 0, shards; left > 0; i++ {
		id := fmt.Sprint("m", i)
		if n := membership.ShardOf(id, shards); ids[n] == "" {
			ids[n] = id
			left--
		}
	}
	return ids
}

// A shard that is looked at is told to be so, beside one that is not: also by
// whoever takes both over.
func TestARestartBesideABlindShard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, ids := newWorld(), ledgertest.NewMemory(names), oneOfEach(2)
		w.set(ids[0], "ann")
		w.set(ids[1], "ann")
		p := start(t, "w1", m, w, divided(2, ids...))
		elapse(time.Minute)
		w.failAbout(ids[1], errors.New("connection refused"))
		elapse(10 * time.Minute)
		for _, next := range []string{"w2", "w3"} {
			p.stop(t)
			elapse(3 * time.Second)
			p = start(t, next, m, w, divided(2, ids...))
			elapse(time.Minute)
		}
		wantWatched(t, m, "watch.lost unreachable observed")
		p.stop(t)
		from := time.Now()
		elapse(5 * time.Minute)
		until := time.Now()
		w.fail(nil)
		p = start(t, "w4", m, w, divided(2, ids...))
		elapse(time.Minute)
		all := watched(t, m)
		if of := ofShard(all, 1); len(of) != 2 || of[1].Type != rollcall.WatchResumed || of[1].Reason != rollcall.ReasonUnreachable {
			t.Errorf("of the blind shard: %+v", of)
		}
		of := ofShard(all, 0)
		if len(of) != 2 || of[0].Type != rollcall.WatchLost || of[1].Provenance != rollcall.ProvenanceInferred {
			t.Fatalf("of the other one: %+v", of)
		}
		if w := of[1].Window; w.After.After(from) || from.Sub(w.After) > 16*time.Second || w.Before.Before(until) || w.Before.Sub(until) > 30*time.Second {
			t.Errorf("down from %v until %v, told as %v", from, until, w)
		}
		p.stop(t)
	})
}

// Whoever takes over the shards of two others knows when each was last looked at.
func TestTheShardsOfWorkersThatWereDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, ids := newWorld(), ledgertest.NewMemory(names), oneOfEach(4)
		for _, id := range ids {
			w.set(id, "ann")
		}
		p1, p2 := start(t, "w1", m, w, divided(4, ids...)), start(t, "w2", m, w, divided(4, ids...))
		elapse(time.Minute)
		p1.stop(t)
		elapse(time.Minute)
		wantWatched(t, m)
		p2.stop(t)
		from := time.Now()
		elapse(5 * time.Minute)
		until := time.Now()
		p1, p2 = start(t, "w3", m, w, divided(4, ids...)), start(t, "w4", m, w, divided(4, ids...))
		elapse(time.Minute)
		for n := range ids {
			of := ofShard(watched(t, m), n)
			if len(of) != 2 {
				t.Fatalf("of shard %d: %+v", n, of)
			}
			if w := of[1].Window; w.After.After(from) || from.Sub(w.After) > 16*time.Second || w.Before.Before(until) {
				t.Errorf("down from %v until %v, told of shard %d as %v", from, until, n, w)
			}
		}
		p1.stop(t)
		p2.stop(t)
	})
}

// The loss of a shard that is no more ends as well, once.
func TestALossOfAnEarlierDivision(t *testing.T) {
	for _, c := range []struct{ from, to int }{{2, 1}, {1, 2}, {4, 3}, {3, 4}} {
		for _, restarted := range []bool{true, false} {
			bubble(t, func(t *testing.T) {
				w, m, ids := newWorld(), ledgertest.NewMemory(names), oneOfEach(c.from)
				for _, id := range ids {
					w.set(id, "ann")
				}
				p := start(t, "w1", m, w, divided(c.from, ids...))
				elapse(time.Minute)
				w.failAbout(ids[c.from-1], errors.New("connection refused"))
				elapse(5 * time.Minute)
				lost := wantWatched(t, m, "watch.lost unreachable observed")[0]
				w.fail(nil)
				if restarted {
					p.stop(t)
				}
				next := start(t, "w2", m, w, divided(c.to, ids...))
				elapse(5 * time.Minute)
				resumed := wantWatched(t, m, "watch.lost unreachable observed", "watch.resumed unreachable observed")[1]
				if resumed.Shard != c.from-1 || !resumed.Window.After.Equal(lost.Window.After) {
					t.Errorf("%+v: lost %+v, resumed %+v", c, lost, resumed)
				}
				next.stop(t)
				if !restarted {
					p.stop(t)
				}
			})
		}
	}
}

// Where nothing is left to look at nobody is missed.
func TestALossEndsWithTheLastMeeting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", "ann")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		w.fail(errors.New("connection refused"))
		elapse(5 * time.Minute)
		if _, err := p.worker.Untrack(t.Context(), "acme", "c1"); err != nil {
			t.Fatal(err)
		}
		until := time.Now()
		elapse(time.Hour)
		resumed := wantWatched(t, m, "watch.lost unreachable observed", "watch.resumed unreachable observed")[1]
		if after := resumed.Window.Before.Sub(until); after < 0 || after > time.Minute {
			t.Errorf("nothing was tracked from %v on, told as %v", until, resumed.Window)
		}
		p.stop(t)
	})
}
