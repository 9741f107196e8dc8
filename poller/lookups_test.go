package poller

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/internal/wait"
)

const tick = 15 * time.Second

// asked counts the lookups of a meeting.
func (s *fakeSource) asked(id string) (n int) {
	for _, looked := range s.lookups {
		if looked == id {
			n++
		}
	}
	return n
}

// passes makes so many, a tick apart, and gives the last report.
func passes(t *testing.T, n int, p *Poller, b *book, ids []string) (report Report) {
	t.Helper()
	for range n {
		report = p.Pass(t.Context(), b.ask(ids...))
		wait.For(t.Context(), tick)
	}
	return report
}

func TestMeetingsThatHaveNotBegunAreLookedUpRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		source, ids := healthy(12)
		for _, id := range ids[:10] {
			delete(source.raw, id)
			source.standing[id] = Standing{Status: rollcall.StatusInitialized}
		}
		source.standing["m001"] = Standing{Status: rollcall.StatusInitialized, StartTime: time.Now().Add(2 * time.Hour)}
		source.standing["m002"] = Standing{Status: rollcall.StatusInitialized, StartTime: time.Now().Add(5000 * time.Hour)}
		p, b := &Poller{Source: source, Logger: zap.New(core)}, &book{}
		report := passes(t, 8*60-4, p, b, ids) // two hours, but for a minute
		if n := source.asked("m000"); n < 24 || n > 30 {
			t.Errorf("looked up %d times in two hours", n)
		}
		if n := source.asked("m001"); n != 1 {
			t.Errorf("looked up %d times before it is to start", n)
		}
		if !report.Good || report.State != StateOK || len(report.Unanswered) != 10 {
			t.Errorf("report %+v", report)
		}
		if text := report.Trouble("m000"); !strings.HasPrefix(text, "has not begun, so queries leave it out; looked up again at 2000-01-01T0") {
			t.Errorf("trouble %q", text)
		}
		if logs.Len() != 1 || logs.All()[0].ContextMap()["meetings"] != int64(10) {
			t.Errorf("logged %v", logs.All())
		}
		passes(t, 8, p, b, ids)
		if source.asked("m001") < 2 {
			t.Error("not looked up when it was to start")
		}
		passes(t, 4*60*24, p, b, ids)
		if n := source.asked("m002"); n != 2 {
			t.Errorf("with a start in months, looked up %d times in a day", n)
		}
		source.raw["m000"] = "started m000"
		if report = passes(t, 1, p, b, ids); report.Trouble("m000") != "" || report.Answered < 3 {
			t.Errorf("it has begun: %+v", report)
		}
	})
}

func TestMeetingsAboveACapAreLookedUpRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		source, ids := healthy(100)
		for _, id := range ids[20:] {
			delete(source.raw, id)
			source.standing[id] = Standing{Status: rollcall.StatusStarted}
		}
		p, b := &Poller{Source: source, Logger: zap.New(core)}, &book{}
		report := passes(t, 240, p, b, ids) // an hour
		if n := len(source.lookups); n < 80*12 || n > 80*17 {
			t.Errorf("%d lookups in an hour", n)
		}
		if text := report.Trouble("m099"); report.State != StateOK || !strings.HasPrefix(text, "queries leave it out though it goes on; looked up again at ") {
			t.Errorf("%s, trouble %q", report.State, text)
		}
		if logs.Len() != 1 || logs.All()[0].ContextMap()["most_in_an_answer"] != int64(20) {
			t.Errorf("logged %v", logs.All())
		}
		source.standing["m050"] = Standing{Status: rollcall.StatusEnded}
		b.observations = nil
		passes(t, 21, p, b, ids)
		if !strings.Contains(b.kinds(), "m050 ended") {
			t.Error("its end is not told within 5 minutes")
		}
	})
}

// TestABudgetIsNotSpentOnLookups has the lookups that tell nothing new take no
// more than queries do.
func TestABudgetIsNotSpentOnLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(100)
		for _, id := range ids[20:] {
			delete(source.raw, id)
			source.standing[id] = Standing{Status: rollcall.StatusStarted}
		}
		p, b := &Poller{Source: source, Spend: func(context.Context, string) error { return nil }}, &book{}
		passes(t, 1, p, b, ids)
		source.lookups = nil
		for range 80 {
			p.Pass(t.Context(), b.ask(ids...))
			wait.For(t.Context(), 10*time.Minute)
		}
		slices.Sort(source.lookups)
		if n := len(source.lookups); n != 80 || len(slices.Compact(source.lookups)) != 80 {
			t.Errorf("%d lookups in 80 passes, of %d meetings", n, len(slices.Compact(source.lookups)))
		}
	})
}

