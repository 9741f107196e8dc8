package worker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/streak"
)

// watch tells when the shard is not looked at any more, and when it is again. It
// goes by the observations in their order, so that what waits for NATS counts as
// looked at when it was. It belongs to the shard's goroutine.
type watch struct {
	*scope
	own      *ownership
	meetings *meetings
	looks    *looks // of the tenant
	lastPass func() *lastPass
	lastBad  func() *lastPass
	lastGood func() time.Time // when the last good pass began
	patience func(good time.Time) time.Duration

	trouble streak.Log // with telling it

	known   ledger.Watching
	earlier map[int]ledger.Watching   // losses of shards of an earlier division, that this one ends
	lease   *lease                    // under which these were read; nil: they are not known
	good    atomic.Pointer[time.Time] // when the last processed answer was asked; nil: there was none
}

// know reads what the ledger says, once under each lease; false: nothing can be told now.
func (w *watch) know(ctx context.Context) (bool, error) {
	l := w.own.held()
	if l == nil {
		return false, nil
	}
	if w.lease != l {
		if err := w.read(ctx, l); err != nil {
			return false, err
		}
	}
	return w.known.Err == nil, nil // a newer version tells its own
}

// read reads what the ledger says, under a lease before anything is asked in it:
// the first answer changes it.
func (w *watch) read(ctx context.Context, l *lease) error {
	said, err := w.cfg.Ledger.Watching(ctx, w.tenant.Name)
	if err != nil {
		return err
	}
	w.looks.learn(&said, w.of)
	w.known, w.earlier, w.lease = said.Shards[w.number], map[int]ledger.Watching{}, l
	for n, told := range said.Shards {
		if n >= w.of && n%w.of == w.number && told.Lost {
			w.earlier[n] = told
		}
	}
	w.advance(said.LookedAt(w.number, w.of))
	switch {
	case w.seen().IsZero():
		w.advance(time.Now()) // nobody ever looked, or had to: it begins now
	case !w.known.Lost:
		w.advance(w.known.After)
	}
	return nil
}

// idle reports whether there is nothing to look at: that is not to be blind.
func (w *watch) idle() bool {
	plan := w.meetings.plan()
	return len(plan.ids)+len(plan.slow) == 0
}

// rest notes that nobody is missed where there is nothing to look at. A shard that
// is not held knows nothing of that.
func (w *watch) rest() {
	if w.lease != nil && w.lease == w.own.held() && w.idle() {
		w.advance(time.Now())
	}
}

func (w *watch) seen() time.Time { return instant(&w.good) }

func (w *watch) advance(to time.Time) {
	to = later(w.seen(), to)
	w.good.Store(&to)
}

// lookedAt is when the shard was last looked at, as others may learn it: a pass
// after a time of blindness counts once that is told, since whoever holds the shard
// next takes what precedes it for told. Any goroutine may use it.
func (w *watch) lookedAt() time.Time {
	if begun := w.lastGood(); !w.gap(begun) {
		return begun
	}
	return w.seen()
}

// answered returns the messages that an observation leads to: that the shard is
// looked at again, after a time in which it was not.
func (w *watch) answered(ctx context.Context, obs *rollcall.Observation) (watchNews, error) {
	if known, err := w.know(ctx); !known || !looksAt(obs) {
		return watchNews{}, err
	}
	if w.known.Lost {
		return w.resumed(obs.AskedAt, obs.AnsweredAt)
	}
	if !w.gap(obs.AnsweredAt) {
		return watchNews{}, nil
	}
	return w.missed(obs.AskedAt, obs.AnsweredAt)
}

// gap reports whether it took too long until then that the shard was looked at again.
func (w *watch) gap(again time.Time) bool {
	return again.Sub(w.seen()) > w.patience(w.seen())
}

// looked notes that an observation was processed. One that ends a blindness counts
// when that is stored: it was not where the lease ended meanwhile.
func (w *watch) looked(obs *rollcall.Observation) {
	if looksAt(obs) && !w.gap(obs.AskedAt) {
		w.advance(obs.AskedAt)
	}
}

