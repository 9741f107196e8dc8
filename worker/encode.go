package worker

import (
	"fmt"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/publisher"
)

// encode adds the messages of a write to the draft.
func (c *committer) encode(w *pendingWrite, draft *ledger.Draft) error {
	w.draft, w.first = draft, len(draft.Messages)
	err := c.encodeAll(w)
	if err != nil {
		draft.Messages = draft.Messages[:w.first]
		return err
	}
	w.end = len(draft.Messages)
	w.size = c.size(w.messages()...)
	return nil
}

func (c *committer) encodeAll(w *pendingWrite) error {
	if err := publisher.DraftEvents(w.draft, c.cfg.Names, w.result.Events); err != nil {
		return fmt.Errorf("encode events: %w", err)
	}
	if err := c.encodeRecord(w.draft, w.result.Record, w.entry.record.Revision()); err != nil {
		return err
	}
	return c.encodeTracking(w)
}

// encodeTracking lets a meeting that is over leave the tracked set, and one
// that was reopened come back, in the batch that says so.
func (c *committer) encodeTracking(w *pendingWrite) error {
	next := w.result.Record
	// A meeting that is tracked again keeps its old record until it is seen.
	again := w.entry.tracked && w.prev != nil && w.prev.Untracked && next.Untracked && next.Epoch == w.prev.Epoch &&
		w.sighting.Kind != rollcall.SightingUntracked
	over := next.Untracked && !again || next.Meeting.Status == rollcall.StatusEnded
	w.tracked = !over
	switch {
	case over && w.entry.tracked:
		w.draft.Messages = append(w.draft.Messages, c.untrackMessage(next.ConferenceID))
	case !over && !w.entry.tracked:
		if w.entry.tracking.ConferenceID == "" {
			w.entry.tracking = ledger.Tracking{ConferenceID: next.ConferenceID, Source: "reopened", Since: w.obs.AnsweredAt.UTC(), Labels: next.Labels}
		}
		msg, err := c.trackMessage(w.entry.tracking)
		if err != nil {
			return err
		}
		w.draft.Messages = append(w.draft.Messages, msg)
	}
	return nil
}
