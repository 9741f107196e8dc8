package service

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/ledgertest"
	"rollcall/poller/budget"
	"rollcall/wire"
)

// Who heard pushes last month and hears none in this one says nothing of how many are
// used: another worker does.
func TestPushesOfAnEarlierMonthAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := &tenant{cfg: config.Tenant{Name: "acme"}, pushes: budget.NewPushes("acme", 3000, zap.NewNop())}
		one.pushes.Attach(ledgertest.NewMemory(wire.Names{Stream: "MEETINGS", Prefix: "meetings"}))
		registry := prometheus.NewRegistry()
		registry.MustRegister(newPushMonths(func() []*tenant { return []*tenant{one} }))
		shown := func() bool {
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() == "rollcall_push_month_pushes" {
					return true
				}
			}
			return false
		}
		if err := one.pushes.Take(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		if !shown() {
			t.Error("they are not shown in the month itself")
		}
		time.Sleep(31 * 24 * time.Hour)
		if shown() {
			t.Error("the pushes of an earlier month are shown")
		}
	})
}
