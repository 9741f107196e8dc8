package worker

import (
	"context"
	"slices"
	"sync"
)

// roster is the tenants of a worker, which come and go while it runs.
type roster struct {
	begun   chan struct{} // closed once the worker runs
	list    sync.RWMutex  // guards what follows
	tenants []*tenant     // replaced as a whole
	work    *work         // nil: before the worker runs, and once it stops
}

// work is what the goroutines of a running worker end with.
type work struct {
	asking, held context.Context
}

// all are the tenants now.
func (r *roster) all() []*tenant {
	r.list.RLock()
	defer r.list.RUnlock()
	return r.tenants
}

// tenant is the one of this name; nil: there is none.
func (r *roster) tenant(name string) *tenant {
	for _, t := range r.all() {
		if t.cfg.Name == name {
			return t
		}
	}
	return nil
}

// begin starts the tenants that there are, and those that come.
func (r *roster) begin(asking, held context.Context) {
	r.list.Lock()
	defer r.list.Unlock()
	r.work = &work{asking, held}
	for _, t := range r.tenants {
		r.work.start(t)
	}
	close(r.begun)
}

// halt returns the tenants, of which none is replaced from now on.
func (r *roster) halt() []*tenant {
	r.list.Lock()
	defer r.list.Unlock()
	r.work = nil
	for _, t := range r.tenants {
		t.stop()
	}
	return r.tenants
}

// swap starts the next tenant in the place of the old one; either may be nil. It
// reports whether the worker runs.
func (r *roster) swap(old, next *tenant) bool {
	r.list.Lock()
	defer r.list.Unlock()
	if r.work == nil {
		return false
	}
	tenants := slices.DeleteFunc(slices.Clone(r.tenants), func(t *tenant) bool { return t == old })
	if next != nil {
		r.work.start(next)
		tenants = append(tenants, next)
	}
	r.tenants = tenants
	return true
}

// start starts the goroutines of a tenant.
func (in *work) start(t *tenant) {
	asking, stop := context.WithCancel(in.asking)
	held := in.held
	t.stop = stop
	t.spawn = func(s *shard) { t.processing.Go(func() { s.run(held) }) }
	for _, s := range t.shards() {
		t.spawn(s)
	}
	t.asking.Go(func() { t.run(asking) })
}
