package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/budget"
)

// tenants are those of the service. Any goroutine may use them.
type tenants struct {
	dataDir string
	egress  *poller.Egress
	metrics *metrics
	log     *zap.Logger

	mu  sync.Mutex
	all []*tenant // guarded by mu; replaced as a whole
}

// current are the tenants now.
func (ts *tenants) current() []*tenant {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.all
}

// make makes a tenant that does nothing yet. Its client is to be closed.
func (ts *tenants) make(cfg config.Tenant) (*tenant, error) {
	t, err := newTenant(cfg, ts.egress, ts.metrics, ts.log)
	if err == nil {
		t.openListener(ts.metrics, ts.log)
		t.pseudonyms, err = pseudonyms(cfg, ts.dataDir)
		if err = errors.Join(err, t.openFinders(ts.log)); err != nil {
			t.client.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", cfg.Name, err)
	}
	return t, nil
}

// exchange takes a tenant out, and another one in; either may be nil.
func (ts *tenants) exchange(old, next *tenant) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.all = slices.DeleteFunc(slices.Clone(ts.all), func(t *tenant) bool { return t == old })
	if next != nil {
		ts.all = append(ts.all, next)
	}
}

// hinted has the tenant of a name, whichever it is then, take hints.
func (ts *tenants) hinted(name string) func(ids []string, healthy bool) {
	return func(ids []string, healthy bool) {
		for _, t := range ts.current() {
			if t.cfg.Name == name {
				t.hints.Take(ids, healthy)
			}
		}
	}
}

func (ts *tenants) close() {
	for _, t := range ts.current() {
		t.client.Close()
	}
}

// budgeted reports whether anything of any tenant's is counted in the ledger.
func (ts *tenants) budgeted() bool { return slices.ContainsFunc(ts.current(), (*tenant).counted) }

// counted reports whether its calls or its pushes are counted in the ledger.
func (t *tenant) counted() bool { return t.budget != nil || t.pushes != nil }

// returning is how long a stop waits for reserved calls to be given back.
const returning = time.Second / 2

// returnCalls returns what is reserved of the calls of all.
func (ts *tenants) returnCalls() {
	ctx, cancel := context.WithTimeout(context.Background(), returning)
	defer cancel()
	for _, t := range ts.current() {
		t.returnCalls(ctx, ts.log)
	}
}

// spendFrom attaches what the tenant counts to the ledger, and its budget, and to the data_dir that is ours alone,
// if any is.
func (t *tenant) spendFrom(ledger budget.Ledger, dir string) {
	if t.pushes != nil {
		t.pushes.Attach(ledger)
	}
	if t.budget == nil {
		return
	}
	var slip *budget.Slip
	if dir != "" {
		slip = budget.NewSlip(dir, t.cfg.Name)
	}
	t.budget.Attach(ledger, slip)
}

// returnCalls returns what is reserved of a tenant's calls. What cannot be returned
// now is, by the next process on the same data_dir.
func (t *tenant) returnCalls(ctx context.Context, log *zap.Logger) {
	if t.pushes != nil {
		if err := t.pushes.Close(ctx); err != nil {
			log.Info("some reserved pushes count as used", zap.String("tenant", t.cfg.Name), zap.Error(err))
		}
	}
	if t.budget == nil {
		return
	}
	if err := t.budget.Close(ctx); err != nil {
		log.Warn("reserved calls kept in data_dir for the next start", zap.String("tenant", t.cfg.Name), zap.Error(err))
	}
}
