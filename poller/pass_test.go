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
	"rollcall/internal/wait"
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
	p.forget(0)
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
	if b.kinds() != "m001 listed, m000 listed" {
		t.Fatalf("sighted %s", b.kinds())
	}
	o := b.observations[1]
	if s := o.Sightings[0]; !s.EndTime.Equal(end) || s.Answer == nil || o.Number.Poll != 2 || o.AskedAt.After(o.AnsweredAt) {
		t.Errorf("the end is told as %+v", o)
	}
	p.Pass(t.Context(), b.ask(ids...))
	if s := b.observations[2].Sightings[0]; !s.EndTime.Equal(end) || s.Answer != nil {
		t.Errorf("told again it is %+v", s)
	}
	if len(source.lookups) != 1 {
		t.Errorf("lookups %v", source.lookups)
	}
}

// TestNobodyWaitsForTheExactEnd has the others told at once, and lookups that
// hang end the pass.
func TestNobodyWaitsForTheExactEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(40)
		for _, id := range ids[:20] {
			source.raw[id] = "ended " + id
			source.sick[id] = fault{class: ClassTransient}
		}
		source.took = 10 * time.Second
		b := &book{}
		began := time.Now()
		ask := b.ask(ids...)
		emit := ask.Emit
		ask.Emit = func(ctx context.Context, o rollcall.Observation) error {
			if time.Since(began) > source.took || len(o.Sightings) != 20 {
				t.Errorf("%d are told after %v", len(o.Sightings), time.Since(began))
			}
			return emit(ctx, o)
		}
		p := &Poller{Source: source}
		report := p.Pass(t.Context(), ask)
		if len(source.lookups) != mostFailures || len(report.Unanswered) != 20 || report.State != StateOK {
			t.Errorf("%d lookups, report %+v", len(source.lookups), report)
		}
	})
}

// TestEndWaitsForItsTime walks what can come between an end and its time: how
// many questions it is worth, and whether the time is told.
func TestEndWaitsForItsTime(t *testing.T) {
	end := instant("2026-11-23T09:00:00Z")
	ended := Standing{Status: rollcall.StatusEnded, EndTime: end}
	for name, c := range map[string]struct {
		script  []error // of the lookups
		after   Standing
		passes  int
		lookups int
		exact   bool
	}{
		"told":       {nil, ended, 1, 1, true},
		"not said":   {nil, Standing{Status: rollcall.StatusEnded}, 1, 1, false},
		"denied":     {nil, Standing{Status: rollcall.StatusStarted, EndTime: end}, 1, 1, false},
		"unknown":    {[]error{fault{class: ClassUnknown}}, ended, 1, 1, false},
		"bad":        {[]error{fault{class: ClassBadRequest}}, ended, 1, 1, false},
		"passing":    {[]error{fault{class: ClassTransient}, fault{class: ClassPermission}, fault{class: ClassMalformed}}, ended, 4, 4, true},
		"throttled":  {[]error{fault{class: ClassThrottled}}, ended, 2, 2, true},
		"no token":   {[]error{fault{class: ClassToken}}, ended, 2, 2, true},
		"quota":      {[]error{fault{class: ClassQuota}}, ended, 1, 1, false},
		"never told": {slices.Repeat([]error{fault{class: ClassPermission}}, 9), ended, mostTries, mostTries, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, ids := healthy(2)
				source.raw["m000"] = "ended m000"
				source.standing["m000"] = c.after
				source.lookupScript = c.script
				p, b := &Poller{Source: source}, &book{}
				for pass := range c.passes {
					if all := b.sightings(t); all["m000"].Kind != 0 {
						t.Fatalf("told after %d passes", pass)
					}
					b.observations = nil
					p.Pass(t.Context(), b.ask(ids...))
					wait.For(t.Context(), time.Minute)
				}
				s, told := b.sightings(t)["m000"]
				if !told || s.Kind != rollcall.SightingListed || s.EndTime.Equal(end) != c.exact || !c.exact && !s.EndTime.IsZero() {
					t.Errorf("told as %+v", s)
				}
				if len(source.lookups) != c.lookups {
					t.Errorf("%d lookups", len(source.lookups))
				}
			})
		})
	}
}

// TestEndIsToldInTheEnd keeps the tenant from calling right after the query.
func TestEndIsToldInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(2)
		source.raw["m000"] = "ended m000"
		source.lookupScript = []error{fault{class: ClassToken}}
		p, b := &Poller{Source: source}, &book{}
		p.Pass(t.Context(), b.ask(ids...))
		asked := time.Now()
		source.forever = fault{class: ClassToken}
		for time.Since(asked) <= mostPatience {
			if b.kinds() != "m001 listed" {
				t.Fatalf("after %v: %s", time.Since(asked), b.kinds())
			}
			p.Pass(t.Context(), b.ask(ids...))
			wait.For(t.Context(), 15*time.Second)
		}
		p.Pass(t.Context(), b.ask(ids...))
		p.Pass(t.Context(), b.ask(ids...))
		if b.kinds() != "m001 listed, m000 listed" || !b.observations[1].AskedAt.Equal(asked) {
			t.Errorf("told %s", b.kinds())
		}
	})
}

