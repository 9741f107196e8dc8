package poller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"

	"rollcall"
)

func TestPassFillsBatches(t *testing.T) {
	source, ids := healthy(250)
	asked := append(slices.Clone(ids), ids[3], "", ids[249])
	slices.Reverse(asked)
	b := &book{}
	p := &Poller{Source: source, Tenant: "acme"}
	report := p.Pass(t.Context(), b.ask(asked...))

	sizes := []int{}
	for _, q := range source.queries {
		sizes = append(sizes, len(q))
	}
	if diff := cmp.Diff([]int{100, 100, 50}, sizes); diff != "" {
		t.Errorf("sizes of the batches: %s", diff)
	}
	if got := slices.Concat(source.queries...); !slices.Equal(got, ids) {
		t.Errorf("asked about %v", got)
	}
	if report.Asked != 250 || report.Answered != 250 || report.Calls != 3 || !report.Good || report.State != StateOK {
		t.Errorf("report %+v", report)
	}
	if len(b.observations) != 3 || b.observations[0].Tenant != "acme" {
		t.Errorf("%d observations", len(b.observations))
	}
}

func TestPassAsksNothingAboutNothing(t *testing.T) {
	source, _ := healthy(0)
	b := &book{}
	report := (&Poller{Source: source}).Pass(t.Context(), b.ask())
	if source.calls() != 0 || b.poll != 0 || len(b.observations) != 0 {
		t.Errorf("%d calls, %d numbers", source.calls(), b.poll)
	}
	if !report.Good || report.LastGood.IsZero() || report.State != StateOK {
		t.Errorf("report %+v", report)
	}
}

func TestPassRecognisesUnchangedBytes(t *testing.T) {
	source, ids := healthy(2)
	b := &book{}
	p := &Poller{Source: source}
	p.Pass(t.Context(), b.ask(ids...))
	source.raw["m001"] = "started again"
	report := p.Pass(t.Context(), b.ask(ids...))

	first, second := b.observations[0].Sightings, b.observations[1].Sightings
	if second[0].Answer != nil || unsafe.SliceData(first[0].Raw) != unsafe.SliceData(second[0].Raw) {
		t.Error("equal bytes are decoded again or held twice")
	}
	if second[1].Answer == nil || string(second[1].Raw) != "started again" || string(first[1].Raw) != "started m001" {
		t.Error("changed bytes are not decoded, or overwrite those before")
	}
	if source.decoded != 3 || report.Unchanged != 1 {
		t.Errorf("%d decoded, %d unchanged", source.decoded, report.Unchanged)
	}

	p.Pass(t.Context(), b.ask("m001"))
	if p.Pass(t.Context(), b.ask(ids...)); source.decoded != 4 {
		t.Error("a meeting that was not asked about is remembered")
	}
	p.Forget(0)
	if p.Pass(t.Context(), b.ask(ids...)); source.decoded != 6 {
		t.Error("a forgotten shard is remembered")
	}
}

func TestPassTimesEachQuestionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(6)
		source.took = 100 * time.Millisecond
		b := &book{}
		p := &Poller{Source: source, BatchSize: 2, Limiter: rate.NewLimiter(1, 1)}
		began := time.Now().UTC().Round(0)
		p.Pass(t.Context(), b.ask(ids...))
		for i, o := range b.observations {
			asked := began.Add(time.Duration(i) * time.Second)
			if !o.AskedAt.Equal(asked) || o.AnsweredAt != o.AskedAt.Add(source.took) {
				t.Errorf("question %d: asked %v, answered %v", i, o.AskedAt, o.AnsweredAt)
			}
			if o.Number != (rollcall.Number{Term: 1, Poll: uint64(i + 1)}) {
				t.Errorf("question %d has number %v", i, o.Number)
			}
		}
	})
}

func TestStampsWidenToMilliseconds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := time.Unix(0, rapid.Int64Range(1e18, 2e18).Draw(rt, "at"))
		took := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(rt, "took"))
		asked, answered := stamps(at, took)
		early, late := at.Sub(asked), answered.Sub(at.Add(took))
		if early < 0 || early >= time.Millisecond || late < 0 || late >= time.Millisecond {
			rt.Fatalf("stamped %v too early and %v too late", early, late)
		}
		if asked.Nanosecond()%1e6 != 0 || answered.Nanosecond()%1e6 != 0 || asked.Location() != time.UTC {
			rt.Fatalf("stamps %v and %v", asked, answered)
		}
	})
}

