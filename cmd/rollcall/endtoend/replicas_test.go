//go:build unix

package endtoend_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	replicaShards = 30
	replicaPace   = 2 * time.Second
	// orphaned is the longest that meetings of a worker that was killed may go
	// without a question, and that two workers may ask about the same.
	orphaned = 15 * time.Second
	// handedOver is the same for a worker that leaves in order.
	handedOver = 2*replicaPace + 5*time.Second
)

// replica is one of several workers with the same configuration, but for its
// own data_dir and port.
func (w *world) replica(t *testing.T, name string) *worker {
	t.Helper()
	s := w.site(name, w.broker.url())
	s.config = edited(t, s.config, `schedule: "@every 1s"`, fmt.Sprintf(`schedule: "@every %s", shards: %d`, replicaPace, replicaShards))
	return s.start()
}

// longGone is for how long no worker that lives is silent. A server that was killed may
// keep entries for good that had a shorter time to live.
const longGone = 30 * time.Second

// holdings are acme's shards that each worker says it holds, by worker.
func (w *world) holdings(t testing.TB) (map[string][]int, error) {
	t.Helper()
	kv, err := w.js.KeyValue(t.Context(), "MEETINGS_WORKERS")
	if err != nil {
		return nil, err
	}
	keys, err := kv.ListKeys(t.Context(), jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	all := map[string][]int{}
	for key := range keys.Keys() {
		entry, err := kv.Get(t.Context(), key)
		if errors.Is(err, jetstream.ErrKeyNotFound) || err == nil && time.Since(entry.Created()) > longGone {
			continue
		}
		if err != nil {
			return nil, err
		}
		said, err := decode[struct {
			Shards []struct {
				Tenant string
				Shard  int
			}
		}](entry.Value())
		if err != nil {
			t.Fatalf("read what worker %s says: %v", key, err)
		}
		all[key] = nil
		for _, s := range said.Shards {
			if s.Tenant == "acme" {
				all[key] = append(all[key], s.Shard)
			}
		}
	}
	return all, nil
}

// holders is how many of acme's shards each worker says it holds; nil unless each shard
// is held by exactly one.
func (w *world) holders(t testing.TB) map[string]int {
	t.Helper()
	all, err := w.holdings(t)
	if err != nil {
		return nil
	}
	held, by := map[int]int{}, map[string]int{}
	for worker, shards := range all {
		by[worker] = len(shards)
		for _, s := range shards {
			held[s]++
		}
	}
	for shard := range replicaShards {
		if held[shard] != 1 {
			return nil
		}
	}
	return by
}

// shared waits until n workers hold all shards, each its part.
func (w *world) shared(t testing.TB, n int) {
	t.Helper()
	var by map[string]int
	defer func() {
		if by == nil {
			all, err := w.holdings(t)
			t.Logf("the workers hold %v: %v", all, err)
		}
	}()
	eventually(t, fmt.Sprintf("%d workers hold %d shards, each shard held once", n, replicaShards), func() bool {
		by = w.holders(t)
		return len(by) == n && !slices.Contains(slices.Collect(maps.Values(by)), 0)
	})
	t.Logf("shards by worker: %v", by)
}

// rounds waits until every meeting has been asked about n more times.
func (w *world) rounds(n int) {
	w.t.Helper()
	from := len(w.witness.seen())
	eventually(w.t, fmt.Sprintf("%d more rounds", n), func() bool {
		times := asks(w.witness.seen()[from:])
		return !slices.ContainsFunc(w.sim.ids, func(id string) bool { return len(times[id]) < n })
	})
}

// asks gives when each meeting was asked about.
func asks(answers []answer) map[string][]time.Time {
	times := map[string][]time.Time{}
	for _, a := range answers {
		for id := range a.says {
			times[id] = append(times[id], a.asked)
		}
	}
	return times
}

// askedBy gives the meetings that a door asked about.
func askedBy(door string, answers []answer) []string {
	ids := map[string]bool{}
	for _, a := range answers {
		for id := range a.says {
			if a.door == door {
				ids[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// takenOver expects each meeting to be asked about again through another door,
// within the time since the worker behind the door went.
func takenOver(t *testing.T, door string, ids []string, gone time.Time, answers []answer, within time.Duration) {
	t.Helper()
	if len(ids) == 0 {
		t.Errorf("worker %s asked about nothing before it went: too little to tell anything", door)
	}
	answers = slices.DeleteFunc(slices.Clone(answers), func(a answer) bool { return a.door == door || a.asked.Before(gone) })
	times, longest := asks(answers), time.Duration(0)
	for _, id := range ids {
		if len(times[id]) == 0 {
			t.Errorf("meeting %q of worker %s: nobody asks about it any more", id, door)
			continue
		}
		took := slices.MinFunc(times[id], time.Time.Compare).Sub(gone)
		if took > within {
			t.Errorf("meeting %q of worker %s: asked about again after %s, want %s", id, door, took, within)
		}
		longest = max(longest, took)
	}
	t.Logf("%d meetings of worker %s were asked about again within %s", len(ids), door, longest)
}

// noDoubles expects no meeting to be asked about at twice the planned pace, or
// nearly so, for longer than two workers may disagree.
func noDoubles(t *testing.T, times map[string][]time.Time) {
	t.Helper()
	worst, what := time.Duration(0), "never"
	for id, at := range times {
		slices.SortFunc(at, time.Time.Compare)
		run := 0 // where the stretch at the double pace begins
		for i := range at {
			if i-run < 2 {
				continue // one pause tells no pace
			}
			if at[i].Sub(at[i-2]) > replicaPace*3/2 {
				run = i - 1
				continue
			}
			if stretch := at[i].Sub(at[run]); stretch > worst {
				worst, what = stretch, fmt.Sprintf("meeting %q %d times in %s, up to %s", id, i-run+1, stretch, at[i].Format(time.TimeOnly))
			}
		}
	}
	t.Logf("asked about at the double pace for the longest: %s", what)
	if worst > orphaned {
		t.Errorf("some meetings are asked about twice as often as planned for longer than %s", orphaned)
	}
}

// TestLongReplicas has three workers share the shards; one is killed, another
// leaves in order, and the last one asks about everything.
func TestLongReplicas(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "60", "--people", "10", "--rate", "30")
	a, b, c := w.replica(t, "a"), w.replica(t, "b"), w.replica(t, "c")
	w.listen()
	w.shared(t, 3)
	w.rounds(2)
	steady := len(w.witness.seen())
	w.rounds(3)
	own := askedBy("a", w.witness.seen()[steady:])

	a.kill()
	gone := time.Now()
	w.shared(t, 2)
	w.rounds(9) // longer than anybody may ask twice
	takenOver(t, "a", own, gone, w.witness.seen(), orphaned)

	after := len(w.witness.seen())
	w.rounds(2)
	own = askedBy("b", w.witness.seen()[after:])
	left := time.Now()
	b.signal(syscall.SIGTERM)
	if code := b.exit(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if n := members(t, w); n != 1 {
		t.Errorf("%d workers are signed in when the second has left, want 1", n)
	}
	w.shared(t, 1)
	w.rounds(9)
	takenOver(t, "b", own, left, w.witness.seen(), handedOver)
	if !c.alive() {
		t.Error("the last worker is gone")
	}
	noDoubles(t, asks(w.witness.seen()[steady:]))
	w.verdict().report(t)
}
