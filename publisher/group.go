package publisher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"rollcall/internal/ledger"
)

// A batch costs the broker the same few milliseconds however small it is. So
// what several shards and tenants have ready is stored together, up to a bound
// beyond which a batch takes longer for being larger; what is larger by itself
// goes alone, and holds nobody up.
const (
	groupMessages = 800
	groupBytes    = 2 << 20
)

// entry is what one caller commits.
type entry struct {
	ctx   context.Context
	msgs  []ledger.Message
	bytes int
	done  chan struct{} // closed when first and err are there
	first uint64
	err   error
}

// entry returns what may share a batch with others; otherwise nil.
func (p *Publisher) entry(ctx context.Context, msgs []ledger.Message) *entry {
	e := &entry{ctx: ctx, msgs: msgs, done: make(chan struct{})}
	for i := range msgs {
		e.bytes += msgs[i].Size(p.Names)
	}
	if len(msgs) > groupMessages || e.bytes > groupBytes {
		return nil
	}
	return e
}

// queue holds what waits for the batch that is under way. Its zero value is empty.
type queue struct {
	mu      sync.Mutex
	busy    bool // somebody serves it
	waiting []*entry
}

// commit waits until e is stored, or is not. What has not been sent when its
// context ends is given up; what has been is waited for.
func (q *queue) commit(e *entry, store func(context.Context, []*entry)) (first uint64, err error) {
	if e.ctx.Err() != nil {
		return 0, e.givenUp()
	}
	q.mu.Lock()
	q.waiting = append(q.waiting, e)
	idle := !q.busy
	q.busy = true
	q.mu.Unlock()
	if idle {
		go q.serve(store)
	}
	select {
	case <-e.done:
	case <-e.ctx.Done():
		if q.remove(e) {
			return 0, e.givenUp()
		}
		<-e.done
	}
	return e.first, e.err
}

// givenUp is what became of what was never sent.
func (e *entry) givenUp() error {
	return fmt.Errorf("commit batch of %d messages: %w: %w", len(e.msgs), ledger.ErrBusy, e.ctx.Err())
}

// remove reports whether e was still waiting.
func (q *queue) remove(e *entry) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, e)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// serve stores what waits, one group after the other, until nothing does.
func (q *queue) serve(store func(context.Context, []*entry)) {
	for group := q.next(); group != nil; group = q.next() {
		ctx, release := whileAny(group)
		store(ctx, group)
		release()
		for _, e := range group {
			close(e.done)
		}
	}
}

// next returns the group that is to be stored now; nil when none waits.
func (q *queue) next() (group []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, messages, bytes := 0, 0, 0
	for _, e := range q.waiting {
		messages, bytes = messages+len(e.msgs), bytes+e.bytes
		if n > 0 && (messages > groupMessages || bytes > groupBytes) {
			break
		}
		n++
	}
	group = slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.busy = n > 0
	if n == 0 {
		return nil
	}
	return group
}

// whileAny returns a context that lasts as long as that of any of the group.
func whileAny(group []*entry) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(group[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(group)))
	stops := make([]func() bool, len(group))
	for i, e := range group {
		stops[i] = context.AfterFunc(e.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// store stores the group as one batch. One stale or refused message has the
// broker refuse all of it, and does not say which: then halves are stored by
// themselves, so that only the entry that is to blame is refused.
func (p *Publisher) store(ctx context.Context, group []*entry) {
	first, err := p.together(ctx, group)
	if len(group) > 1 && severable(err) {
		half := len(group) / 2
		p.store(ctx, group[:half])
		p.store(ctx, group[half:])
		return
	}
	for _, e := range group {
		e.first, e.err = first, err
		first += uint64(len(e.msgs))
	}
}

// together commits what every entry by itself was checked for; as one batch they
// might write one subject twice.
func (p *Publisher) together(ctx context.Context, group []*entry) (first uint64, err error) {
	if len(group) == 1 {
		return p.commit(ctx, group[0].msgs)
	}
	var msgs []ledger.Message
	for _, e := range group {
		msgs = append(msgs, e.msgs...)
	}
	if err := ledger.CheckBatch(p.Names, msgs, 0); err != nil {
		return 0, err
	}
	return p.commit(ctx, msgs)
}

// severable reports whether nothing was stored, and may be without those who
// are to blame.
func severable(err error) bool {
	return errors.Is(err, ledger.ErrStale) || errors.Is(err, ledger.ErrRefused) || errors.Is(err, ledger.ErrFull)
}
