package service

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTenantLimiterKeepsEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const qps = 20
		limit := tenantLimiter(qps)
		<-time.After(time.Hour) // idle: nothing is saved up
		var calls []time.Time
		for range 10 * qps {
			if err := limit.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(calls); n >= qps && time.Since(calls[n-qps]) < time.Second {
				t.Fatalf("call %d comes %v after the %dth before it", n, time.Since(calls[n-qps]), qps)
			}
			calls = append(calls, time.Now())
		}
		if took := time.Since(calls[0]); took > 10*time.Second {
			t.Errorf("%d calls took %v", len(calls), took)
		}
	})
}