// check tells, while no observation waits, that nobody looks any more, or that
// nobody has to.
func (w *watch) check(ctx context.Context) error {
	known, err := w.know(ctx)
	if !known {
		return err
	}
	if w.known.Lost {
		return w.unmissed(ctx)
	}
	if err := w.pass(ctx, w.lastGood()); err != nil {
		return err
	}
	if err := w.endEarlier(ctx); err != nil {
		return err
	}
	now, begun := time.Now(), later(w.seen(), w.lease.began)
	if now.Sub(begun) <= w.patience(begun) {
		return nil
	}
	return w.lost(ctx, now)
}

// pass notes a good pass, of which no observation waits any more.
func (w *watch) pass(ctx context.Context, begun time.Time) error {
	if !w.gap(begun) {
		w.advance(begun)
		return nil
	}
	news, err := w.missed(begun, begun)
	if err != nil {
		return err
	}
	return w.commit(ctx, news)
}

// lost tells that nobody looks any more.
func (w *watch) lost(ctx context.Context, now time.Time) error {
	next := w.known
	reason := w.reason()
	event := w.event(&next, rollcall.WatchLost, reason, rollcall.ProvenanceObserved, rollcall.Window{After: w.seen(), Before: now})
	next.Lost, next.After, next.Reason = true, w.seen(), reason
	news, err := w.news(next, event)
	if err != nil {
		return err
	}
	if err := w.commit(ctx, news); err != nil {
		return err
	}
	w.log.Debug("shard is not looked at", // why is logged where it fails
		zap.String("reason", string(reason)), zap.Time("since", w.seen()))
	return nil
}

// unmissed ends a loss where nothing is left to look at.
func (w *watch) unmissed(ctx context.Context) error {
	if !w.idle() {
		return nil
	}
	now := time.Now()
	news, err := w.resumed(now, now)
	if err != nil {
		return err
	}
	return w.commit(ctx, news)
}

// endEarlier ends the losses of an earlier division: the meetings are looked at now,
// or there are none.
func (w *watch) endEarlier(ctx context.Context) error {
	if w.seen().Before(w.lease.began) {
		return nil
	}
	for n, next := range w.earlier {
		event := w.end(&next, w.seen(), w.seen())
		event.Shard, event.Shards = n, max(n+1, next.Shards)
		msgs, err := ledger.WatchMessages(w.cfg.Names, []rollcall.WatchEvent{event}, next, w.number, w.lease.term)
		if err == nil {
			_, err = w.cfg.Committer.Commit(ctx, msgs)
		}
		if err != nil {
			w.failed(err)
			return err
		}
		delete(w.earlier, n)
	}
	return nil
}

// commit tells by itself what there is to tell.
func (w *watch) commit(ctx context.Context, news watchNews) error {
	if len(news.msgs) == 0 {
		return nil
	}
	first, err := w.cfg.Committer.Commit(ctx, news.msgs)
	if err != nil {
		w.failed(err)
		return err
	}
	w.stored(news, first)
	return nil
}

// stored notes what the ledger holds now; first is the stream sequence of the first message.
func (w *watch) stored(news watchNews, first uint64) {
	if n := len(news.msgs); n > 0 {
		w.known = news.next
		w.advance(news.next.After) // more of the same observation may be to come
		w.known.Revision = first + uint64(n) - 1
	}
}

// failed notes that what the ledger holds is to be read again: it may have been
// stored, or somebody else holds the shard.
func (w *watch) failed(err error) {
	if !errors.Is(err, ledger.ErrBusy) && !errors.Is(err, ledger.ErrFull) {
		w.lease = nil
	}
	if errors.Is(err, ledger.ErrStale) { // no attempt under an outdated claim succeeds
		w.own.doubt = true
		w.own.recheck.Store(true)
	}
}
