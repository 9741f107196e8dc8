package worker

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
)

// mostSlices bounds what one poll stores of one meeting, as each slice carries
// the whole record. What is left is published by the next poll, so that a crowd
// does not keep the other meetings of its shard waiting.
const mostSlices = 8

// commitSlices stores the events of one meeting in several batches, each with
// the record as it is after them.
func (c *committer) commitSlices(ctx context.Context, w *pendingWrite) error {
	if size := c.size(w.record()); size > ledger.MaxBatchBytes {
		return fmt.Errorf("%w: the record alone has %d bytes, a batch at most %d", ledger.ErrRefused, size, ledger.MaxBatchBytes)
	}
	size, done, all := 0, 0, len(w.result.Events)
	if w.prev != nil {
		msg, err := c.recordMessage(w.prev, 0)
		if err != nil {
			return errors.Join(ledger.ErrRefused, err)
		}
		size = c.size(msg)
	}
	for n := 0; done < all; n++ {
		if n == mostSlices && w.goesOn() {
			c.log.Info("answer too large for one poll: the next poll stores the rest",
				zap.String("meeting", w.result.Record.ConferenceID), zap.Int("told", done), zap.Int("left", all-done))
			return nil
		}
		next, err := c.slice(w, done, size)
		if err != nil {
			return err
		}
		if err := c.commitSlice(ctx, w, next); err != nil {
			return err
		}
		size, done = c.size(next.msgs[next.end-done]), next.end
	}
	c.finished(w)
	return nil
}

// slice is a part of a write that makes a batch: its events up to end.
type slice struct {
	first, end int
	record     *rollcall.Record
	msgs       []ledger.Message // events, the record, and what joins or leaves the tracked set
}

// slice returns the slice that begins with the event at first, as long as a batch
// allows. The record that it ends with is most likely no larger than the one
// before, which has this size, or the last one; if it is, the slice is shorter.
func (c *committer) slice(w *pendingWrite, first, size int) (slice, error) {
	room := ledger.MaxBatchBytes - max(size, c.size(w.record())) - c.size(w.extra()...)
	end := first
	for end < len(w.result.Events) && end-first < ledger.MaxBatchMessages-1-len(w.extra()) {
		if room -= c.size(w.events()[end]); room < 0 && end > first {
			break
		}
		end++
	}
	for {
		cut, err := c.sliceTo(w, first, end)
		if err != nil || end == first+1 || c.size(cut.msgs...) <= ledger.MaxBatchBytes {
			return cut, err
		}
		end = first + (end-first)/2
	}
}

func (c *committer) sliceTo(w *pendingWrite, first, end int) (slice, error) {
	cut := slice{first: first, end: end, record: w.result.Slice(w.prev, end)}
	msg, err := c.recordMessage(cut.record, w.entry.record.Revision())
	if err != nil {
		return cut, errors.Join(ledger.ErrRefused, err)
	}
	cut.msgs = append(append(cut.msgs, w.events()[first:end]...), msg)
	if cut.tracks(w) {
		cut.msgs = append(cut.msgs, w.extra()...)
	}
	return cut, nil
}

// tracks reports whether the slice says that the meeting joins the tracked set,
// which the first one does so that it is asked about again, or leaves it.
func (sl *slice) tracks(w *pendingWrite) bool {
	if w.tracked {
		return sl.first == 0
	}
	return sl.end == len(w.result.Events)
}

func (c *committer) commitSlice(ctx context.Context, w *pendingWrite, cut slice) error {
	first, err := c.cfg.Committer.Commit(ctx, cut.msgs)
	for ; errors.Is(err, ledger.ErrBusy) && ctx.Err() == nil && !c.trust.moved(); first, err = c.cfg.Committer.Commit(ctx, cut.msgs) {
		c.trouble.Note(err)
		c.metrics.commits.WithLabelValues("busy").Inc()
		c.cfg.Backlog.Hold()
		c.retry.wait(ctx)
	}
	if err != nil {
		return err
	}
	c.stored(w, cut.record, w.result.Events[cut.first:cut.end], first+uint64(cut.end-cut.first))
	if cut.tracks(w) {
		c.meetings.setTracked(w.entry, w.tracked)
	}
	return nil
}
