// Package tracing is how rooms tell OpenTelemetry what they do, and how a trace goes
// with what waits and what is stored. While [Begin] was not called nothing is traced,
// at the cost of a look into a context.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header carries a trace beside a message, as W3C Trace Context says. nats.go finds
// it in lower case alone.
const Header = "traceparent"

// Start begins a span below that of ctx.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return otel.Tracer("rollcall").Start(ctx, name, trace.WithAttributes(attributes...))
}

// End ends a span, with what went wrong; nil: nothing.
func End(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// Parent is the span of ctx as [Header] has it; "" where nothing is traced.
func Parent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// Under returns a context in which spans stand below that of parent, as [Parent] has it.
func Under(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: parent})
}
