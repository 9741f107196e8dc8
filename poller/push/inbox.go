package push

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/safetext"
	"rollcall/internal/wait"
	"rollcall/poller"
)

// mostWaiting bounds how many meetings wait to be handed on. Beyond it hints are
// let go: the schedule and the lists find out.
const mostWaiting = 10_000

// inbox is what was heard and waits to be handed on, each meeting once.
type inbox struct {
	wake chan struct{} // holds one when there is something

	mu      sync.Mutex // guards both
	created map[string]poller.Listed
	due     map[string]bool
}

// put takes a hint. It never waits.
func (b *inbox) put(h hint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.created == nil {
		b.created, b.due = map[string]poller.Listed{}, map[string]bool{}
	}
	switch id := h.meeting.ConferenceID; {
	case len(b.created)+len(b.due) >= mostWaiting:
	case h.created:
		b.created[id] = h.meeting
	default:
		b.due[id] = true
	}
	wake(b.wake)
}

// wake lets whoever waits look; it does not wait itself.
func wake(waker chan<- struct{}) {
	select {
	case waker <- struct{}{}:
	default:
	}
}

// take empties it.
func (b *inbox) take() (created []poller.Listed, due []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.created {
		created = append(created, m)
	}
	for id := range b.due {
		due = append(due, id)
	}
	clear(b.created)
	clear(b.due)
	return created, due
}

// retrying is after how long meetings are handed on again that could not be.
const retrying = 5 * time.Second

// pass hands on what was heard until ctx ends.
func (l *Listener) pass(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.inbox.wake:
		}
		created, due := l.inbox.take()
		if len(due) > 0 {
			l.Tracker.Hinted(l.Tenant, due, l.healthy())
		}
		if len(created) > 0 {
			l.track(ctx, created)
		}
	}
}

// track has new meetings tracked. What cannot be done now is done later: there may
// be no list that has them as well.
func (l *Listener) track(ctx context.Context, created []poller.Listed) {
	var ids []string
	for _, m := range created {
		if l.Takes == nil || l.Takes(m) {
			ids = append(ids, m.ConferenceID)
		}
	}
	if len(ids) == 0 {
		return
	}
	err := l.Tracker.Found(ctx, l.Tenant, Source, ids, nil, false)
	if err == nil || ctx.Err() != nil {
		return
	}
	l.Logger.Warn("meetings of pushes not tracked yet", zap.Int("meetings", len(ids)), zap.Duration("again_in", retrying), zap.Error(err))
	if wait.For(ctx, retrying) {
		for _, m := range created {
			l.inbox.put(hint{created: true, meeting: m})
		}
	}
}

// plain is a foreign error as it may be shown.
func plain(err error) string { return safetext.Field(err.Error(), 200) }
