package tracing

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// ending is how long what is not sent yet is waited for at a stop.
const ending = 500 * time.Millisecond

// Wanted reports whether the standard variables switch tracing on: with an endpoint
// for traces, or with OTEL_TRACES_EXPORTER=otlp. OTEL_SDK_DISABLED=true and
// OTEL_TRACES_EXPORTER=none switch it off.
func Wanted(env func(string) (string, bool)) bool {
	value := func(name string) string { v, _ := env(name); return v }
	switch exporter := value("OTEL_TRACES_EXPORTER"); {
	case value("OTEL_SDK_DISABLED") == "true", exporter != "" && exporter != "otlp":
		return false
	case exporter == "otlp":
		return true
	}
	return value("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// Begin sends spans by OTLP over HTTP, as the standard variables say. What cannot be
// sent is told to failed. The function sends the rest, for half a second at most.
func Begin(ctx context.Context, version string, failed func(error)) (end func(), err error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("send traces (OTEL_EXPORTER_OTLP_…): %w", err)
	}
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last, and so prevail.
	of, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "rollcall"),
		attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(of))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(failed))
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			failed(err)
		}
	}, nil
}
