package poller

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/time/rate"

	"rollcall"
	"rollcall/internal/wait"
)

func TestTransientFaultsAreTriedOnceMore(t *testing.T) {
	for _, class := range []Class{ClassTransient, ClassMalformed} {
		synctest.Test(t, func(t *testing.T) {
			source, ids := healthy(1)
			source.script = []error{fault{class: class}}
			b := &book{}
			report := (&Poller{Source: source}).Pass(t.Context(), b.ask(ids...))
			if report.Answered != 1 || report.Calls != 2 || report.State != StateOK {
				t.Errorf("report %+v", report)
			}
			if pause := source.at[1].Sub(source.at[0]); pause < retries().First || pause > retries().Most {
				t.Errorf("tried again after %v", pause)
			}
			if b.observations[0].Number.Poll != 2 || !b.observations[0].AskedAt.Equal(source.at[1].Truncate(time.Millisecond)) {
				t.Errorf("the second try goes under number %v", b.observations[0].Number)
			}
		})
	}
}

func TestPassGivesUpAfterThreeFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(10)
		source.forever = fault{class: ClassTransient}
		b := &book{}
		p := &Poller{Source: source, BatchSize: 1}
		report := p.Pass(t.Context(), b.ask(ids...))
		if source.calls() != 6 || len(report.Unanswered) != 10 || report.State != StateAway || report.Good {
			t.Errorf("%d calls, report %+v", source.calls(), report)
		}
		source.forever = nil
		if report = p.Pass(t.Context(), b.ask(ids...)); report.Answered != 10 || report.State != StateOK {
			t.Errorf("report %+v", report)
		}
	})
}

func TestPassGoesOnAfterAFailedBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(8)
		gone := fault{class: ClassTransient}
		source.script = []error{gone, gone, gone, gone, nil, gone, gone, gone, gone}
		b := &book{}
		report := (&Poller{Source: source, BatchSize: 1}).Pass(t.Context(), b.ask(ids...))
		if report.Answered != 4 || len(report.Unanswered) != 4 || report.State != StateOK || !report.Good {
			t.Errorf("report %+v", report)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(1)
		source.script = []error{fault{ClassTransient, 3 * time.Second}}
		p, b := &Poller{Source: source}, &book{}
		p.Pass(t.Context(), b.ask(ids...))
		if pause := source.at[1].Sub(source.at[0]); pause != 3*time.Second {
			t.Errorf("tried again after %v", pause)
		}
		source.script = []error{fault{ClassTransient, time.Minute}}
		report := p.Pass(t.Context(), b.ask(ids...))
		if len(source.at) != 3 || report.State != StateAway || !report.Until.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("%d calls, report %+v", len(source.at), report)
		}
		wait.For(t.Context(), time.Minute)
		if report = p.Pass(t.Context(), b.ask(ids...)); report.State != StateOK {
			t.Errorf("report %+v", report)
		}
	})
}

// TestHolds walks the classes that hold a tenant back: the shortest and the
// longest hold, and the state they show.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		class       Class
		state       string
		first, most time.Duration
	}{
		{ClassThrottled, StateThrottled, time.Second, time.Minute},
		{ClassToken, StateAuth, time.Second, time.Minute},
		{ClassPermission, StateAuth, 15 * time.Second, 5 * time.Minute},
		{ClassBlocked, StateThrottled, 5 * time.Minute, 5 * time.Minute},
	} {
		t.Run(c.class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, ids := healthy(300)
				p, b := &Poller{Source: source}, &book{}
				held := c.first
				for round := range 12 {
					source.script = []error{nil, fault{class: c.class}}
					if round > 0 {
						source.script = source.script[1:]
					}
					report := p.Pass(t.Context(), b.ask(ids...))
					held = time.Until(report.Until)
					if report.State != c.state || held < c.first || held > c.most {
						t.Fatalf("round %d: held for %v, report %+v", round, held, report)
					}
					if round == 0 && (len(report.Unanswered) != 200 || held > 2*c.first) {
						t.Fatalf("held for %v, %d unanswered", held, len(report.Unanswered))
					}
					expectSilence(t, p, source, ids, c.class)
					wait.For(t.Context(), held)
				}
				if held != c.most {
					t.Errorf("the hold grows to %v", held)
				}
				if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 300 || !report.Until.IsZero() {
					t.Errorf("report %+v", report)
				}
				source.script = []error{fault{class: c.class}}
				if report := p.Pass(t.Context(), b.ask(ids...)); time.Until(report.Until) > 2*c.first {
					t.Errorf("after a success the hold is %v", time.Until(report.Until))
				}
			})
		})
	}
}

