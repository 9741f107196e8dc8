package tracing_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace/noop"

	"rollcall/internal/tracing"
)

func TestWhenTracesAreWanted(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing is said":           {nil, false},
		"an endpoint":               {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, true},
		"an endpoint for traces":    {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, true},
		"the exporter":              {map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true},
		"an endpoint for others":    {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
		"all of it is switched off": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, false},
	} {
		if got := tracing.Wanted(func(key string) (string, bool) { v, ok := c.env[key]; return v, ok }); got != c.want {
			t.Errorf("%s: wanted is %t", name, got)
		}
	}
}

func TestWithoutTracingNothingGoesAlong(t *testing.T) {
	ctx, span := tracing.Start(t.Context(), "tick")
	tracing.End(span, errors.New("failed"))
	if parent := tracing.Parent(ctx); parent != "" {
		t.Errorf("the parent is %q", parent)
	}
	if got := tracing.Under(ctx, ""); got != ctx {
		t.Error("the context is another one")
	}
}

// What is sent to a collector, and what goes along with an answer that waits.
func TestSpansOfOneTrace(t *testing.T) {
	var mu sync.Mutex
	var sent bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/v1/traces" {
			_, _ = io.Copy(&sent, r.Body)
		}
	}))
	t.Cleanup(collector.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "named by the environment")
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	end, err := tracing.Begin(t.Context(), "v1.2.3", func(err error) { t.Errorf("not sent: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	ctx, tick := tracing.Start(t.Context(), "tick", attribute.String("rollcall.tenant", "acme"))
	parent := tracing.Parent(ctx)
	if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(parent) {
		t.Errorf("the parent is %q", parent)
	}
	tracing.End(tick, nil)
	later, diff := tracing.Start(tracing.Under(t.Context(), parent), "diff")
	if got := tracing.Parent(later); got[:35] != parent[:35] || got == parent {
		t.Errorf("the later span is %q, of another trace than %q", got, parent)
	}
	tracing.End(diff, errors.New("refused"))
	end()
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"tick", "diff", "acme", "refused", "v1.2.3", "named by the environment"} {
		if !bytes.Contains(sent.Bytes(), []byte(want)) {
			t.Errorf("nothing of %q is sent", want)
		}
	}
}
