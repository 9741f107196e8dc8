package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"rollcall"
)

// commit stores a batch, or a write that is too large for one in slices; and
// with a batch the news of the watch.
func (c *committer) commit(ctx context.Context, batch []pendingWrite, news watchNews) error {
	if len(batch) == 1 && !batch[0].fits() {
		return c.commitSlices(ctx, &batch[0])
	}
	from, to := &batch[0], &batch[len(batch)-1]
	msgs := from.draft.Messages[from.first:to.end:to.end]
	first, err := c.cfg.Committer.Commit(ctx, append(msgs, news.msgs...))
	if err != nil {
		if len(news.msgs) > 0 {
			c.watch.failed(err)
		}
		return err
	}
	c.watch.stored(news, first+uint64(len(msgs)))
	for i := range batch {
		w := &batch[i]
		c.stored(w, w.result.Record, w.result.Events, first+uint64(len(w.result.Events)))
		c.finished(w)
		first += uint64(w.count())
	}
	c.metrics.commits.WithLabelValues("stored").Inc()
	return nil
}

// stored notes what the ledger now holds of the meeting.
func (c *committer) stored(w *pendingWrite, record *rollcall.Record, events []rollcall.Event, revision uint64) {
	e, slept := w.entry, w.entry.asleep()
	e.record.Wrote(record, revision, w.obs.Number.Term == c.own.term(), record.ObservedAt)
	c.ground.Note(c.trust.era, revision)
	if e.asleep() != slept {
		c.meetings.replan()
	}
	if e.refused.err != nil {
		e.refused = refusal{}
		c.meetings.replan()
		c.log.Info("meeting stored again after it was set aside", zap.String("meeting", record.ConferenceID))
	}
	if len(events) > 0 && c.tenant.Budget != nil {
		c.recent.note(record.ConferenceID, time.Now())
	}
	for i := range events {
		c.metrics.events.WithLabelValues(c.tenant.Name, string(events[i].Type)).Inc()
		if events[i].Reason == rollcall.ReasonUnknownMeeting {
			c.log.Warn("DingTalk does not know a meeting; it is no longer tracked: is its id right?",
				zap.String("meeting", record.ConferenceID), zap.String("source", e.tracking.Source))
		}
	}
}

// finished notes that the whole write is stored.
func (c *committer) finished(w *pendingWrite) {
	w.entry.record.LedBy(answerOf(w.sighting))
	if w.result.Anew {
		c.omitted()
	}
	c.meetings.setTracked(w.entry, w.tracked)
	switch w.sighting.Kind {
	case rollcall.SightingSummarized:
		c.meetings.replan()
	case rollcall.SightingMembers:
		c.meetings.grown.read(w.sighting.ConferenceID, w.obs.Number)
		c.metrics.unmatched.WithLabelValues(c.tenant.Name).Add(float64(w.result.Unmatched))
	}
}
