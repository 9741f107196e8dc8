package worker

import (
	"time"

	"rollcall"
	"rollcall/internal/ledger"
)

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

// missed makes what tells of a blindness that is over and was not told meanwhile.
func (w *watch) missed(asked, answered time.Time) (watchNews, error) {
	next, blind := w.known, rollcall.Window{After: w.seen(), Before: answered}
	reason, provenance := w.untold(blind)
	lost := w.event(&next, rollcall.WatchLost, reason, provenance, blind)
	again := w.event(&next, rollcall.WatchResumed, reason, provenance, blind)
	next.After = asked
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
