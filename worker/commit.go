package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
)

// size is what messages count for against the limit of a batch, in bytes.
func (s *shard) size(msgs ...ledger.Message) int {
	n := 0
	for i := range msgs {
		n += msgs[i].Size(s.w.cfg.Names)
	}
	return n
}

func (st *step) count() int { return st.end - st.first }

// fits reports whether the step can be part of one batch.
func (st *step) fits() bool {
	return st.count() <= ledger.MaxBatchMessages && st.size <= ledger.MaxBatchBytes
}

// cut packs steps into batches, full ones first; it never cuts within a
// meeting. A step that does not fit stands alone. limit bounds the meetings
// of a batch; 0: none.
func cut(steps []step, limit int) [][]step {
	var batches [][]step
	start, count, bytes := 0, 0, 0
	for i := range steps {
		st := &steps[i]
		full := count+st.count() > ledger.MaxBatchMessages || bytes+st.size > ledger.MaxBatchBytes ||
			limit > 0 && i-start >= limit
		if full && i > start {
			batches = append(batches, steps[start:i])
			start, count, bytes = i, 0, 0
		}
		count += st.count()
		bytes += st.size
	}
	if start < len(steps) {
		batches = append(batches, steps[start:])
	}
	return batches
}

// commit stores a batch, or a step that is too large for one in slices.
func (s *shard) commit(ctx context.Context, batch []step) error {
	if len(batch) == 1 && !batch[0].fits() {
		return s.commitSlices(ctx, &batch[0])
	}
	from, to := &batch[0], &batch[len(batch)-1]
	first, err := s.w.cfg.Committer.Commit(ctx, from.draft.Messages[from.first:to.end:to.end])
	if err != nil {
		return err
	}
	for i := range batch {
		st := &batch[i]
		s.stored(st, st.result.Record, st.result.Events, first+uint64(len(st.result.Events)))
		s.finished(st)
		first += uint64(st.count())
	}
	s.w.metrics.commits.WithLabelValues("stored").Inc()
	return nil
}

// commitSlices stores the events of one meeting in several batches, each with
// the record as it is after them.
func (s *shard) commitSlices(ctx context.Context, st *step) error {
	if size := s.size(st.record()); size > ledger.MaxBatchBytes {
		return fmt.Errorf("%w: the record alone has %d bytes, a batch at most %d", ledger.ErrRefused, size, ledger.MaxBatchBytes)
	}
	reserve, err := s.reserve(st)
	if err != nil {
		return err
	}
	done := 0
	for done < len(st.result.Events) {
		end := s.slice(st, done, ledger.MaxBatchBytes-reserve)
		record := st.result.Slice(st.prev, end)
		msg, err := s.recordMessage(record, st.entry.revision)
		if err != nil {
			return errors.Join(ledger.ErrRefused, err)
		}
		msgs := append(append([]ledger.Message{}, st.events()[done:end]...), msg)
		if end == len(st.result.Events) {
			msgs = append(msgs, st.extra()...)
		}
		first, err := s.w.cfg.Committer.Commit(ctx, msgs)
		for ; errors.Is(err, ledger.ErrBusy) && ctx.Err() == nil && !s.moved(); first, err = s.w.cfg.Committer.Commit(ctx, msgs) {
			s.trouble.note(err)
			s.w.metrics.commits.WithLabelValues("busy").Inc()
			s.w.backlog.Hold()
			s.wait(ctx)
		}
		if err != nil {
			return err
		}
		s.stored(st, record, st.result.Events[done:end], first+uint64(end-done))
		done = end
	}
	s.finished(st)
	return nil
}

// reserve is the room that every slice leaves for what is not an event. A
// record in the middle holds no more than the first and the last together.
func (s *shard) reserve(st *step) (int, error) {
	n := s.size(st.record()) + s.size(st.extra()...)
	if st.prev == nil {
		return n, nil
	}
	msg, err := s.recordMessage(st.prev, 0)
	if err != nil {
		return 0, errors.Join(ledger.ErrRefused, err)
	}
	return n + s.size(msg), nil
}

// slice gives the end of the slice of events that starts at done and takes
// no more than room bytes.
func (s *shard) slice(st *step, done, room int) int {
	end := done
	for end < len(st.result.Events) && end-done < ledger.MaxBatchMessages-1-len(st.extra()) {
		if room -= s.size(st.events()[end]); room < 0 && end > done {
			break
		}
		end++
	}
	return end
}

// stored notes what the ledger now holds of the meeting.
func (s *shard) stored(st *step, record *rollcall.Record, events []rollcall.Event, revision uint64) {
	e := st.entry
	e.record.put(record)
	e.revision, e.loaded = revision, true
	s.w.ground.note(revision)
	e.fenced = st.obs.Number.Term == s.term
	e.raw = nil
	e.learned(record.ObservedAt)
	if e.refused.err != nil {
		e.refused = refusal{}
		s.replan()
		s.log.Info("a meeting is stored again that could not be", zap.String("meeting", record.ConferenceID))
	}
	if len(events) > 0 && s.tenant.cfg.Budget != nil {
		s.news.note(record.ConferenceID, time.Now())
	}
	for i := range events {
		s.w.metrics.events.WithLabelValues(s.tenant.cfg.Name, string(events[i].Type)).Inc()
		if events[i].Reason == rollcall.ReasonUnknownMeeting {
			s.log.Warn("DingTalk does not know a meeting; it is no longer tracked: is its id right?",
				zap.String("meeting", record.ConferenceID), zap.String("source", e.tracking.Source))
		}
	}
}

// finished notes that the whole step is stored.
func (s *shard) finished(st *step) {
	e := st.entry
	if st.sighting.Kind == rollcall.SightingListed {
		e.raw = st.sighting.Raw
	}
	if st.result.Anew {
		s.tenant.saidAnew.Do(func() {
			s.tenant.log.Info("the names of people are omitted from now on: each meeting whose record shows any begins a new epoch, " +
				"told from the beginning; earlier events keep the names until the retention is over")
		})
	}
	if e.tracked != st.tracked {
		e.tracked = st.tracked
		s.replan()
	}
}