func TestPassConfirmsWhatIsMissing(t *testing.T) {
	end := instant("2026-11-23T09:00:00Z")
	source, ids := healthy(8)
	for _, id := range ids[1:] {
		delete(source.raw, id)
	}
	source.standing = map[string]Standing{
		"m001": {Status: rollcall.StatusEnded, EndTime: end},
		"m002": {Status: rollcall.StatusStarted},
		"m003": {Status: rollcall.StatusInitialized},
		"m004": {},
	}
	source.sick["m006"] = fault{class: ClassEnded}
	source.sick["m007"] = fault{class: ClassPermission}
	b := &book{}
	report := (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))

	want := "m000 listed, m001 ended, m002 ongoing, m003 ongoing, m005 missed, m006 ended"
	if b.kinds() != want {
		t.Errorf("sighted %s", b.kinds())
	}
	if diff := cmp.Diff(map[string]Class{"m004": ClassMalformed, "m007": ClassPermission}, report.Unanswered); diff != "" {
		t.Error(diff)
	}
	all := b.sightings(t)
	if s := all["m001"]; s.Reason != rollcall.ReasonStatus || !s.EndTime.Equal(end) {
		t.Errorf("m001 ended %+v", s)
	}
	if s := all["m006"]; s.Reason != rollcall.ReasonResourceClosed || !s.EndTime.IsZero() {
		t.Errorf("m006 ended %+v", s)
	}
	if len(source.lookups) != 7 || report.Calls != 8 || report.State != StateOK {
		t.Errorf("lookups %v, report %+v", source.lookups, report)
	}
}

func TestPassConcludesNothingFromAnIncompleteAnswer(t *testing.T) {
	source, ids := healthy(3)
	delete(source.raw, "m001")
	source.broken["m002"] = true
	source.partial = true
	b := &book{}
	report := (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
	if b.kinds() != "m000 listed, m001 malformed, m002 malformed" || len(source.lookups) != 0 {
		t.Errorf("%s; lookups %v", b.kinds(), source.lookups)
	}
	if len(report.Unanswered) != 2 || !report.Good {
		t.Errorf("report %+v", report)
	}
	source.partial = false
	source.raw["m001"] = "started m001"
	if report = (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...)); len(source.lookups) != 0 || len(report.Unanswered) != 1 {
		t.Errorf("a malformed meeting is taken for a missing one: %+v", report)
	}
}

func TestPassFindsTheExactEnd(t *testing.T) {
	end := instant("2026-11-23T09:00:00Z")
	source, ids := healthy(2)
	source.raw["m000"] = "ended m000"
	source.standing["m000"] = Standing{Status: rollcall.StatusEnded, EndTime: end}
	b := &book{}
	p := &Poller{Source: source}
	p.Pass(t.Context(), b.ask(ids...))
	p.Pass(t.Context(), b.ask(ids...))

	for i, o := range b.observations {
		if s := o.Sightings[0]; s.Kind != rollcall.SightingListed || !s.EndTime.Equal(end) {
			t.Errorf("pass %d: %+v", i, s)
		}
		if o.Number.Poll != uint64(i+1) {
			t.Errorf("the lookup took a number: %v", o.Number)
		}
	}
	if len(source.lookups) != 1 {
		t.Errorf("lookups %v", source.lookups)
	}
}

func TestPassGoesOnWithoutTheExactEnd(t *testing.T) {
	for name, sick := range map[string]error{
		"transient": fault{class: ClassTransient}, "unknown": fault{class: ClassUnknown}, "slow": nil,
		"asked to wait": fault{ClassTransient, 4500 * time.Millisecond}, "mute": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, ids := healthy(40)
				for _, id := range ids[:20] {
					source.raw[id] = "ended " + id
					source.standing[id] = Standing{Status: rollcall.StatusEnded, EndTime: time.Now()}
					source.sick[id] = sick
				}
				source.took = time.Second
				source.mute = name == "mute"
				b := &book{}
				began := time.Now()
				report := (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
				if report.Answered != 40 || report.State != StateOK {
					t.Errorf("report %+v", report)
				}
				if took := time.Since(began); took > patience+2*time.Second {
					t.Errorf("the others waited %v", took)
				}
			})
		})
	}
}

