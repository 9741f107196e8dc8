package worker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/streak"
	"rollcall/poller"
	"rollcall/wire"
)

// watch tells when the shard is not looked at any more, and when it is again. It
// goes by the observations in their order, so that what waits for NATS counts as
// looked at when it was. It belongs to the shard's goroutine.
type watch struct {
	*scope
	own      *ownership
	meetings *meetings
	lastPass func() *lastPass
	lastBad  func() *lastPass
	lastGood func() time.Time // when the last good pass began
	patience func(good time.Time) time.Duration

	trouble streak.Log // with telling it

	known ledger.Watching
	lease *lease    // under which known was read; nil: it is not known
	good  time.Time // when the last answer was asked; zero: there was none
}

// watchReader is a ledger that knows whether shards are being looked at.
type watchReader interface {
	Watching(ctx context.Context, tenant string, shard int) (ledger.Watching, error)
}

// know reads what the ledger says, once under each lease; false: nothing can be told now.
func (w *watch) know(ctx context.Context) (bool, error) {
	l := w.own.held()
	reader, ok := w.cfg.Ledger.(watchReader)
	if l == nil || !ok {
		return false, nil
	}
	if w.lease == l {
		return true, nil
	}
	known, err := reader.Watching(ctx, w.tenant.Name, w.number)
	if errors.Is(err, wire.ErrNewerSchema) {
		return false, nil // the newer version tells it
	}
	if err != nil {
		return false, err
	}
	w.known, w.lease = known, l
	w.good = later(w.good, known.LastGood)
	if !known.Lost {
		w.good = later(w.good, known.After)
	}
	if w.good.IsZero() {
		w.good = time.Now() // nobody ever looked: it begins now
	}
	return true, nil
}

// idle notes that there is nothing to look at: that is not to be blind.
func (w *watch) idle() {
	if plan := w.meetings.plan(); w.lease != nil && len(plan.ids)+len(plan.slow) == 0 {
		w.good = time.Now()
	}
}

// answered returns the messages that an observation leads to: that the shard is
// looked at again, after a time in which it was not.
func (w *watch) answered(ctx context.Context, obs *rollcall.Observation) (watchNews, error) {
	if known, err := w.know(ctx); !known || len(obs.Sightings) == 0 {
		return watchNews{}, err
	}
	next := w.known
	var events []rollcall.WatchEvent
	switch {
	case next.Lost:
		blind := rollcall.Window{After: next.After, Before: later(obs.AnsweredAt, next.After)}
		events = append(events, w.event(&next, rollcall.WatchResumed, next.Reason, rollcall.ProvenanceObserved, blind))
	case obs.AnsweredAt.Sub(w.good) > w.patience(w.good):
		blind := rollcall.Window{After: w.good, Before: obs.AnsweredAt}
		reason, provenance := w.untold(blind)
		events = append(events,
			w.event(&next, rollcall.WatchLost, reason, provenance, blind),
			w.event(&next, rollcall.WatchResumed, reason, provenance, blind))
	default:
		return watchNews{}, nil
	}
	next.Lost, next.After, next.Reason = false, obs.AskedAt, ""
	return w.news(events, next)
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

func (w *watch) news(events []rollcall.WatchEvent, next ledger.Watching) (watchNews, error) {
	msgs, err := ledger.WatchMessages(w.cfg.Names, events, next, w.lease.term)
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

// check tells, while no observation waits, that nobody looks any more.
func (w *watch) check(ctx context.Context) error {
	known, err := w.know(ctx)
	if !known || w.known.Lost {
		return err
	}
	w.good = later(w.good, w.lastGood())
	now, begun := time.Now(), later(w.good, w.lease.began)
	if now.Sub(begun) <= w.patience(begun) {
		return nil
	}
	next := w.known
	reason := w.reason()
	event := w.event(&next, rollcall.WatchLost, reason, rollcall.ProvenanceObserved, rollcall.Window{After: w.good, Before: now})
	next.Lost, next.After, next.Reason = true, w.good, reason
	news, err := w.news([]rollcall.WatchEvent{event}, next)
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

// reason is why nobody looks, as the last pass says.
func (w *watch) reason() rollcall.Reason {
	last := w.lastPass()
	if last == nil {
		return rollcall.ReasonUnreachable
	}
	if last.Good && w.tenant.Budget != nil { // none was made since: there are no calls
		return rollcall.ReasonBudget
	}
	return reasonOf(&last.Report)
}

func reasonOf(report *poller.Report) rollcall.Reason {
	if errors.Is(report.Err, errPaused) {
		return rollcall.ReasonPaused
	}
	said := poller.ClassOf(report.Err)
	switch held := heldBack(report); {
	case said == poller.ClassQuota:
		return rollcall.ReasonQuota
	case held == poller.ClassQuota: // it was not DingTalk that said so
		return rollcall.ReasonBudget
	case said == poller.ClassThrottled || held == poller.ClassThrottled:
		return rollcall.ReasonThrottled
	case said == poller.ClassBlocked || held == poller.ClassBlocked:
		return rollcall.ReasonBlocked
	case said == poller.ClassPermission || held == poller.ClassPermission:
		return rollcall.ReasonPermission
	case said == poller.ClassToken || held == poller.ClassToken:
		return rollcall.ReasonAuth
	case said == poller.ClassBadRequest || held == poller.ClassBadRequest:
		return rollcall.ReasonRefused
	}
	return rollcall.ReasonUnreachable
}

// heldBack is the class for which meetings were not asked about, where all are so.
func heldBack(report *poller.Report) poller.Class {
	lowest := poller.ClassNone
	for _, class := range report.Unanswered {
		if class != poller.ClassNone && (lowest == poller.ClassNone || class < lowest) {
			lowest = class
		}
	}
	return lowest
}