// expectSilence makes a pass of another shard, which must not call.
func expectSilence(t *testing.T, p *Poller, source *fakeSource, ids []string, class Class) {
	t.Helper()
	calls, b := source.calls(), &book{shard: 7}
	report := p.Pass(t.Context(), b.ask(ids...))
	if source.calls() != calls || b.poll != 0 || report.Calls != 0 {
		t.Fatalf("a held tenant calls: %+v", report)
	}
	if len(report.Unanswered) != len(ids) || report.Unanswered[ids[0]] != class || report.Err == nil || report.Good || report.Until.IsZero() {
		t.Fatalf("report %+v", report)
	}
}

func TestThrottleAsksForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for asked, want := range map[time.Duration]time.Duration{40 * time.Second: 40 * time.Second, time.Hour: longestAsked} {
			source, ids := healthy(1)
			source.script = []error{fault{ClassThrottled, asked}}
			report := (&Poller{Source: source}).Pass(t.Context(), (&book{}).ask(ids...))
			if got := time.Until(report.Until); got != want {
				t.Errorf("asked to wait %v, waits %v", asked, got)
			}
		}
	})
}

func TestQuotaHoldsUntilTheMonthEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a bubble begins at 2000-01-01T00:00:00Z
		source, ids := healthy(1)
		source.forever = fault{class: ClassQuota}
		p, b := &Poller{Source: source}, &book{}
		report := p.Pass(t.Context(), b.ask(ids...))
		if want := instant("2000-02-01T00:00:00+08:00"); !report.Until.Equal(want) || report.State != StateQuota {
			t.Errorf("report %+v", report)
		}
		expectSilence(t, p, source, ids, ClassQuota)
		source.forever = nil
		p.Resume()
		if report = p.Pass(t.Context(), b.ask(ids...)); report.State != StateOK || report.Answered != 1 {
			t.Errorf("report %+v", report)
		}
	})
}

func TestNextMonthIsChinas(t *testing.T) {
	for now, want := range map[string]string{
		"2026-11-30T15:59:59Z": "2026-12-01T00:00:00+08:00",
		"2026-11-30T16:00:00Z": "2027-01-01T00:00:00+08:00",
		"2026-12-31T12:00:00Z": "2027-01-01T00:00:00+08:00",
	} {
		if got := nextMonth(instant(now)); !got.Equal(instant(want)) {
			t.Errorf("after %s the month begins at %v", now, got)
		}
	}
}

func TestBlockedAddressSilencesEveryTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var address Egress
		first, ids := healthy(1)
		second, _ := healthy(1)
		first.script = []error{fault{class: ClassBlocked}}
		a, b := &Poller{Source: first, Egress: &address}, &Poller{Source: second, Egress: &address}
		a.Pass(t.Context(), (&book{}).ask(ids...))
		expectSilence(t, b, second, ids, ClassBlocked)
		b.Resume()
		expectSilence(t, b, second, ids, ClassBlocked)
		wait.For(t.Context(), blockLasts)
		if report := b.Pass(t.Context(), (&book{}).ask(ids...)); report.Answered != 1 {
			t.Errorf("report %+v", report)
		}
	})
}

func TestHoldIsNotShortened(t *testing.T) {
	now := instant("2026-11-23T09:00:00Z")
	var h cooldown
	h.strike(now, ClassQuota, now.Add(time.Hour), fault{class: ClassQuota})
	h.strike(now, ClassThrottled, now.Add(time.Second), fault{class: ClassThrottled})
	if h.class != ClassQuota || !h.until.Equal(now.Add(time.Hour)) {
		t.Errorf("hold %+v", h)
	}
	h = cooldown{}
	h.strike(now, ClassThrottled, now.Add(time.Second), nil)
	h.strike(now, ClassThrottled, now.Add(2*time.Second), nil)
	if h.strikes != 1 || !h.until.Equal(now.Add(2*time.Second)) {
		t.Errorf("two questions under way together strike twice: %+v", h)
	}
}

