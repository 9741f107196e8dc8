package worker

import (
	"context"
	"slices"
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
// meeting. A step that does not fit stands alone, and behind the others. limit
// bounds the meetings of a batch; 0: none.
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
	return slicedLast(batches)
}

// slicedLast lets the meetings that fit into batches go before those that need
// several: their slices are many, and large.
func slicedLast(batches [][]step) [][]step {
	sliced := func(batch []step) int {
		if batch[0].fits() {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(batches, func(a, b []step) int { return sliced(a) - sliced(b) })
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

// stored notes what the ledger now holds of the meeting.
func (s *shard) stored(st *step, record *rollcall.Record, events []rollcall.Event, revision uint64) {
	e := st.entry
	e.record.Wrote(record, revision, st.obs.Number.Term == s.term, record.ObservedAt)
	s.w.ground.note(revision)
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
	if st.sighting.Kind == rollcall.SightingListed {
		st.entry.record.LedBy(st.sighting.Raw)
	}
	if st.result.Anew {
		s.tenant.saidAnew.Do(func() {
			s.tenant.log.Info("the names of people are omitted from now on: each meeting whose record shows any begins a new epoch, " +
				"told from the beginning; earlier events keep the names until the retention is over")
		})
	}
	s.noteTracked(st)
}

// noteTracked notes that the ledger holds whether the meeting is tracked from now on.
func (s *shard) noteTracked(st *step) {
	if e := st.entry; e.tracked != st.tracked {
		e.tracked = st.tracked
		s.replan()
	}
}
