package poller

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

// farSource is a source to which a call takes long, and does not wait for another.
type farSource struct {
	*fakeSource
	takes func(ids []string) time.Duration

	mu          sync.Mutex
	flying, top int
}

func (s *farSource) Query(ctx context.Context, ids []string) (Answers, error) {
	s.mu.Lock()
	s.flying++
	s.top = max(s.top, s.flying)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.flying--
		s.mu.Unlock()
	}()
	select {
	case <-time.After(s.takes(ids)):
	case <-ctx.Done():
		return Answers{}, ctx.Err()
	}
	return s.fakeSource.Query(ctx, ids)
}

// far has n meetings, so many in a query, and an answer takes a while.
func far(n, batch int, takes time.Duration) (*Poller, *farSource, []string) {
	fake, ids := healthy(n)
	s := &farSource{fakeSource: fake, takes: func([]string) time.Duration { return takes }}
	return &Poller{Source: s, Tenant: "acme", BatchSize: batch}, s, ids
}

// TestAFarVendorIsAskedAsFastAsTheRateAllows has 20 calls a second, each of which
// takes 150 ms.
func TestAFarVendorIsAskedAsFastAsTheRateAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(400, 4, 150*time.Millisecond)
		p.Limiter = Evenly(20)
		var b book
		began := time.Now()
		report := p.Pass(t.Context(), b.ask(ids...))
		if took, want := time.Since(began), 100*time.Second/20+300*time.Millisecond; took > want {
			t.Errorf("100 calls took %v, want at most %v", took, want)
		}
		if report.Answered != 400 || report.Calls != 100 || s.top > 4 {
			t.Errorf("%d meetings answered in %d calls, %d under way at once", report.Answered, report.Calls, s.top)
		}
		for i, at := range s.at[1:] {
			if gap := at.Sub(s.at[i]); gap < 49*time.Millisecond {
				t.Fatalf("two calls within %v: the rate is not kept", gap)
			}
		}
	})
}

// TestOneCallIsUnderWayWhereThatIsEnough has an answer come before the next call
// is allowed, and no rate at all.
func TestOneCallIsUnderWayWhereThatIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, limited := range map[string]bool{"near": true, "without a rate": false} {
			p, s, ids := far(100, 5, 40*time.Millisecond)
			if limited {
				p.Limiter = Evenly(20)
			}
			for range 2 {
				var b book
				p.Pass(t.Context(), b.ask(ids...))
			}
			if s.top != 1 {
				t.Errorf("%s: %d calls at once", name, s.top)
			}
		}
	})
}

// TestASlowCallDelaysItsOwnMeetings has one of ten calls take twenty seconds. Passes
// follow every two, and do not ask about its meetings until it is over.
func TestASlowCallDelaysItsOwnMeetings(t *testing.T) {
	for _, inFlight := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			p, s, ids := far(100, 10, 0)
			p.InFlight = inFlight
			slow := true
			s.takes = func(ids []string) time.Duration {
				if ids[0] == "m010" && slow {
					slow = false
					return 20 * time.Second
				}
				return 100 * time.Millisecond
			}
			var b book
			ask := b.ask(ids...)
			var late sync.WaitGroup
			ask.Late = func() func() { late.Add(1); return late.Done }
			p.Pass(t.Context(), b.ask("m000")) // so much for how long a call takes
			began := time.Now()
			for pass := range 9 {
				time.Sleep(time.Until(began.Add(time.Duration(pass) * 3 * time.Second)))
				report := p.Pass(t.Context(), ask)
				if took := time.Since(began) % (3 * time.Second); took > 2500*time.Millisecond {
					t.Errorf("pass %d took %v", pass, took)
				}
				_, without := report.Unanswered["m010"]
				if wanted := pass < 7; without != wanted || report.Answered+len(report.Unanswered) != 100 || !report.Good || report.State != StateOK {
					t.Errorf("pass %d: %d answered, %d not, m010 without an answer: %v", pass, report.Answered, len(report.Unanswered), without)
				}
			}
			late.Wait()
			times := map[string]int{}
			for _, o := range b.observations {
				for _, s := range o.Sightings {
					times[s.ConferenceID]++
				}
			}
			if times["m005"] != 9 || times["m015"] != 3 {
				t.Errorf("m005 was answered %d times, m015 %d", times["m005"], times["m015"])
			}
			for _, at := range b.observations {
				if took := at.AnsweredAt.Sub(at.AskedAt); took > 19*time.Second && at.Sightings[0].ConferenceID != "m010" {
					t.Errorf("%s took %v", at.Sightings[0].ConferenceID, took)
				}
			}
		})
	}
}

