package worker

import (
	"maps"
	"sync"
	"time"
)

// recentChanges is which meetings changed lately. The zero value is ready to use.
type recentChanges struct {
	mu sync.Mutex
	at map[string]time.Time
}

// note says that a meeting has changed.
func (r *recentChanges) note(id string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = make(map[string]time.Time)
	}
	r.at[id] = now
}

// since returns the meetings that changed after then, and forgets the others.
func (r *recentChanges) since(then time.Time) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.at, func(_ string, at time.Time) bool { return !at.After(then) })
	changed := make(map[string]bool, len(r.at))
	for id := range r.at {
		changed[id] = true
	}
	return changed
}
