package poller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/wait"
)

func TestPassLogsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		source, ids := healthy(1)
		p, b := &Poller{Source: source, Tenant: "acme", Logger: zap.New(core)}, &book{}
		for _, err := range []error{
			nil, fault{class: ClassTransient}, fault{class: ClassTransient}, fault{class: ClassPermission}, nil, nil,
		} {
			source.forever = err
			for range 3 {
				p.Pass(t.Context(), b.ask(ids...))
				p.Pass(t.Context(), (&book{}).ask())
			}
			wait.For(t.Context(), time.Minute)
		}
		source.forever = fault{class: ClassTransient}
		p.Pass(t.Context(), b.ask(ids...))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.Pass(ctx, b.ask(ids...))
		var got []string
		for _, entry := range logs.All() {
			got = append(got, entry.Level.String()+" "+entry.Message)
			if entry.ContextMap()["tenant"] != "acme" {
				t.Errorf("entry without its tenant: %v", entry)
			}
		}
		want := []string{"warn polling fails", "error polling still fails, with a new cause", "info polling works again", "warn polling fails"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if failures := logs.All()[2].ContextMap()["failures"]; failures != int64(9) {
			t.Errorf("recovered after %v failures", failures)
		}
	})
}

func TestPassLogsQuarantineOnce(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	source, ids := healthy(4)
	source.bad["m001"] = true
	p, b := &Poller{Source: source, Logger: zap.New(core)}, &book{}
	for range 5 {
		p.Pass(t.Context(), b.ask(ids...))
	}
	if logs.Len() != 1 || logs.All()[0].ContextMap()["meeting"] != "m001" {
		t.Errorf("logged %v", logs.All())
	}
}

func TestMetricsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ids := healthy(1)
		source.took = time.Second
		source.script = []error{fault{class: ClassThrottled}}
		type called struct {
			op    string
			class Class
			took  time.Duration
		}
		var calls []called
		var held []Class
		p := &Poller{Source: source, Metrics: Metrics{
			Called: func(op string, class Class, took time.Duration) { calls = append(calls, called{op, class, took}) },
			Held: func(class Class, until time.Time) {
				held = append(held, class)
				wait.For(t.Context(), time.Until(until))
			},
		}}
		p.Pass(t.Context(), (&book{}).ask(ids...))
		p.Pass(t.Context(), (&book{}).ask(ids...))
		want := []called{{OpQuery, ClassThrottled, time.Second}, {OpQuery, ClassNone, time.Second}}
		if diff := cmp.Diff(want, calls, cmp.AllowUnexported(called{})); diff != "" || len(held) != 1 || held[0] != ClassThrottled {
			t.Errorf("held %v, calls: %s", held, diff)
		}
	})
}