// TestFailingLookupsKeepNobodyWaiting has three meetings whose lookups fail for
// ever, and one after them that has ended.
func TestFailingLookupsKeepNobodyWaiting(t *testing.T) {
	for _, class := range []Class{ClassTransient, ClassMalformed, ClassPermission, ClassBadRequest} {
		synctest.Test(t, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			source, ids := healthy(6)
			for _, id := range ids[:5] {
				delete(source.raw, id)
				source.sick[id] = fault{class: class}
			}
			delete(source.sick, "m004")
			tracked := ids
			source.standing["m004"] = Standing{Status: rollcall.StatusEnded}
			p, b := &Poller{Source: source, Logger: zap.New(core)}, &book{}
			passes(t, 2, p, b, tracked)
			if !strings.Contains(b.kinds(), "m004 ended") {
				t.Errorf("%s: after two passes: %s", class, b.kinds())
			}
			passes(t, 4*60*3, p, b, tracked)
			source.lookups = nil
			tracked = slices.Delete(slices.Clone(ids), 4, 5)
			report := passes(t, 4*60, p, b, tracked)
			if n := len(source.lookups); n > 2*4*3 {
				t.Errorf("%s: %d lookups in the fourth hour", class, n)
			}
			if report.Trouble("m000") == "" {
				t.Errorf("%s: nothing is told: %+v", class, report)
			}
			if logs.Len() > 12 {
				t.Errorf("%s: %d lines logged: %v", class, logs.Len(), logs.All())
			}
		})
	}
}

// TestLookupsThatFailForAllAreMadeAtOnceWhenTheyWork has them fail for hours.
func TestLookupsThatFailForAllAreMadeAtOnceWhenTheyWork(t *testing.T) {
	for _, class := range []Class{ClassTransient, ClassMalformed, ClassPermission, ClassBadRequest} {
		synctest.Test(t, func(t *testing.T) {
			source, ids := healthy(40)
			for _, id := range ids[:39] {
				delete(source.raw, id)
				source.sick[id] = fault{class: class}
			}
			p, b := &Poller{Source: source}, &book{}
			report := passes(t, 4*60*3, p, b, ids)
			if len(p.Quarantined()) != 0 {
				t.Fatalf("%s: %d are in quarantine for what is nobody's", class, len(p.Quarantined()))
			}
			if report.Err == nil && class != ClassMalformed {
				t.Errorf("%s: nothing is said: %+v", class, report)
			}
			for _, id := range ids[:39] {
				delete(source.sick, id)
				source.standing[id] = Standing{Status: rollcall.StatusEnded}
			}
			b.observations = nil
			for n := 0; n < 4*30 && b.kinds() == "m039 listed"; n++ {
				b.observations = nil
				passes(t, 1, p, b, ids)
			}
			passes(t, 2, p, b, ids)
			if n := strings.Count(b.kinds(), "ended"); n != 39 {
				t.Errorf("%s: %d ends are told soon after lookups work", class, n)
			}
		})
	}
}

// TestFailingEndsKeepNobodyWaiting has the exact ends of many unknown for long.
func TestFailingEndsKeepNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(60)
		for _, id := range ids[:50] {
			source.raw[id] = "ended " + id
			source.sick[id] = fault{class: ClassTransient}
		}
		delete(source.raw, "m055")
		source.standing["m055"] = Standing{Status: rollcall.StatusEnded}
		p, b := &Poller{Source: source}, &book{}
		passes(t, 20, p, b, ids)
		if !strings.Contains(b.kinds(), "m055 ended") {
			t.Error("an end that a lookup knows waits for those that it does not")
		}
	})
}

// TestBatchesTakeTurns has the first three batches fail for ever.
func TestBatchesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(50)
		poison := fault{class: ClassTransient}
		p := &Poller{Source: &poisoned{source, map[string]error{"m000": poison, "m010": poison, "m020": poison}}, BatchSize: 10}
		b := &book{}
		passes(t, 2, p, b, ids)
		if kinds := b.kinds(); !strings.Contains(kinds, "m030 listed") || !strings.Contains(kinds, "m049 listed") {
			t.Errorf("told in two passes: %s", kinds)
		}
	})
}

// poisoned fails queries about some meetings.
type poisoned struct {
	*fakeSource
	with map[string]error
}

func (p *poisoned) Query(ctx context.Context, ids []string) (Answers, error) {
	var all error
	for _, id := range ids {
		all = errors.Join(all, p.with[id])
	}
	if all != nil {
		return Answers{}, all
	}
	return p.fakeSource.Query(ctx, ids)
}

func TestUnknownMeetingIsSaidToBeUnknown(t *testing.T) {
	source, _ := healthy(0)
	report := (&Poller{Source: source}).Pass(t.Context(), (&book{shard: -1}).ask("m-typo"))
	if text := report.Trouble("m-typo"); text != "DingTalk does not know the meeting: is its id right?" || report.Calls != 2 {
		t.Errorf("%d calls, trouble %q", report.Calls, text)
	}
}