func TestSeveralShardsShareOnePoller(t *testing.T) {
	source, ids := healthy(400)
	p := &Poller{Source: source, BatchSize: 10}
	done := make(chan Report)
	for shard := range 4 {
		go func() {
			b := &book{shard: shard}
			p.Pass(t.Context(), b.ask(ids[shard*100:shard*100+100]...))
			done <- p.Pass(t.Context(), b.ask(ids[shard*100:shard*100+100]...))
		}()
	}
	for range 4 {
		if report := <-done; report.Answered != 100 || report.Unchanged != 100 {
			t.Errorf("report %+v", report)
		}
	}
}

// TestWaitingQuestionsSeeANewHold lets one shard meet a throttle while another
// waits for the limiter.
func TestWaitingQuestionsSeeANewHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(20)
		source.script, source.took = []error{fault{class: ClassQuota}}, 500*time.Millisecond
		p := &Poller{Source: source, Limiter: rate.NewLimiter(1, 1)}
		done := make(chan Report)
		for shard := range 2 {
			go func() {
				b := &book{shard: shard}
				done <- p.Pass(t.Context(), b.ask(ids[shard*10:shard*10+10]...))
			}()
		}
		for range 2 {
			if report := <-done; report.State != StateQuota || len(report.Unanswered) != 10 {
				t.Errorf("report %+v", report)
			}
		}
		if source.calls() != 1 {
			t.Errorf("%d calls", source.calls())
		}
	})
}

func TestCancelEndsWaiting(t *testing.T) {
	for name, p := range map[string]*Poller{
		"limiter": {Limiter: rate.NewLimiter(0.01, 1)},
		"retry":   {},
		"budget": {Spend: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, ids := healthy(2)
				p.Source, p.BatchSize = source, 1
				if name == "retry" {
					source.forever = fault{ClassTransient, retries().Most}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				report := p.Pass(ctx, (&book{}).ask(ids...))
				if time.Since(began) > time.Second || report.Err == nil || report.Asked == report.Answered || report.State == StateQuota {
					t.Errorf("after %v: %+v", time.Since(began), report)
				}
			})
		})
	}
}

func TestFailureIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(1)
		p, b := &Poller{Source: source}, &book{}
		for _, class := range []Class{ClassPermission, ClassTransient, ClassPermission} {
			source.forever = fault{class: class}
			p.Pass(t.Context(), b.ask(ids...))
			wait.For(t.Context(), time.Minute)
		}
		if p.gate().tenant.strikes != 2 {
			t.Errorf("hold %+v", p.gate().tenant)
		}
	})
}

// TestThrottleIsThatOfOneOperation throttles lookups and lets queries go on, and
// the other way round.
func TestThrottleIsThatOfOneOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(3)
		delete(source.raw, "m001")
		delete(source.raw, "m002")
		source.standing["m002"] = Standing{Status: rollcall.StatusEnded}
		source.lookupScript = []error{fault{ClassThrottled, 30 * time.Second}}
		p, b := &Poller{Source: source}, &book{}
		for range 2 {
			report := p.Pass(t.Context(), b.ask(ids...))
			if report.Answered != 1 || report.Unanswered["m002"] != ClassThrottled || report.State != StateThrottled || report.Until.IsZero() {
				t.Errorf("report %+v", report)
			}
		}
		if len(source.lookups) != 1 || len(source.queries) != 2 {
			t.Errorf("%d lookups, %d queries", len(source.lookups), len(source.queries))
		}
		wait.For(t.Context(), 30*time.Second)
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 3 || report.State != StateOK || !report.Until.IsZero() {
			t.Errorf("report %+v", report)
		}
	})
}

