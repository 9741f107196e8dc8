package consume

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"rollcall"
	"rollcall/internal/wait"
)

// lane is the events of one meeting that wait to be handled, one after the other.
type lane struct {
	*handling
	key

	mu         sync.Mutex
	waiting    []*item
	busy       bool      // run is running
	seen, done uint64    // the last sequences of the stream that were put here, and handled
	since      time.Time // nothing has waited since then
	over       bool      // the meeting has ended or is tracked no more

	// Of run alone:
	position Position // of the last event that was handled
	loaded   bool     // from the checkpoint
}

// repeated reports whether an event was put here before, and has it
// acknowledged in that case: now, or with the one that waits.
func (l *lane) repeated(it *item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if it.Sequence > l.seen {
		return false
	}
	for _, other := range l.waiting {
		if other.Sequence == it.Sequence {
			other.message = it.message
			return true
		}
	}
	it.acknowledge()
	return true
}

// acknowledge is lost with the connection, at worst: then the event comes again.
func (it *item) acknowledge() {
	if it.message != nil {
		_ = it.message.Ack()
	}
}

// add reports whether somebody must begin to run the lane.
func (l *lane) add(it *item) (begin bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting, l.seen = append(l.waiting, it), it.Sequence
	begin, l.busy = !l.busy, true
	return begin
}

// first is the sequence of the first event that waits; none: otherwise.
func (l *lane) first(otherwise uint64) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		return l.waiting[0].Sequence
	}
	return otherwise
}

// quiet reports whether nothing can come any more that has been here before.
func (l *lane) quiet(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	idle := now.Sub(l.since)
	return !l.busy && (l.over && idle > 4*ackWait || idle > 24*time.Hour)
}

// run handles what waits, until nothing does or ctx ends.
func (l *lane) run(ctx context.Context) {
	for it := l.head(); it != nil; it = l.head() {
		if !l.ready(ctx, it) {
			return
		}
		if it = l.head(); !l.handle(ctx, it) {
			return
		}
		l.finish(it)
	}
}

func (l *lane) head() *item {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		return l.waiting[0]
	}
	l.busy, l.since, l.waiting = false, time.Now(), nil
	return nil
}

func (l *lane) finish(it *item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = l.waiting[1:]
	l.done = max(l.done, it.Sequence)
	l.over = it.Event.Type == rollcall.MeetingEnded || it.Event.Type == rollcall.MeetingUntracked
	it.acknowledge()
	if !it.roomy {
		<-l.room
	}
}

// again calls try until it succeeds, with growing pauses; false: ctx ended.
func (l *lane) again(ctx context.Context, try func() error) bool {
	for n := 1; ; n++ {
		err := try()
		if err == nil || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		l.tell(fmt.Errorf("meeting %.300q of tenant %s is held back: %w", l.conference, l.tenant, err))
		if !wait.For(ctx, l.durable.pause(n)) {
			return false
		}
	}
}

// ready puts what is missing before an event in front of it.
func (l *lane) ready(ctx context.Context, it *item) bool {
	return l.again(ctx, func() error {
		if err := l.load(ctx); err != nil || it.checked || l.follows(it) {
			return err
		}
		l.loaded = false // somebody else may have gone on meanwhile
		if err := l.load(ctx); err != nil {
			return err
		}
		missing, err := l.missing(ctx, l.key, l.done+1, l.position, it)
		if err != nil {
			return fmt.Errorf("read the events before %d: %w", it.Event.Sequence, err)
		}
		it.checked = true
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting = slices.Concat(missing, l.waiting)
		return nil
	})
}

func (l *lane) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	last, err := l.durable.Checkpoint.Last(ctx, l.tenant, l.conference)
	if err != nil {
		return err
	}
	if l.loaded = true; !l.position.reached(last) {
		l.position = last
	}
	return nil
}

// follows reports whether no event is missing before this one, as far as is known.
func (l *lane) follows(it *item) bool {
	p := it.Event.Position()
	return it.Reason != nil || l.position == Position{} || l.position.reached(p) || p.Sequence == l.position.want(p.Epoch)
}

// handle has the event handled, or sets it aside; false: ctx ended.
func (l *lane) handle(ctx context.Context, it *item) bool {
	e := it.Event
	if it.Reason == nil && l.position.reached(e.Position()) {
		return true
	}
	if !l.follows(it) {
		l.tell(&GapError{l.tenant, l.conference, e.Epoch, l.position.want(e.Epoch), e.Sequence})
	}
	given := *it
	ended := l.again(ctx, func() error { return l.attempt(ctx, &given.Poison) })
	if ended && it.Reason == nil {
		l.position = e.Position()
	}
	return ended
}

// attempt has the handler handle the event, or what has failed too often set aside.
func (l *lane) attempt(ctx context.Context, p *Poison) error {
	select {
	case l.hands <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.hands }()
	if p.Reason != nil && (p.Tries == 0 || p.Tries == l.durable.Tries) {
		return l.giveUp(ctx, p)
	}
	if !l.durable.wants(&p.Event) {
		return l.durable.Checkpoint.Advance(ctx, p.Event, func(context.Context) error { return nil })
	}
	var failed error
	err := l.durable.Checkpoint.Advance(ctx, p.Event, func(ctx context.Context) error {
		failed = l.call(ctx, p.Event)
		return failed
	})
	if failed != nil && ctx.Err() == nil {
		p.Reason = failed
		if p.Tries++; p.Tries == l.durable.Tries {
			return l.giveUp(ctx, p)
		}
	}
	return err
}

// giveUp sets an event aside. One that cannot be read has no position.
func (l *lane) giveUp(ctx context.Context, p *Poison) error {
	setAside := func(ctx context.Context) error { return l.durable.SetAside(ctx, *p) }
	err := error(nil)
	if p.Event.Sequence == 0 {
		err = setAside(ctx)
	} else {
		err = l.durable.Checkpoint.Advance(ctx, p.Event, setAside)
	}
	if err == nil {
		l.tell(p)
	}
	return err
}
