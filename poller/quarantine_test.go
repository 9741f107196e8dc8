package poller

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/internal/wait"
)

func TestQuarantineGrowsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(64)
		source.bad["m005"] = true
		p, b := &Poller{Source: source}, &book{}
		for _, held := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			report := p.Pass(t.Context(), b.ask(ids...))
			if report.Answered != 63 || report.Unanswered["m005"] != ClassBadRequest || report.State != StateOK {
				t.Fatalf("report %+v", report)
			}
			list := p.Quarantined()
			if len(list) != 1 || list[0].ConferenceID != "m005" || time.Until(list[0].Until) != held*time.Minute {
				t.Fatalf("quarantined %v", list)
			}
			wait.For(t.Context(), held*time.Minute-time.Second)
			before := source.calls()
			if report = p.Pass(t.Context(), b.ask(ids...)); report.Unanswered["m005"] != ClassBadRequest || source.calls() != before+1 {
				t.Fatalf("asked in quarantine: %+v", report)
			}
			wait.For(t.Context(), time.Second)
		}
		source.bad = nil
		before := source.calls()
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 64 || source.calls() != before+2 {
			t.Errorf("report %+v", report)
		}
		if p.Quarantined(); len(p.Quarantined()) != 0 {
			t.Errorf("quarantined %v", p.Quarantined())
		}
	})
}

func TestQuarantineForgetsWhatIsNotAsked(t *testing.T) {
	source, ids := healthy(2)
	source.bad["m000"] = true
	p := &Poller{Source: source}
	p.Pass(t.Context(), (&book{shard: 1}).ask(ids...))
	p.Pass(t.Context(), (&book{shard: 2}).ask())
	if len(p.Quarantined()) != 1 {
		t.Error("another shard empties the quarantine")
	}
	p.Pass(t.Context(), (&book{shard: 1}).ask("m001"))
	if len(p.Quarantined()) != 0 {
		t.Error("a meeting that is not asked about stays in quarantine")
	}
	p.Pass(t.Context(), (&book{shard: 1}).ask("m000"))
	if p.forget(1); len(p.Quarantined()) != 0 {
		t.Error("a forgotten shard keeps its quarantine")
	}
}

// TestWaitingInQuarantineIsBlindness has the only meeting in quarantine.
func TestWaitingInQuarantineIsBlindness(t *testing.T) {
	source, _ := healthy(1)
	source.bad["m000"] = true
	p, b := &Poller{Source: source}, &book{}
	if report := p.Pass(t.Context(), b.ask("m000")); report.Good || report.Err == nil {
		t.Errorf("report %+v", report)
	}
	report := p.Pass(t.Context(), b.ask("m000"))
	if report.Good || report.State != StateAway || report.Calls != 0 || len(report.Unanswered) != 1 || report.Err == nil {
		t.Errorf("report %+v", report)
	}
}

func TestLookupRefusedAsBadIsQuarantined(t *testing.T) {
	source, ids := healthy(2)
	delete(source.raw, "m001")
	source.sick["m001"] = fault{class: ClassBadRequest}
	p := &Poller{Source: source}
	report := p.Pass(t.Context(), (&book{}).ask(ids...))
	if len(p.Quarantined()) != 1 || report.Unanswered["m001"] != ClassBadRequest {
		t.Errorf("report %+v", report)
	}
}

func TestTooLargeBatchesAreLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(100)
		source.largest = 30
		p, b := &Poller{Source: source}, &book{}
		if p.BatchLimit() != 100 {
			t.Errorf("limit %d at first", p.BatchLimit())
		}
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 100 || p.BatchLimit() != 25 {
			t.Errorf("limit %d, report %+v", p.BatchLimit(), report)
		}
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Calls != 4 || len(p.Quarantined()) != 0 {
			t.Errorf("report %+v", report)
		}
		wait.For(t.Context(), learnedLasts)
		if p.BatchLimit() != 100 {
			t.Errorf("limit %d for good", p.BatchLimit())
		}
	})
}

