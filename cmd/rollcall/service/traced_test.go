package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/service"
)

// TestAnEventBelongsToTheTraceOfItsTick follows one event back to the tick that has
// asked: the stored message names the commit, which stands below it with the query
// and the diff.
func TestAnEventBelongsToTheTraceOfItsTick(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans)))
	defer otel.SetTracerProvider(noop.NewTracerProvider())
	_, cfg := simulated(t)
	s, err := service.New(cfg, "test", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	parents := make(chan string, 1000)
	if _, err := conn.Subscribe("meetings.event.>", func(m *nats.Msg) { parents <- m.Header.Get("traceparent") }); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	parent := ""
	select {
	case parent = <-parents:
	case <-time.After(time.Minute):
		t.Error("nothing is told")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(parent, "-")
	if len(parts) != 4 {
		t.Fatalf("the event has the traceparent %q", parent)
	}
	names := map[string]bool{}
	for _, span := range spans.Ended() {
		of := span.SpanContext()
		if of.TraceID().String() != parts[1] {
			continue
		}
		names[span.Name()] = true
		if of.SpanID().String() == parts[2] && span.Name() != "commit" {
			t.Errorf("the event stands below %s", span.Name())
		}
		if root := !span.Parent().IsValid(); root != (span.Name() == "tick") {
			t.Errorf("%s stands below nothing: %t", span.Name(), root)
		}
	}
	for _, want := range []string{"tick", "query", "diff", "commit"} {
		if !names[want] {
			t.Errorf("the trace lacks %s: %v", want, names)
		}
	}
}