// TestAReportIsNotChangedAfterwards has a call fail that the pass went on without.
func TestAReportIsNotChangedAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(100, 10, 0)
		s.takes = func(ids []string) time.Duration {
			if ids[0] == "m010" {
				return 20 * time.Second
			}
			return 0
		}
		var b book
		var late sync.WaitGroup
		ask := b.ask(ids...)
		ask.Late = func() func() { late.Add(1); return late.Done }
		report := p.Pass(t.Context(), ask)
		s.fakeSource.mu.Lock()
		s.forever = fault{class: ClassTransient}
		s.fakeSource.mu.Unlock()
		before := maps.Clone(report.Unanswered)
		late.Wait()
		if !maps.Equal(report.Unanswered, before) || len(before) != 10 || len(report.UnderWay) != 10 {
			t.Errorf("the report said %v, and says %v", before, report.Unanswered)
		}
	})
}

// TestAVendorThatIsSlowIsWaitedFor has most calls hang: the pass does not go on
// without them.
func TestAVendorThatIsSlowIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(40, 10, 0)
		p.InFlight = 4
		var b book
		p.Pass(t.Context(), b.ask(ids...))
		s.takes = func(ids []string) time.Duration {
			if ids[0] == "m000" {
				return 0
			}
			return 9 * time.Second
		}
		began := time.Now()
		if p.Pass(t.Context(), b.ask(ids...)); time.Since(began) != 9*time.Second {
			t.Errorf("the pass took %v", time.Since(began))
		}
	})
}

// TestCallsUnderWayEndWithThePass has the pass cancelled, and the vendor throttle.
func TestCallsUnderWayEndWithThePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(100, 10, time.Second)
		p.InFlight = 4
		var b book
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		report := p.Pass(ctx, b.ask(ids...))
		if report.Answered != 40 || len(report.Unanswered) != 0 {
			t.Errorf("%d answered, %v not; want the 40 of the first four calls", report.Answered, report.Unanswered)
		}
		var rest book
		report = p.Pass(t.Context(), rest.ask(ids...))
		first := []string{s.queries[4][0], s.queries[5][0], s.queries[6][0], s.queries[7][0]}
		if !slices.Contains(first, "m080") || !slices.Contains(first, "m090") || report.Answered != 100 {
			t.Errorf("the next pass begins with %v and answers %d", first, report.Answered)
		}
		s.script = []error{nil, fault{class: ClassThrottled, after: time.Minute}}
		calls := s.calls()
		var throttled book
		report = p.Pass(t.Context(), throttled.ask(ids...))
		if made := s.calls() - calls; made > 5 || report.State != StateThrottled {
			t.Errorf("%d calls and state %s after the vendor throttled one of four", made, report.State)
		}
	})
}

// TestSeveralCallsFindWhatOneFinds has any world in which some meetings are well
// polled with one call under way at a time, and with several: what is known in the
// end is the same.
func TestSeveralCallsFindWhatOneFinds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(rt, "meetings")
		batch := rapid.IntRange(1, 9).Draw(rt, "batch")
		inFlight := rapid.IntRange(2, 6).Draw(rt, "in flight")
		how := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "", "", "closed", "bad", "broken", "left out", "ended"}), n, n).Draw(rt, "how")
		n, how = n+4, append(how, "", "", "", "")
		seen := func(inFlight int) (known map[string]string) {
			synctest.Test(t, func(*testing.T) {
				p, s, ids := far(n, batch, 0)
				p.InFlight = inFlight
				s.takes = func(ids []string) time.Duration {
					return time.Duration(1+len(ids[0])+int(ids[0][len(ids[0])-1])%7) * time.Millisecond
				}
				for i, id := range ids {
					s.standing[id] = Standing{Status: rollcall.StatusStarted}
					switch how[i] {
					case "closed":
						s.closed[id], s.standing[id] = true, Standing{Status: rollcall.StatusEnded}
					case "bad":
						s.bad[id] = true
					case "broken":
						s.broken[id] = true
					case "left out":
						delete(s.raw, id)
					case "ended":
						s.raw[id], s.standing[id] = "ended "+id, Standing{Status: rollcall.StatusEnded}
					}
				}
				known = map[string]string{}
				for range 6 { // after some passes everything has been found
					var b book
					seen := map[string]int{}
					report := p.Pass(context.Background(), b.ask(ids...))
					for _, o := range b.observations {
						for _, s := range o.Sightings {
							if seen[s.ConferenceID]++; seen[s.ConferenceID] > 1 {
								rt.Errorf("%s is sighted twice in a pass: %s", s.ConferenceID, b.kinds())
							}
							known[s.ConferenceID] = "goes on"
							if s.Kind == rollcall.SightingEnded || bytes.HasPrefix(s.Raw, []byte("ended")) {
								known[s.ConferenceID] = "ended"
							}
						}
					}
					for id := range report.Apart {
						known[id] = "apart"
					}
					time.Sleep(10 * time.Second)
				}
			})
			return known
		}
		one, several := seen(1), seen(inFlight)
		if !maps.Equal(one, several) {
			for _, id := range slices.Sorted(maps.Keys(one)) {
				if one[id] != several[id] {
					rt.Errorf("%s: %q with one call at a time, %q with %d", id, one[id], several[id], inFlight)
				}
			}
			rt.Errorf("%d known with one, %d with several", len(one), len(several))
		}
	})
}