// TestRevocationQuarantinesNobody takes the permission away between the query
// and the lookups that follow from it.
func TestRevocationQuarantinesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(50)
		for _, id := range ids[1:] {
			delete(source.raw, id)
			source.standing[id] = Standing{Status: rollcall.StatusEnded}
		}
		source.script = append([]error{nil}, slices.Repeat([]error{fault{class: ClassPermission}}, 10)...)
		p, b := &Poller{Source: source}, &book{}
		report := p.Pass(t.Context(), b.ask(ids...))
		if report.State != StateAuth || len(source.lookups) != mostAlike || len(report.Unanswered) != 49 {
			t.Errorf("%d lookups, report %+v", len(source.lookups), report)
		}
		for len(source.script) > 0 {
			if report = p.Pass(t.Context(), b.ask(ids...)); len(p.Quarantined()) != 0 || report.State != StateAuth {
				t.Fatalf("quarantined %v, report %+v", p.Quarantined(), report)
			}
			wait.For(t.Context(), 5*time.Minute)
		}
		if report = p.Pass(t.Context(), b.ask(ids...)); report.Answered != 50 {
			t.Errorf("report %+v", report)
		}
	})
}

// TestTenantsTroubleIsToldOnce has several shards meet it and recover.
func TestTenantsTroubleIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		source, ids := healthy(40)
		p := &Poller{Source: source, Logger: zap.New(core)}
		pass := func() {
			for shard := range 4 {
				p.Pass(t.Context(), (&book{shard: shard}).ask(ids[10*shard:10*shard+10]...))
			}
		}
		for _, class := range []Class{ClassQuota, ClassPermission} {
			source.forever = fault{class: class}
			pass()
			pass()
			source.forever = nil
			p.Resume()
			pass()
			pass()
		}
		var got []string
		for _, entry := range logs.All() {
			got = append(got, entry.Level.String()+" "+entry.Message)
		}
		once := []string{"error polling fails", "info calls are resumed by an operator", "info polling works again"}
		if diff := cmp.Diff(slices.Concat(once, once), got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestResumeTellsWhatItEnded(t *testing.T) {
	source, ids := healthy(1)
	var held []string
	p := &Poller{Source: source, Metrics: Metrics{Held: func(class Class, until time.Time) {
		held = append(held, fmt.Sprint(class, " ", until.IsZero()))
	}}}
	if was := p.Resume(); was != ClassNone || len(held) != 0 {
		t.Errorf("it ended %v, told %v", was, held)
	}
	source.script = []error{fault{class: ClassQuota}}
	p.Pass(t.Context(), (&book{}).ask(ids...))
	if was := p.Resume(); was != ClassQuota || !slices.Equal(held, []string{"quota false", "quota true"}) {
		t.Errorf("it ended %v, told %v", was, held)
	}
}

// TestQuestionsOutsideTheScheduleLeaveNothing asks as an operator does.
func TestQuestionsOutsideTheScheduleLeaveNothing(t *testing.T) {
	source, ids := healthy(2)
	source.bad["m001"] = true
	source.raw["m000"] = "ended m000"
	source.sick["m000"] = fault{class: ClassTransient}
	p, b := &Poller{Source: source}, &book{shard: -1}
	for range 2 {
		report := p.Pass(t.Context(), b.ask(ids...))
		if len(report.Unanswered) != 2 || len(report.Apart) != 0 || len(p.Quarantined()) != 0 || len(p.shards) != 0 {
			t.Errorf("quarantined %v, report %+v", p.Quarantined(), report)
		}
	}
	if source.decoded != 2 {
		t.Errorf("decoded %d times", source.decoded)
	}
}

func TestReportSaysWhatTheTroubleIs(t *testing.T) {
	until := instant("2026-11-23T09:00:00Z")
	r := Report{
		Unanswered: map[string]Class{"a": ClassThrottled, "b": ClassBadRequest, "c": ClassNone},
		Apart:      map[string]time.Time{"b": until},
	}
	for id, want := range map[string]string{
		"a": "throttled", "b": "refused even by itself (bad_request); asked about again at 2026-11-23T09:00:00Z", "c": "", "d": "",
	} {
		if got := r.Trouble(id); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}
