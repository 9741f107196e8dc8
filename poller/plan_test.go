package poller

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPlan(t *testing.T) {
	now := instant("2026-11-23T09:00:00Z")
	ago := func(id string, minutes int) Candidate {
		return Candidate{ID: id, Slow: true, LastAsked: now.Add(-time.Duration(minutes) * time.Minute)}
	}
	ordinary := Candidate{ID: "a"}
	for name, c := range map[string]struct {
		in   []Candidate
		want []string
	}{
		"nothing":                   {nil, nil},
		"ordinary ones always":      {[]Candidate{ordinary, {ID: "b", LastAsked: now}}, []string{"a", "b"}},
		"slow ones wait":            {[]Candidate{ordinary, ago("s", 9)}, []string{"a"}},
		"slow ones ride along":      {[]Candidate{ago("s", 10), ordinary}, []string{"a", "s"}},
		"the longest waiting first": {[]Candidate{ordinary, ago("s", 11), ago("t", 13), ago("u", 12)}, []string{"a", "t", "u"}},
		"not for a call of its own": {[]Candidate{ago("s", 19)}, nil},
		"overdue: whatever it cost": {[]Candidate{ago("s", 20), ago("t", 10)}, []string{"s", "t"}},
		"full":                      {[]Candidate{{ID: "a"}, {ID: "b"}, {ID: "c"}, ago("s", 15)}, []string{"a", "b", "c"}},
		"never asked":               {[]Candidate{{ID: "s", Slow: true}}, []string{"s"}},
		"asked in the future":       {[]Candidate{ago("s", -5)}, []string{"s"}},
	} {
		if diff := cmp.Diff(c.want, Plan{BatchSize: 3}.Due(now, c.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPlanAddsNoCallForTheSlow(t *testing.T) {
	now := instant("2026-11-23T09:00:00Z")
	rapid.Check(t, func(rt *rapid.T) {
		plan := Plan{BatchSize: rapid.IntRange(0, 20).Draw(rt, "batch size"), SlowEvery: time.Minute}
		n := rapid.IntRange(1, 50).Draw(rt, "ordinary")
		var all []Candidate
		for i := range n {
			all = append(all, Candidate{ID: fmt.Sprint("o", i)})
		}
		for i, seconds := range rapid.SliceOf(rapid.IntRange(0, 119)).Draw(rt, "slow") {
			all = append(all, Candidate{fmt.Sprint("s", i), true, now.Add(-time.Duration(seconds) * time.Second)})
		}
		size := plan.BatchSize
		if size == 0 {
			size = DefaultBatchSize
		}
		due := plan.Due(now, all)
		if calls, bare := (len(due)+size-1)/size, (n+size-1)/size; len(due) < n || calls != bare {
			rt.Fatalf("%d due of %d ordinary: %d calls instead of %d", len(due), n, calls, bare)
		}
	})
}