// TestSoManyCallsAreUnderWayAtMost has a vendor that takes a second for each call.
func TestSoManyCallsAreUnderWayAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(300, 1, time.Second)
		p.Limiter = Evenly(500)
		for range 2 {
			var b book
			p.Pass(t.Context(), b.ask(ids...))
		}
		if s.top != MostInFlight {
			t.Errorf("%d calls at once, want %d", s.top, MostInFlight)
		}
	})
}

// TestARefusalIsLookedIntoBeforeMoreIsAsked has everything refused alike, which shows
// with a few calls.
func TestARefusalIsLookedIntoBeforeMoreIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(1000, 10, 10*time.Millisecond)
		p.InFlight, s.forever = 4, fault{class: ClassBadRequest}
		var b book
		p.Pass(t.Context(), b.ask(ids...))
		if most := 4 + mostSamples; s.calls() > most {
			t.Errorf("%d calls, want at most %d", s.calls(), most)
		}
	})
}

// TestWhatTwoReasonsLeadToIsAskedOnce has a meeting that is over, and another that is
// bad: to see whether all are refused the first is asked about once more.
func TestWhatTwoReasonsLeadToIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(2, 1, time.Millisecond)
		s.closed[ids[0]], s.bad[ids[1]], s.standing[ids[0]] = true, true, Standing{Status: rollcall.StatusEnded}
		var b book
		p.Pass(t.Context(), b.ask(ids...))
		if len(s.lookups) != 1 || b.kinds() != "m000 ended" {
			t.Errorf("looked up %v, sighted %s", s.lookups, b.kinds())
		}
	})
}

// TestAnswersAreTakenSoon has answers taken slower than they could come: no more is
// under way than is taken soon.
func TestAnswersAreTakenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const call, take = 100 * time.Millisecond, 80 * time.Millisecond
		p, _, ids := far(400, 10, call)
		p.InFlight = 8
		var late time.Duration
		for range 3 {
			late = 0
			var b book
			ask := b.ask(ids...)
			ask.Emit = func(_ context.Context, o rollcall.Observation) error {
				late = max(late, time.Since(o.AnsweredAt))
				time.Sleep(take)
				return nil
			}
			p.Pass(t.Context(), ask)
		}
		if late > 2*take {
			t.Errorf("an answer waits %v to be taken", late)
		}
	})
}

// TestAnAnswerThatIsTakenLateIsNotOverdue has each answer come at once and be taken
// when its call would be overdue by now: the call after it is not for that.
func TestAnAnswerThatIsTakenLateIsNotOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(10, 1, 10*time.Millisecond)
		p.InFlight = 1
		var b book
		p.Pass(t.Context(), b.ask(ids[0])) // so much for how long a call takes
		ask := b.ask(ids...)
		ask.Emit = func(context.Context, rollcall.Observation) error {
			time.Sleep(2 * time.Second)
			return nil
		}
		if report := p.Pass(t.Context(), ask); report.Answered != 10 || s.top != 1 {
			t.Errorf("%d answered, %d asked at once", report.Answered, s.top)
		}
	})
}

// TestManyAreUnderWayAgainWhenAnswersAreTakenAtOnce has answers taken slowly for a
// while.
func TestManyAreUnderWayAgainWhenAnswersAreTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ids := far(400, 10, 100*time.Millisecond)
		p.InFlight = 8
		for _, take := range []time.Duration{time.Second, 0} {
			var b book
			ask := b.ask(ids...)
			ask.Emit = func(context.Context, rollcall.Observation) error { time.Sleep(take); return nil }
			s.top = 0
			p.Pass(t.Context(), ask)
		}
		if s.top != 8 {
			t.Errorf("%d calls at once in the second pass, want 8", s.top)
		}
	})
}

// TestATakerThatIsSlowMakesNoRoundTripLonger has an answer come within 10 ms, and
// taken after 300.
func TestATakerThatIsSlowMakesNoRoundTripLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, ids := far(100, 5, 10*time.Millisecond)
		p.InFlight = 2
		var b book
		ask := b.ask(ids...)
		ask.Emit = func(context.Context, rollcall.Observation) error { time.Sleep(300 * time.Millisecond); return nil }
		p.Pass(t.Context(), ask)
		if took := p.roundTrip.Now(); took != 10*time.Millisecond {
			t.Errorf("a call is taken to need %v", took)
		}
	})
}
