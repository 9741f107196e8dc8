package poller

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestLookupsAskAboutSingleMeetings holds that what seems to be over is looked
// up without a query.
func TestLookupsAskAboutSingleMeetings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ids := healthy(3)
		s.standing["m000"] = Standing{Status: 3}
		var b book
		ask := b.ask()
		ask.Shard, ask.Lookups = -1, []string{"m000", "gone", "gone"}
		p := &Poller{Source: s}
		report := p.Pass(t.Context(), ask)
		if len(s.queries) != 0 || len(s.lookups) != 2 || report.Asked != 2 || report.Answered != 2 {
			t.Errorf("%d queries, lookups of %v, %+v; the meetings are %v", len(s.queries), s.lookups, report, ids)
		}
		if got := b.kinds(); got != "gone missed, m000 ended" {
			t.Errorf("got %s", got)
		}
	})
}

func TestMeetingsOfAnotherTimeStayInQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ids := healthy(3)
		s.bad["m001"] = true
		var b book
		p := &Poller{Source: s}
		p.Pass(t.Context(), b.ask(ids...))
		ask := b.ask("m000")
		ask.Later = []string{"m001", "m002"}
		p.Pass(t.Context(), ask)
		if got := p.Quarantined(); len(got) != 1 || got[0].ConferenceID != "m001" {
			t.Errorf("in quarantine are %v", got)
		}
		p.Pass(t.Context(), b.ask("m000"))
		if got := p.Quarantined(); len(got) != 0 {
			t.Errorf("of no meeting any more: %v", got)
		}
	})
}

func TestCallKeepsTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ids := healthy(1)
		var ops []string
		p := &Poller{Source: s, Spend: func(_ context.Context, op string) error {
			if op == "dear" {
				return errors.New("nothing is left")
			}
			ops = append(ops, op)
			return nil
		}}
		var classes []Class
		p.Metrics.Called = func(_ string, class Class, _ time.Duration) { classes = append(classes, class) }
		made := 0
		call := func(err error) func(context.Context) error {
			return func(context.Context) error { made++; return err }
		}
		if err := p.Call(t.Context(), OpFind, call(nil)); err != nil || made != 1 || len(ops) != 1 {
			t.Errorf("%v after %d calls, spent %v", err, made, ops)
		}
		if err := p.Call(t.Context(), "dear", call(nil)); err == nil || made != 1 {
			t.Errorf("a call that is not granted: %v, %d made", err, made)
		}
		// What is not permitted here keeps nobody else from asking.
		if err := p.Call(t.Context(), OpFind, call(fault{class: ClassPermission})); ClassOf(err) != ClassPermission {
			t.Errorf("got %v", err)
		}
		var b book
		if report := p.Pass(t.Context(), b.ask(ids...)); report.State != StateOK || report.Answered != 1 {
			t.Errorf("after it %+v", report)
		}
		// A used up quota keeps everybody.
		if err := p.Call(t.Context(), OpFind, call(fault{class: ClassQuota})); ClassOf(err) != ClassQuota {
			t.Errorf("got %v", err)
		}
		before := made
		if err := p.Call(t.Context(), OpFind, call(nil)); err == nil || made != before {
			t.Errorf("a call with the quota used up: %v", err)
		}
		if report := p.Pass(t.Context(), b.ask(ids...)); report.State != StateQuota {
			t.Errorf("after it %+v", report)
		}
		if len(classes) != 4 {
			t.Errorf("the metrics saw %v", classes)
		}
	})
}

// TestAFurtherRequestIsAnother has a source send two requests for one call.
func TestAFurtherRequestIsAnother(t *testing.T) {
	for left, want := range map[int]struct {
		made, told int
		state      string
	}{1: {1, 1, StateQuota}, 2: {2, 2, StateOK}} {
		s, ids := healthy(1)
		source := &insistent{fakeSource: s}
		told := 0
		p := &Poller{
			Source: source, Metrics: Metrics{Called: func(string, Class, time.Duration) { told++ }},
			Spend: func(context.Context, string) error {
				if left--; left < 0 {
					return errors.New("nothing is left")
				}
				return nil
			},
		}
		report := p.Pass(t.Context(), (&book{}).ask(ids...))
		if source.made != want.made || report.Calls != want.made || told != want.told || report.State != want.state {
			t.Errorf("%d requests, %d told, report %+v", source.made, told, report)
		}
	}
	if err := Again(t.Context(), ClassToken); err != nil {
		t.Errorf("without a poller: %v", err)
	}
}

// insistent sends each query twice.
type insistent struct {
	*fakeSource
	made int
}

func (s *insistent) Query(ctx context.Context, ids []string) (Answers, error) {
	s.made++
	if err := Again(ctx, ClassToken); err != nil {
		return Answers{}, err
	}
	s.made++
	return s.fakeSource.Query(ctx, ids)
}