func TestLimitIsNotLearnedFromOneBadMeeting(t *testing.T) {
	source, ids := healthy(64)
	source.bad["m020"] = true
	p := &Poller{Source: source}
	if p.Pass(t.Context(), (&book{}).ask(ids...)); p.BatchLimit() != 100 {
		t.Errorf("limit %d", p.BatchLimit())
	}
}

func TestNegativeBatchSizeIsTheDefault(t *testing.T) {
	if got := (&Poller{BatchSize: -1}).BatchLimit(); got != DefaultBatchSize {
		t.Errorf("limit %d", got)
	}
}

// TestEverythingRefusedIsTheTenants has a refusal without a known code meet all
// meetings for a while.
func TestEverythingRefusedIsTheTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, before := range []bool{true, false} { // whether they were answered before
			core, logs := observer.New(zap.InfoLevel)
			source, ids := healthy(500)
			p, b := &Poller{Source: source, Logger: zap.New(core)}, &book{}
			const tick = 15 * time.Second
			if before {
				p.Pass(t.Context(), b.ask(ids...))
				wait.For(t.Context(), tick)
			}
			source.forever = fault{class: ClassBadRequest}
			calls := source.calls()
			for range 40 {
				report := p.Pass(t.Context(), b.ask(ids...))
				if report.State != StateAway || report.Good || len(report.Unanswered) != 500 || len(p.Quarantined()) != 0 {
					t.Fatalf("report %+v, %d quarantined", report.State, len(p.Quarantined()))
				}
				wait.For(t.Context(), tick)
			}
			if n := source.calls() - calls; n > 1+mostSamples+40 {
				t.Errorf("%d calls in 40 passes", n)
			}
			if n := logs.FilterMessage("polling fails").Len(); n != 1 || logs.FilterMessageSnippet("quarantine").Len() != 0 {
				t.Errorf("logged %v", logs.All())
			}
			source.forever = nil
			answered := 0
			for range 2 {
				answered = max(answered, p.Pass(t.Context(), b.ask(ids...)).Answered)
				wait.For(t.Context(), tick)
			}
			if answered != 500 {
				t.Errorf("%d answered within two passes after it is over", answered)
			}
		}
	})
}

func TestTheOnlyMeetingIsNotBlamedForWhatItWasNot(t *testing.T) {
	source, ids := healthy(1)
	p, b := &Poller{Source: source}, &book{}
	p.Pass(t.Context(), b.ask(ids...))
	source.forever = fault{class: ClassBadRequest}
	if report := p.Pass(t.Context(), b.ask(ids...)); report.State != StateAway || len(p.Quarantined()) != 0 {
		t.Errorf("report %+v", report)
	}
}

// TestRefusalThatBeginsInAPass has the first batch answered and everything else refused.
func TestRefusalThatBeginsInAPass(t *testing.T) {
	source, ids := healthy(300)
	source.script = []error{nil}
	source.forever = fault{class: ClassBadRequest}
	p, b := &Poller{Source: source}, &book{}
	if report := p.Pass(t.Context(), b.ask(ids...)); source.calls() != 3 || report.State == StateOK || len(p.Quarantined()) != 0 {
		t.Errorf("%d calls, state %s, %d quarantined", source.calls(), report.State, len(p.Quarantined()))
	}
}

// TestManyBadMeetingsAreFound has whole batches that nobody in can vouch for.
func TestManyBadMeetingsAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(300)
		for _, id := range ids[:200] {
			source.bad[id] = true
		}
		p, b := &Poller{Source: source}, &book{}
		for range 40 {
			p.Pass(t.Context(), b.ask(ids...))
			wait.For(t.Context(), 15*time.Second)
		}
		wait.For(t.Context(), time.Hour)
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 100 || len(p.Quarantined()) != 200 {
			t.Errorf("%d answered, %d quarantined, %v", report.Answered, len(p.Quarantined()), report.State)
		}
	})
}

func TestManySuspectsDoNotEndAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(60)
		for _, id := range ids[:50] {
			source.bad[id] = true
		}
		p, b := &Poller{Source: source, BatchSize: 4}, &book{}
		for range 30 { // whole batches of them look like everybody at first
			p.Pass(t.Context(), b.ask(ids...))
			wait.For(t.Context(), time.Second)
		}
		if len(p.Quarantined()) != 50 {
			t.Fatalf("%d quarantined", len(p.Quarantined()))
		}
		wait.For(t.Context(), time.Hour)
		delete(source.raw, "m059")
		if report := p.Pass(t.Context(), b.ask(ids...)); report.Answered != 10 || len(source.lookups) != 1 {
			t.Errorf("report %s", fmt.Sprint(report))
		}
	})
}

func TestMeetingOutOfBoundsHoldsNobodyBack(t *testing.T) {
	source, ids := healthy(3)
	delete(source.raw, "m001")
	source.sick["m001"] = fault{class: ClassPermission}
	p, b := &Poller{Source: source}, &book{}
	for pass := range 3 {
		report := p.Pass(t.Context(), b.ask(ids...))
		if report.Answered != 2 || report.State != StateOK || report.Unanswered["m001"] != ClassPermission {
			t.Errorf("report %+v", report)
		}
		if apart := len(p.Quarantined()) == 1; apart != (pass > 0) || apart != (len(report.Apart) == 1) {
			t.Errorf("pass %d: quarantined %v, apart %v", pass, p.Quarantined(), report.Apart)
		}
	}
	if list := p.Quarantined(); len(source.lookups) != 2 || len(list) != 1 || list[0].Class != ClassPermission {
		t.Errorf("quarantined %v, lookups %v", list, source.lookups)
	}
}

func TestSpoilerThatGoesOnIsAskedAlone(t *testing.T) {
	source, ids := healthy(64)
	source.closed["m009"] = true
	source.standing["m009"] = Standing{Status: rollcall.StatusStarted}
	p, b := &Poller{Source: source}, &book{}
	p.Pass(t.Context(), b.ask(ids...))
	if report := p.Pass(t.Context(), b.ask(ids...)); report.Calls != 3 || report.Answered != 64 {
		t.Errorf("report %+v", report)
	}
	source.closed = nil
	p.Pass(t.Context(), b.ask(ids...))
	if report := p.Pass(t.Context(), b.ask(ids...)); report.Calls != 1 || report.Answered != 64 {
		t.Errorf("report %+v", report)
	}
}

func TestScatteredRefusalsDoNotEndAPass(t *testing.T) {
	source, ids := healthy(200)
	for i := 0; i < len(ids); i += 4 {
		source.bad[ids[i]] = true
	}
	report := (&Poller{Source: source, BatchSize: 4}).Pass(t.Context(), (&book{}).ask(ids...))
	if report.Answered != 150 || len(report.Unanswered) != 50 {
		t.Errorf("%d answered, %d unanswered", report.Answered, len(report.Unanswered))
	}
}

// TestEndedMeetingRests has the end of a meeting told and not stored yet.
func TestEndedMeetingRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(64)
		source.closed["m009"] = true
		delete(source.raw, "m011")
		for _, id := range []string{"m009", "m011"} {
			source.standing[id] = Standing{Status: rollcall.StatusEnded}
		}
		p, b := &Poller{Source: source}, &book{}
		p.Pass(t.Context(), b.ask(ids...))
		report := p.Pass(t.Context(), b.ask(ids...))
		if report.Calls != 1 || report.Answered != 62 || len(report.Unanswered) != 2 || report.Trouble("m009") != "" {
			t.Errorf("report %+v", report)
		}
		wait.For(t.Context(), endRests)
		if report = p.Pass(t.Context(), b.ask(ids...)); report.Calls != 4 || report.Answered != 64 {
			t.Errorf("report %+v", report)
		}
	})
}
