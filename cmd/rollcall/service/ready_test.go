package service_test

import (
	"errors"
	"testing"
	"time"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natsproxy"
	"rollcall/internal/natstest"
)

// TestReadyMeansThatOrdersAreTaken has NATS hear of everything late: whoever asks as
// soon as the service is ready is not told that no worker answers.
func TestReadyMeansThatOrdersAreTaken(t *testing.T) {
	server := natstest.Start(t)
	slow := natsproxy.Start(t, server.Addr())
	slow.SetDelay(20 * time.Millisecond)
	sim, cfg := simulated(t)
	cfg.NATS.URL = slow.URL()
	l := run(t, cfg)
	c := control.Client{Conn: server.Connect(t), Names: l.Names(), Tenant: cfg.Tenants[0].Name}
	if _, err := c.Show(t.Context(), sim.ConferenceIDs()[0]); errors.Is(err, control.ErrNoWorker) {
		t.Error(err)
	}
}
