package worker

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"rollcall/internal/wait"
	"rollcall/worker/membership"
)

const (
	// gathering is how long hints are gathered for one question. DingTalk's answers
	// may also take a moment to show what it has pushed.
	gathering = time.Second
	// believed is for how long a word that pushes are healthy holds; whoever hears
	// them repeats it every ten seconds.
	believed = 30 * time.Second
)

// Hints is which of a tenant's meetings somebody says have changed: the next
// question is about these first. They are of tracked meetings alone, which bounds
// them. It is made by [NewHints]; any goroutine may use it.
type Hints struct {
	wake chan struct{} // holds one when there are new ones

	mu      sync.Mutex           // guards what follows
	tracked func(id string) bool // whether the worker asks about a meeting
	due     map[string]uint64
	count   uint64    // of the hints so far, by which due tells new from old
	until   time.Time // until when pushes count as healthy
}

// NewHints makes hints for one tenant of one worker.
func NewHints() *Hints {
	return &Hints{wake: make(chan struct{}, 1), due: map[string]uint64{}, tracked: func(string) bool { return false }}
}

// serve has hints taken at the meetings that are tracked.
func (h *Hints) serve(tracked func(id string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tracked = tracked
}

// Take takes which meetings somebody says have changed, and whether all changes
// are heard of. Those that this worker tracks are asked about after a second, in
// one question with all others that are named until then, as far as the budget
// goes; what is left waits for the passes. It never waits.
func (h *Hints) Take(ids []string, healthy bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = time.Time{}
	if healthy {
		h.until = time.Now().Add(believed)
	}
	fresh := false
	for _, id := range ids {
		if h.tracked(id) {
			h.count++
			h.due[id], fresh = h.count, true
		}
	}
	if fresh {
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
}

// Healthy reports whether changes are heard of: what nobody hints at is as it was.
func (h *Hints) Healthy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Before(h.until)
}

// pending returns the tracked meetings that are due, with the number of the last
// hint at each.
func (h *Hints) pending() map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.due, func(id string, _ uint64) bool { return !h.tracked(id) })
	return maps.Clone(h.due)
}

// answered drops the hints up to that number: what they said was seen.
func (h *Hints) answered(id string, number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.due[id] == number {
		delete(h.due, id)
	}
}

// untilAnswered are the pauses after which it is asked again what a question, or the
// budget, has left unanswered.
func untilAnswered() wait.Growth { return wait.Growth{First: 5 * time.Second, Most: time.Minute} }

// follow asks about what hints name, until ctx ends.
func (h *Hints) follow(ctx context.Context, ask func(context.Context)) {
	pause := untilAnswered().BackOff()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-h.wake:
			if !wait.For(ctx, gathering) {
				return
			}
		}
		ask(ctx)
		if again = nil; len(h.pending()) > 0 {
			again = time.After(pause.NextBackOff())
		} else {
			pause.Reset()
		}
	}
}

// tracks reports whether the worker that holds these shards asks about a meeting.
func tracks(shards []*shard, id string) bool {
	s := shards[membership.ShardOf(id, len(shards))]
	if s.own.held() == nil {
		return false
	}
	_, tracked := slices.BinarySearch(s.meetings.plan().ids, id)
	return tracked
}

// asleep counts the meetings of these shards that have not started.
func asleep(shards []*shard) (n int) {
	for _, s := range shards {
		n += len(s.meetings.plan().asleep)
	}
	return n
}

// hinted returns the hints at meetings of the shard.
func (p *polling) hinted() map[string]uint64 {
	mine := p.tenant.Hints.pending()
	maps.DeleteFunc(mine, func(id string, _ uint64) bool { return !p.mine(id) })
	return mine
}
