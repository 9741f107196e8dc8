package worker

import (
	"fmt"
	"slices"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/publisher"
)

// pendingWrite is what one sighting changes: the next record, and the messages
// that say so.
type pendingWrite struct {
	sighting *rollcall.Sighting
	entry    *entry
	obs      *rollcall.Observation
	prev     *rollcall.Record
	result   differ.Result
	tracked  bool // whether the meeting is tracked afterwards

	draft *ledger.Draft // the messages are those from first to end of it
	first int
	end   int
	size  int // of all messages, in bytes
}

// messages are the events, the record, and what joins or leaves the tracked set.
func (w *pendingWrite) messages() []ledger.Message { return w.draft.Messages[w.first:w.end:w.end] }

func (w *pendingWrite) events() []ledger.Message { return w.messages()[:len(w.result.Events)] }

func (w *pendingWrite) record() ledger.Message { return w.messages()[len(w.result.Events)] }

func (w *pendingWrite) extra() []ledger.Message { return w.messages()[len(w.result.Events)+1:] }

// needed reports whether it has to be stored. The first answer of a term writes
// the record anew, changed or not: that fences the previous holder.
func (w *pendingWrite) needed(term uint64) bool {
	if w.result.Record == nil {
		return false
	}
	// An ended meeting that was tracked once more has given its answer, and
	// what another worker untracked may still count as tracked here.
	again := w.entry.tracked && (w.result.Record.Meeting.Status == rollcall.StatusEnded || w.sighting.Kind == rollcall.SightingUntracked)
	return w.result.Changed || w.prev == nil || again || w.obs.Number.Term == term && !w.entry.record.Fenced()
}

func (w *pendingWrite) count() int { return w.end - w.first }

// fits reports whether it can be part of one batch.
func (w *pendingWrite) fits() bool {
	return w.count() <= ledger.MaxBatchMessages && w.size <= ledger.MaxBatchBytes
}

// goesOn reports whether the next poll publishes what this one leaves out.
// After an end that was looked up, or an operator's word, there may be none.
func (w *pendingWrite) goesOn() bool { return w.sighting.Kind == rollcall.SightingListed }

func sightingsOf(batch []pendingWrite) []*rollcall.Sighting {
	out := make([]*rollcall.Sighting, len(batch))
	for i := range batch {
		out[i] = batch[i].sighting
	}
	return out
}

func idsOf(batch []pendingWrite) []string {
	out := make([]string, len(batch))
	for i := range batch {
		out[i] = batch[i].sighting.ConferenceID
	}
	return out
}

// cut packs writes into batches, full ones first; it never cuts within a
// meeting. One that does not fit stands alone, and behind the others. limit
// bounds the meetings of a batch; 0: none.
func cut(writes []pendingWrite, limit int) [][]pendingWrite {
	var batches [][]pendingWrite
	start, count, bytes := 0, 0, 0
	for i := range writes {
		w := &writes[i]
		full := count+w.count() > ledger.MaxBatchMessages || bytes+w.size > ledger.MaxBatchBytes ||
			limit > 0 && i-start >= limit
		if full && i > start {
			batches = append(batches, writes[start:i])
			start, count, bytes = i, 0, 0
		}
		count += w.count()
		bytes += w.size
	}
	if start < len(writes) {
		batches = append(batches, writes[start:])
	}
	return slicedLast(batches)
}

// slicedLast lets the meetings that fit into batches go before those that need
// several: their slices are many, and large.
func slicedLast(batches [][]pendingWrite) [][]pendingWrite {
	sliced := func(batch []pendingWrite) int {
		if batch[0].fits() {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(batches, func(a, b []pendingWrite) int { return sliced(a) - sliced(b) })
	return batches
}

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
