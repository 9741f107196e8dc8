package worker

import (
	"context"
	"errors"
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
	earlier map[int]ledger.Watching // losses of shards of an earlier division, that this one ends
	lease   *lease                  // under which these were read; nil: they are not known
	good    time.Time               // when the last answer was asked; zero: there was none
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
	w.good = later(w.good, said.LookedAt(w.number, w.of))
	switch {
	case w.good.IsZero():
		w.good = time.Now() // nobody ever looked, or had to: it begins now
	case !w.known.Lost:
		w.good = later(w.good, w.known.After)
	}
	return nil
}

// idle reports whether there is nothing to look at: that is not to be blind.
func (w *watch) idle() bool {
	plan := w.meetings.plan()
	return len(plan.ids)+len(plan.slow) == 0
}

// rest notes that nobody is missed where there is nothing to look at.
func (w *watch) rest() {
	if w.lease != nil && w.idle() {
		w.good = time.Now()
	}
}

// answered returns the messages that an observation leads to: that the shard is
// looked at again, after a time in which it was not.
func (w *watch) answered(ctx context.Context, obs *rollcall.Observation) (watchNews, error) {
	if known, err := w.know(ctx); !known || len(obs.Sightings) == 0 {
		return watchNews{}, err
	}
	if w.known.Lost {
		return w.resumed(obs.AskedAt, obs.AnsweredAt)
	}
	if obs.AnsweredAt.Sub(w.good) <= w.patience(w.good) {
		return watchNews{}, nil
	}
	next, blind := w.known, rollcall.Window{After: w.good, Before: obs.AnsweredAt}
	reason, provenance := w.untold(blind)
	lost := w.event(&next, rollcall.WatchLost, reason, provenance, blind)
	again := w.event(&next, rollcall.WatchResumed, reason, provenance, blind)
	next.After = obs.AskedAt
	return w.news(next, lost, again)
}

// untold is why nobody looked, where it was not told meanwhile: nobody was there, or
// whoever was could not store it.
func (w *watch) untold(blind rollcall.Window) (rollcall.Reason, rollcall.Provenance) {
	if bad := w.lastBad(); bad != nil && bad.at.After(blind.After) && bad.at.Before(blind.Before) {
		return reasonOf(&bad.Report), rollcall.ProvenanceObserved
	}
	return rollcall.ReasonStopped, rollcall.ProvenanceInferred
}

// watchNews is what there is to tell of the watch; zero: nothing.
type watchNews struct {
	msgs []ledger.Message
	next ledger.Watching // what holds when they are stored
}

func (w *watch) news(next ledger.Watching, events ...rollcall.WatchEvent) (watchNews, error) {
	next.Shards = w.of
	msgs, err := ledger.WatchMessages(w.cfg.Names, events, next, w.number, w.lease.term)
	return watchNews{msgs, next}, err
}

// fits reports whether they can be part of a batch.
func (n watchNews) fits(batch []pendingWrite) bool {
	count, bytes := len(n.msgs), 0
	for i := range n.msgs {
		bytes += len(n.msgs[i].Data) + 1024
	}
	for i := range batch {
		count += batch[i].count()
		bytes += batch[i].size
	}
	return count <= ledger.MaxBatchMessages && bytes <= ledger.MaxBatchBytes
}

// looked notes that an observation was processed.
func (w *watch) looked(obs *rollcall.Observation) {
	if len(obs.Sightings) > 0 {
		w.good = later(w.good, obs.AskedAt)
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
	w.good = later(w.good, w.lastGood())
	if err := w.endEarlier(ctx); err != nil {
		return err
	}
	now, begun := time.Now(), later(w.good, w.lease.began)
	if now.Sub(begun) <= w.patience(begun) {
		return nil
	}
	return w.lost(ctx, now)
}

// lost tells that nobody looks any more.
func (w *watch) lost(ctx context.Context, now time.Time) error {
	next := w.known
	reason := w.reason()
	event := w.event(&next, rollcall.WatchLost, reason, rollcall.ProvenanceObserved, rollcall.Window{After: w.good, Before: now})
	next.Lost, next.After, next.Reason = true, w.good, reason
	news, err := w.news(next, event)
	if err != nil {
		return err
	}
	if err := w.commit(ctx, news); err != nil {
		return err
	}
	w.log.Debug("shard is not looked at", // why is logged where it fails
		zap.String("reason", string(reason)), zap.Time("since", w.good))
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
	if w.good.Before(w.lease.began) {
		return nil
	}
	for n, next := range w.earlier {
		event := w.end(&next, w.good, w.good)
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

// resumed makes what ends the loss that is told, by an answer or without one.
func (w *watch) resumed(asked, answered time.Time) (watchNews, error) {
	next := w.known
	event := w.end(&next, asked, answered)
	return w.news(next, event)
}

// end makes the event that ends a loss, which next then says too.
func (w *watch) end(next *ledger.Watching, asked, answered time.Time) rollcall.WatchEvent {
	blind := rollcall.Window{After: next.After, Before: later(answered, next.After)}
	event := w.event(next, rollcall.WatchResumed, next.Reason, rollcall.ProvenanceObserved, blind)
	next.Lost, next.After, next.Reason = false, asked, ""
	return event
}

// event makes the next event; next counts it.
func (w *watch) event(next *ledger.Watching, t rollcall.Type, reason rollcall.Reason, p rollcall.Provenance, window rollcall.Window) rollcall.WatchEvent {
	if next.Epoch == 0 {
		next.Epoch = time.Now().UnixMilli()
	}
	next.Sequence++
	return rollcall.WatchEvent{
		Tenant: w.tenant.Name, Shard: w.number, Shards: w.of, Epoch: next.Epoch, Sequence: next.Sequence,
		Type: t, Reason: reason, Provenance: p, Window: window,
	}
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
		w.good = later(w.good, news.next.After) // more of the same observation may be to come
		w.known.Revision = first + uint64(n) - 1
	}
}

// failed notes that what the ledger holds is to be read again: it may have been
// stored, or somebody else holds the shard.
func (w *watch) failed(err error) {
	if !errors.Is(err, ledger.ErrBusy) && !errors.Is(err, ledger.ErrFull) {
		w.lease = nil
	}
	if errors.Is(err, ledger.ErrStale) {
		w.own.recheck.Store(true)
	}
}
