package service_test

import (
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
)

func TestTheStartWarnsOfAScheduleThatDoesNotFit(t *testing.T) {
	_, cfg := simulated(t)
	one := cfg.Tenants[0]
	one.Poll.Schedule = "@every 15s"
	cfg.Tenants = nil
	for name, calls := range map[string]config.Calls{"small": 5000, "large": 200_000, "free": config.Unlimited} {
		one.Name, one.Poll.MonthlyCalls = name, calls
		cfg.Tenants = append(cfg.Tenants, one)
	}
	core, logs := observer.New(zap.WarnLevel)
	s, err := service.New(cfg, "0.0.1", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	said := logs.FilterMessageSnippet("schedule takes more calls").All()
	if len(said) != 1 {
		t.Fatalf("it is said %d times: %v", len(said), said)
	}
	fields := said[0].ContextMap()
	fix, _ := fields["fix"].(string)
	if fields["tenant"] != "small" || fields["takes"] != int64(178_560) || fields["monthly_calls"] != int64(5000) ||
		!strings.Contains(fix, `"@every 9m"`) || !strings.Contains(fix, `"@every 2m30s"`) {
		t.Errorf("said is %v", fields)
	}
}