func TestEndThatIsNoneAnyMore(t *testing.T) {
	for _, c := range []string{"reopened", "another claim", "the pass is over"} {
		t.Run(c, func(t *testing.T) {
			source, ids := healthy(2)
			source.raw["m000"] = "ended m000"
			source.lookupScript = []error{fault{class: ClassTransient}}
			p, b := &Poller{Source: source}, &book{}
			p.Pass(t.Context(), b.ask(ids...))
			source.raw["m000"] = "started m000"
			source.standing["m000"] = Standing{Status: rollcall.StatusStarted}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			switch c {
			case "another claim":
				source.standing["m000"] = Standing{Status: rollcall.StatusEnded}
				b.term = 2
			case "the pass is over":
				cancel()
			}
			p.Pass(ctx, b.ask(ids...))
			for _, o := range b.observations {
				for _, s := range o.Sightings {
					if s.ConferenceID == "m000" {
						t.Errorf("the end is told: %+v", s)
					}
				}
			}
			b.observations = nil
			p.Pass(t.Context(), b.ask(ids...))
			s := b.sightings(t)["m000"]
			if s.Answer == nil || s.Answer.Status != rollcall.StatusStarted {
				t.Errorf("told as %+v", s)
			}
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
		if report.Calls > map[int]int{0: 9, 31: 9, 63: 8}[one] || len(source.lookups) != 1 || report.Answered != 64 {
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
		if report.Calls != source.calls() {
			rt.Fatalf("%d calls; %+v", source.calls(), report)
		}
		if most := mostCalls(ids, size, source.closed); report.Calls > most {
			rt.Fatalf("%d calls, more than %d", report.Calls, most)
		}
		for i := 1; i < len(b.observations); i++ {
			if !b.observations[i].Number.After(b.observations[i-1].Number) {
				rt.Fatalf("number %v is emitted after %v", b.observations[i].Number, b.observations[i-1].Number)
			}
		}
	})
}

// mostCalls bounds what the ended meetings of a pass may cost: for each one the
// halving, its lookup and a query of those after it; where there are several,
// as much once more for asking about each one that is left; and never more than
// twice what asking about each one costs.
func mostCalls(ids []string, size int, ended map[string]bool) int {
	most := 0
	for batch := range slices.Chunk(ids, size) {
		k, n := 0, len(batch)
		for _, id := range batch {
			if ended[id] {
				k++
			}
		}
		h, more := halvings(n), 0
		if k > 1 {
			more = k*h + 1
		}
		most += 1 + min(k*(h+2)+more, 2*(n+h+1))
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
			// One that was accepted may be asked once more, to see whether that still holds.
			if key := fmt.Sprint(q); seen[key] && (len(q) > 1 || source.bad[q[0]]) {
				rt.Fatalf("asked twice about %v", q)
			} else {
				seen[key] = true
			}
		}
		if report.Answered != n-len(source.bad) || len(report.Unanswered) != len(source.bad) {
			rt.Fatalf("report %+v with %d bad", report, len(source.bad))
		}
		guilty := len(source.bad)
		if n > 1 && guilty == n { // what meets everybody is about nobody
			guilty = 0
		}
		if len(p.Quarantined()) != guilty {
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
		if report.State != StateOK || source.calls() != 3 { // one took the place of the one that was overdue
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

// TestOnlyWhatIsUnknownIsMissed lets lookups fail in every other way.
func TestOnlyWhatIsUnknownIsMissed(t *testing.T) {
	for class := ClassToken; class <= ClassMalformed; class++ {
		synctest.Test(t, func(t *testing.T) {
			source, ids := healthy(3)
			delete(source.raw, "m001")
			source.sick["m001"] = fault{class: class}
			b := &book{}
			(&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
			if missed := b.sightings(t)["m001"].Kind == rollcall.SightingMissed; missed != (class == ClassUnknown) {
				t.Errorf("%v: missed is %v", class, missed)
			}
		})
	}
}

// TestEndThatWasNotReachedIsFoundAgain ends a pass before the end is told.
func TestEndThatWasNotReachedIsFoundAgain(t *testing.T) {
	source, ids := healthy(2)
	source.raw["m000"] = "ended m000"
	source.standing["m000"] = Standing{Status: rollcall.StatusEnded, EndTime: instant("2026-11-23T09:00:00Z")}
	p, b := &Poller{Source: source}, &book{}
	ctx, cancel := context.WithCancel(t.Context())
	ask := b.ask(ids...)
	emit := ask.Emit
	ask.Emit = func(ctx context.Context, o rollcall.Observation) error { cancel(); return emit(ctx, o) }
	p.Pass(ctx, ask)
	if b.kinds() != "m001 listed" {
		t.Fatalf("sighted %s", b.kinds())
	}
	p.Pass(t.Context(), b.ask(ids...))
	if last := b.observations[len(b.observations)-1].Sightings[0]; last.Answer == nil || last.EndTime.IsZero() {
		t.Errorf("then told as %+v", last)
	}
}

// TestPassOwnsItsBytes lets the source use its buffer again, and a meeting's
// bytes be a piece of a large answer.
func TestPassOwnsItsBytes(t *testing.T) {
	buffer := []byte("one large answer")
	source := steady{map[string]Found{"a": {ConferenceID: "a", Raw: buffer[:3]}}}
	p, b := &Poller{Source: source}, &book{}
	p.Pass(t.Context(), b.ask("a"))
	copy(buffer, "two")
	p.Pass(t.Context(), b.ask("a"))
	first, second := b.observations[0].Sightings[0], b.observations[1].Sightings[0]
	if string(first.Raw) != "one" || string(second.Raw) != "two" || second.Answer == nil {
		t.Errorf("sighted %s, then %s", first.Raw, second.Raw)
	}
}