func TestPassHalvesForEndedMeetings(t *testing.T) {
	end := instant("2026-11-23T09:00:00Z")
	for _, one := range []int{0, 31, 63} {
		source, ids := healthy(64)
		source.closed[ids[one]] = true
		source.standing[ids[one]] = Standing{Status: rollcall.StatusEnded, EndTime: end}
		b := &book{}
		report := (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
		s := b.sightings(t)[ids[one]]
		if s.Kind != rollcall.SightingEnded || s.Reason != rollcall.ReasonResourceClosed || !s.EndTime.Equal(end) {
			t.Errorf("sighted %+v", s)
		}
		if len(source.queries) > map[int]int{0: 2*6 + 1, 31: 6 + 2, 63: 6 + 1}[one] || len(source.lookups) != 1 || report.Answered != 64 {
			t.Errorf("%d queries, %d lookups, report %+v", len(source.queries), len(source.lookups), report)
		}
	}
}

func TestPassSplitsExactly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 150).Draw(rt, "n")
		size := rapid.IntRange(1, 100).Draw(rt, "batch size")
		source, ids := healthy(n)
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, n).Draw(rt, "ended") {
			source.closed[ids[i]] = true
			source.standing[ids[i]] = Standing{Status: rollcall.StatusEnded}
		}
		b := &book{}
		report := (&Poller{Source: source, BatchSize: size}).Pass(t.Context(), b.ask(ids...))

		all := b.sightings(t)
		for _, id := range ids {
			want := rollcall.SightingListed
			if source.closed[id] {
				want = rollcall.SightingEnded
			}
			if all[id].Kind != want {
				rt.Fatalf("%s is sighted as %v", id, all[id].Kind)
			}
		}
		if len(source.lookups) != len(source.closed) || report.Calls != source.calls() {
			rt.Fatalf("%d lookups for %d ended; %+v", len(source.lookups), len(source.closed), report)
		}
		if most := mostQueries(ids, size, source.closed); len(source.queries) > most {
			rt.Fatalf("%d queries, more than %d", len(source.queries), most)
		}
		for i := 1; i < len(b.observations); i++ {
			if !b.observations[i].Number.After(b.observations[i-1].Number) {
				rt.Fatalf("number %v is emitted after %v", b.observations[i].Number, b.observations[i-1].Number)
			}
		}
	})
}

// mostQueries bounds what halving may cost: two a level for each ended
// meeting, and never more than the nodes of the whole tree.
func mostQueries(ids []string, size int, ended map[string]bool) int {
	most := 0
	for batch := range slices.Chunk(ids, size) {
		k, levels := 0, 0
		for _, id := range batch {
			if ended[id] {
				k++
			}
		}
		for 1<<levels < len(batch) {
			levels++
		}
		most += min(1+2*k*levels, 2*len(batch)-1)
	}
	return most
}

func TestPassAsksTwiceOnlyBySplitting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(rt, "n")
		source, ids := healthy(n)
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 3).Draw(rt, "bad") {
			source.bad[ids[i]] = true
		}
		b := &book{}
		p := &Poller{Source: source, BatchSize: rapid.IntRange(1, 60).Draw(rt, "batch size")}
		report := p.Pass(t.Context(), b.ask(ids...))

		seen := map[string]bool{}
		for _, q := range source.queries {
			if key := fmt.Sprint(q); seen[key] {
				rt.Fatalf("asked twice about %v", q)
			} else {
				seen[key] = true
			}
		}
		if report.Answered != n-len(source.bad) || len(report.Unanswered) != len(source.bad) {
			rt.Fatalf("report %+v with %d bad", report, len(source.bad))
		}
		if len(p.Quarantined()) != len(source.bad) {
			rt.Fatalf("quarantined %v", p.Quarantined())
		}
	})
}

func TestPassEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(300)
		b := &book{}
		p := &Poller{Source: source}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ask := b.ask(ids...)
		emit := ask.Emit
		ask.Emit = func(ctx context.Context, o rollcall.Observation) error {
			source.hang = true
			return emit(ctx, o)
		}
		began := time.Now()
		report := p.Pass(ctx, ask)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("returned after %v", took)
		}
		if report.Answered != 100 || len(report.Unanswered) != 0 || !errors.Is(report.Err, context.DeadlineExceeded) {
			t.Errorf("report %+v", report)
		}
		if report.State != StateOK || source.calls() != 2 {
			t.Errorf("state %s after %d calls", report.State, source.calls())
		}
	})
}

func TestPassKeepsAnAnswerInHand(t *testing.T) {
	source, ids := healthy(1)
	b := &book{}
	ctx, cancel := context.WithCancel(t.Context())
	ask := b.ask(ids...)
	next := ask.Next
	ask.Next = func() rollcall.Number { cancel(); return next() }
	if (&Poller{Source: source}).Pass(ctx, ask); b.kinds() != "m000 listed" {
		t.Errorf("emitted %s", b.kinds())
	}
}

func TestPassEndsWhenNobodyTakesItsAnswers(t *testing.T) {
	source, ids := healthy(300)
	b := &book{full: errors.New("the queue is full")}
	report := (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
	if !errors.Is(report.Err, b.full) || source.calls() != 1 || report.Answered != 0 || report.Good {
		t.Errorf("report %+v after %d calls", report, source.calls())
	}
}

func TestPassKeepsToTheBudget(t *testing.T) {
	source, ids := healthy(300)
	delete(source.raw, "m000")
	left, spent := 2, []string{}
	refusal := errors.New("the month's calls are given out")
	p := &Poller{Source: source, Spend: func(_ context.Context, op string) error {
		if len(spent) == left {
			return refusal
		}
		spent = append(spent, op)
		return nil
	}}
	b := &book{}
	report := p.Pass(t.Context(), b.ask(ids...))
	if source.calls() != 2 || report.State != StateQuota || !errors.Is(report.Err, refusal) {
		t.Errorf("%d calls, report %+v", source.calls(), report)
	}
	if len(report.Unanswered) != 101 || report.Unanswered["m000"] != ClassQuota || report.Answered != 199 {
		t.Errorf("%d unanswered, %d answered", len(report.Unanswered), report.Answered)
	}
	left = 100
	if report = p.Pass(t.Context(), b.ask(ids...)); report.State != StateOK || spent[len(spent)-1] != OpLookup {
		t.Errorf("report %+v, spent %v", report, spent)
	}
}

func TestExactEndIsThatOfAnEndedMeeting(t *testing.T) {
	end := instant("2026-11-23T09:00:00Z")
	source, ids := healthy(3)
	for _, id := range ids {
		source.raw[id] = "ended " + id
	}
	source.standing["m001"] = Standing{Status: rollcall.StatusStarted, EndTime: end}
	source.standing["m002"] = Standing{Status: rollcall.StatusEnded, EndTime: end}
	b := &book{}
	(&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
	s := b.observations[0].Sightings
	if !s[0].EndTime.IsZero() || !s[1].EndTime.IsZero() || !s[2].EndTime.Equal(end) {
		t.Errorf("sighted %+v", s)
	}
}

// TestPassOwnsItsBytes lets the source use its buffer again, and a meeting's
// bytes be a piece of a large answer.
func TestPassOwnsItsBytes(t *testing.T) {
	buffer := []byte("one large answer")
	source := steady{map[string]Found{"a": {"a", buffer[:3]}}}
	p, b := &Poller{Source: source}, &book{}
	p.Pass(t.Context(), b.ask("a"))
	copy(buffer, "two")
	p.Pass(t.Context(), b.ask("a"))
	first, second := b.observations[0].Sightings[0], b.observations[1].Sightings[0]
	if string(first.Raw) != "one" || string(second.Raw) != "two" || second.Answer == nil {
		t.Errorf("sighted %s, then %s", first.Raw, second.Raw)
	}
}
