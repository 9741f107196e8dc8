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
// the whole record. What is left is told by the next poll, so that a crowd
// does not keep the other meetings of its shard waiting.
const mostSlices = 8

// commitSlices stores the events of one meeting in several batches, each with
// the record as it is after them.
func (s *shard) commitSlices(ctx context.Context, st *step) error {
	if size := s.size(st.record()); size > ledger.MaxBatchBytes {
		return fmt.Errorf("%w: the record alone has %d bytes, a batch at most %d", ledger.ErrRefused, size, ledger.MaxBatchBytes)
	}
	size, done, all := 0, 0, len(st.result.Events)
	if st.prev != nil {
		msg, err := s.recordMessage(st.prev, 0)
		if err != nil {
			return errors.Join(ledger.ErrRefused, err)
		}
		size = s.size(msg)
	}
	for n := 0; done < all; n++ {
		if n == mostSlices && st.goesOn() {
			s.log.Info("an answer is too much for one poll; the next poll tells the rest",
				zap.String("meeting", st.result.Record.ConferenceID), zap.Int("told", done), zap.Int("left", all-done))
			return nil
		}
		next, err := s.slice(st, done, size)
		if err != nil {
			return err
		}
		if err := s.commitSlice(ctx, st, next); err != nil {
			return err
		}
		size, done = s.size(next.msgs[next.end-done]), next.end
	}
	s.finished(st)
	return nil
}

// goesOn reports whether the next poll tells what this one leaves out. After an
// end that was looked up, or an operator's word, there may be none.
func (st *step) goesOn() bool { return st.sighting.Kind == rollcall.SightingListed }

// slice is a part of a step that makes a batch: its events up to end.
type slice struct {
	first, end int
	record     *rollcall.Record
	msgs       []ledger.Message // events, the record, and what joins or leaves the tracked set
}

// slice gives the slice that begins with the event at first, as long as a batch
// allows. The record that it ends with is most likely no larger than the one
// before, which has this size, or the last one; if it is, the slice is shorter.
func (s *shard) slice(st *step, first, size int) (slice, error) {
	room := ledger.MaxBatchBytes - max(size, s.size(st.record())) - s.size(st.extra()...)
	end := first
	for end < len(st.result.Events) && end-first < ledger.MaxBatchMessages-1-len(st.extra()) {
		if room -= s.size(st.events()[end]); room < 0 && end > first {
			break
		}
		end++
	}
	for {
		cut, err := s.sliceTo(st, first, end)
		if err != nil || end == first+1 || s.size(cut.msgs...) <= ledger.MaxBatchBytes {
			return cut, err
		}
		end = first + (end-first)/2
	}
}

func (s *shard) sliceTo(st *step, first, end int) (slice, error) {
	cut := slice{first: first, end: end, record: st.result.Slice(st.prev, end)}
	msg, err := s.recordMessage(cut.record, st.entry.record.Revision())
	if err != nil {
		return cut, errors.Join(ledger.ErrRefused, err)
	}
	cut.msgs = append(append(cut.msgs, st.events()[first:end]...), msg)
	if cut.tracks(st) {
		cut.msgs = append(cut.msgs, st.extra()...)
	}
	return cut, nil
}

// tracks reports whether the slice says that the meeting joins the tracked set,
// which the first one does so that it is asked about again, or leaves it.
func (c *slice) tracks(st *step) bool {
	if st.tracked {
		return c.first == 0
	}
	return c.end == len(st.result.Events)
}

func (s *shard) commitSlice(ctx context.Context, st *step, cut slice) error {
	first, err := s.w.cfg.Committer.Commit(ctx, cut.msgs)
	for ; errors.Is(err, ledger.ErrBusy) && ctx.Err() == nil && !s.moved(); first, err = s.w.cfg.Committer.Commit(ctx, cut.msgs) {
		s.trouble.Note(err)
		s.w.metrics.commits.WithLabelValues("busy").Inc()
		s.w.backlog.Hold()
		s.wait(ctx)
	}
	if err != nil {
		return err
	}
	s.stored(st, cut.record, st.result.Events[cut.first:cut.end], first+uint64(cut.end-cut.first))
	if cut.tracks(st) {
		s.noteTracked(st)
	}
	return nil
}
