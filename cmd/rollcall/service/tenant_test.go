package service

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
)

// TestAPollerIsAsConfigured holds what no event shows against the configuration.
func TestAPollerIsAsConfigured(t *testing.T) {
	cfg := config.TenantDefaults()
	cfg.Name = "acme"
	cfg.Auth.ClientID, cfg.Auth.ClientSecretEnv = "ding1", "ROLLCALL_TEST_SECRET"
	t.Setenv("ROLLCALL_TEST_SECRET", "s")
	cfg.Poll.MonthlyCalls, cfg.Poll.BatchSize, cfg.Poll.QPS, cfg.Poll.InFlight = config.Unlimited, 7, 3, 5
	made, err := newTenant(cfg, &poller.Egress{}, newMetrics(prometheus.NewRegistry()), zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer made.client.Close()
	if p := made.poller; p.BatchSize != 7 || p.InFlight != 5 || p.Limiter.Limit() != 3 {
		t.Errorf("%d meetings a call, %d calls under way, %v a second", p.BatchSize, p.InFlight, p.Limiter.Limit())
	}
}
