package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/store"
	"rollcall/wire"
)

// torn is a meeting whose epoch cannot go on.
type torn struct {
	last ledger.Last
	why  error // its record cannot be read; nil: its events stand beyond its record
}

// reload reads the records of these meetings. Those without a record, and the
// suspects, are held against their last event: an epoch whose events stand
// beyond its record is closed by [shard.mend].
func (s *shard) reload(ctx context.Context, ids, suspects []string) error {
	if len(ids) == 0 {
		return nil
	}
	stored, err := s.w.cfg.Ledger.Load(ctx, s.tenant.cfg.Name, ids)
	if err != nil {
		return fmt.Errorf("read %d records: %w", len(ids), err)
	}
	doubtful := slices.Clone(suspects)
	for _, id := range ids {
		record := stored[id]
		found, e := record.Revision > 0, s.entries[id]
		if found && record.Revision < e.record.Revision() {
			return s.lags(ctx, fmt.Errorf("read the record of meeting %q: the answer is older than what was known", id))
		}
		e.record.Read(record.Record, record.Revision)
		s.retrack(e, e.paired(id, record.Tracking))
		if !found || record.Err != nil || e.stray {
			doubtful = append(doubtful, id)
		}
		e.known = s.questions()
	}
	s.w.ground.right(s.records())
	if err := s.holdAgainstEvents(ctx, doubtful, stored); err != nil {
		for _, id := range doubtful {
			s.entries[id].record.Void()
		}
		return err
	}
	return nil
}

// holdAgainstEvents looks for events beyond the records of these meetings.
func (s *shard) holdAgainstEvents(ctx context.Context, ids []string, stored map[string]ledger.Stored) error {
	if len(ids) == 0 {
		return nil
	}
	last, err := s.w.cfg.Ledger.LastEvents(ctx, s.tenant.cfg.Name, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		e, why := s.entries[id], stored[id].Err
		delete(s.torn, id) // as it is now
		switch {
		case errors.Is(why, wire.ErrNewerSchema):
			s.refuse(e, id, why)
		case why != nil, last[id].Revision > e.record.Revision() && (e.tracked || e.record.Revision() > 0):
			if s.torn == nil {
				s.torn = make(map[string]torn)
			}
			s.torn[id] = torn{last[id], why}
		case e.stray && e.record.Untracked() && last[id].Revision > 0 && !last[id].Untracked:
			lost := *stored[id].Tracking // of an epoch that was closed: what was to say that the meeting is tracked on
			lost.Revision, lost.Err = e.record.Revision()+1, errNoEntry
			s.retrack(e, &lost)
		}
	}
	return nil
}

// mend closes the epochs that cannot go on: their meetings are recorded as
// meetings are that were taken off the tracked set, so that the next answer
// opens another epoch, and an id is never used for two contents.
func (s *shard) mend(ctx context.Context) error {
	for id, t := range s.torn {
		if err := s.close(ctx, id, t); err != nil {
			s.entries[id].record.Void()
			s.unclear = true
			return fmt.Errorf("close the epoch of meeting %q: %w", id, err)
		}
		delete(s.torn, id)
	}
	return nil
}

func (s *shard) close(ctx context.Context, id string, t torn) error {
	e := s.entries[id]
	closed := s.closed(id, e.record.Whole(), t.last)
	msg, err := s.recordMessage(closed, e.record.Revision())
	if err != nil {
		return err
	}
	msgs := []ledger.Message{msg}
	// What is over is asked about again: its last events may say that it goes on.
	if e.tracked || !e.record.None() && !e.record.Untracked() {
		if e.tracking.ConferenceID == "" {
			e.tracking = ledger.Tracking{ConferenceID: id, Source: "reopened", Since: closed.ObservedAt, Labels: closed.Labels}
		}
		entry, err := store.TrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, e.tracking)
		if err != nil {
			return err
		}
		msgs = append(msgs, entry)
	}
	first, err := s.w.cfg.Committer.Commit(ctx, msgs)
	if err != nil {
		return err
	}
	s.tellClosed(id, e, t)
	s.w.ground.note(first + 1)
	e.record.Wrote(closed, first, closed.Number.Term == s.term, e.record.Asked())
	e.refused = refusal{}
	e.tracked = len(msgs) > 1
	e.tracking.Revision = first + 1
	s.replan()
	return nil
}

// closed is the record of an epoch that cannot go on.
func (s *shard) closed(id string, prev *rollcall.Record, last ledger.Last) *rollcall.Record {
	closed := &rollcall.Record{Tenant: s.tenant.cfg.Name, ConferenceID: id}
	if prev != nil {
		*closed = *prev
		closed.Roster, closed.Memory, closed.Partial, closed.Misses, closed.Meeting.Present = nil, nil, nil, 0, 0
	}
	closed.Untracked = true
	if last.Epoch > closed.Epoch {
		closed.Epoch, closed.Sequence = last.Epoch, 0
	}
	if last.Epoch == closed.Epoch {
		closed.Sequence = max(closed.Sequence, last.Sequence)
	}
	if s.term > closed.Number.Term {
		closed.Number = rollcall.Number{Term: s.term}
	}
	return closed
}

func (s *shard) tellClosed(id string, e *entry, t torn) {
	if t.why != nil {
		s.w.metrics.unreadable.WithLabelValues(s.tenant.cfg.Name, "record").Inc()
		s.log.Warn("a record cannot be read; its epoch ends, and the next answer opens another one",
			zap.String("meeting", id), zap.Int64("epoch", t.last.Epoch), zap.Uint64("sequence", t.last.Sequence), zap.Error(t.why))
		return
	}
	recorded := uint64(0)
	if r := e.record.Shown(); r != nil {
		recorded = r.Sequence
	}
	s.w.metrics.torn.WithLabelValues(s.tenant.cfg.Name).Inc()
	s.log.Warn("events stand beyond a meeting's record: the broker has stored a batch in part; its epoch ends, and the next answer opens another one",
		zap.String("meeting", id), zap.Int64("epoch", t.last.Epoch), zap.Uint64("sequence", t.last.Sequence), zap.Uint64("recorded", recorded))
}
