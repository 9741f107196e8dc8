package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// library takes its time to give the records of one tenant out, or never does.
type library struct {
	*ledgertest.Memory
	takes time.Duration // 0: never
}

func (l library) LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error) {
	if tenant != "globex" {
		return l.Memory.LoadAll(ctx, tenant)
	}
	if l.takes == 0 {
		return nil, errors.New("scripted: they cannot be read")
	}
	select {
	case <-time.After(l.takes):
		return l.Memory.LoadAll(ctx, tenant)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestAStartReadsFirst and asks as soon as all is read, or after five seconds.
func TestAStartReadsFirst(t *testing.T) {
	for name, c := range map[string]struct{ takes, asked time.Duration }{
		"soon":  {2 * time.Second, 2 * time.Second},
		"late":  {time.Minute, 5 * time.Second},
		"never": {0, 5 * time.Second},
	} {
		bubble(t, func(t *testing.T) {
			w, m := newWorld(), ledgertest.NewMemory(names)
			w.set("c1", "ann")
			p := start(t, "w1", library{m, c.takes}, w, func(cfg *worker.Config) {
				schedule, err := poller.ParseSchedule("@every 1h", "UTC") // the start alone asks
				if err != nil {
					t.Fatal(err)
				}
				cfg.Tenants[0].Conferences, cfg.Tenants[0].Schedule = []string{"c1"}, schedule
				globex := cfg.Tenants[0]
				globex.Name, globex.Conferences = "globex", nil
				cfg.Tenants = append(cfg.Tenants, globex)
			})
			elapse(c.asked - 100*time.Millisecond)
			if n := w.asked(); n != 0 {
				t.Errorf("%s: %d questions before all is read", name, n)
			}
			elapse(200 * time.Millisecond)
			if n := w.asked(); n != 1 {
				t.Errorf("%s: %d questions %v after the start, want one", name, n, c.asked)
			}
			expect(t, m, "c1", "meeting.started", "participant.joined ann")
			p.stop(t)
		})
	}
}
