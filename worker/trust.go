package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/store"
	"rollcall/wire"
)

// What a shard holds of the ledger is trusted while
//
//   - the ledger has lately confirmed that this worker lives, and has been the
//     same one without a lapse,
//   - nobody seems to have claimed the shard after it, and
//   - every commit since was acknowledged.
//
// verify makes sure of it, and where one of these does not hold reads again
// what may have changed. All that is compared or committed comes after it.
func (s *shard) verify(ctx context.Context) error {
	lapses := s.w.beat.lapses.Load()
	sure := s.w.beat.fresh() && lapses == s.lapses && !s.doubt
	if sure && !s.unclear {
		return nil
	}
	if !sure {
		if err := s.lookWhoHolds(ctx); err != nil {
			return err
		}
	}
	if err := s.examine(ctx); err != nil {
		return err
	}
	s.lapses, s.doubt, s.unclear = lapses, false, false
	return nil
}

// lookWhoHolds reads the last claim, and gives up every record, to be read again.
func (s *shard) lookWhoHolds(ctx context.Context) error {
	if err := s.w.ground.look(ctx); err != nil {
		return err
	}
	claim, err := s.w.cfg.Ledger.Holder(ctx, s.tenant.cfg.Name, s.number)
	if err != nil {
		return fmt.Errorf("read who holds shard %d of tenant %s: %w", s.number, s.tenant.cfg.Name, err)
	}
	s.compareClaim(claim)
	s.claimAnew()
	for _, e := range s.entries {
		e.void()
	}
	return nil
}

// examine reads what was stored since everything was known to be right, takes it
// up, and closes the epochs of meetings whose events stand beyond their record:
// the broker has stored a batch in part. It comes after every claim and after
// every commit that was not acknowledged, and before the next one.
func (s *shard) examine(ctx context.Context) error {
	tail, err := s.w.cfg.Ledger.Tail(ctx, s.tenant.cfg.Name, max(s.sound(), s.examined))
	if err != nil {
		return err
	}
	s.takeUp(&tail)
	var suspects []string
	for id, last := range tail.Events {
		if e := s.entries[id]; e != nil && s.mine(id) && last.Revision > max(e.revision, tail.Records[id].Revision) {
			suspects = append(suspects, id)
		}
	}
	for id := range s.torn { // could not be closed: what is stored since tells nothing of it
		if s.entries[id] == nil {
			delete(s.torn, id)
			continue
		}
		suspects = append(suspects, id)
	}
	slices.Sort(suspects)
	suspects = slices.Compact(suspects)
	if err := s.reload(ctx, suspects, suspects); err != nil {
		return err
	}
	if err := s.mend(ctx); err != nil {
		return err
	}
	s.examined = max(s.examined, tail.Last)
	return s.rewrite(ctx)
}

// sound gives a stream sequence up to which no event stands beyond the record of
// its meeting. Whoever holds a shard commits nothing more to it before what was
// stored in part is mended: so the last record that was written in a term comes
// before it. Records of several terms are those of several holders.
func (s *shard) sound() uint64 {
	last := make(map[uint64]uint64) // by term
	for _, e := range s.entries {
		if e.tracked && !e.record.none() {
			term := e.record.number.Term
			last[term] = max(last[term], e.revision)
		}
	}
	if len(last) == 0 && s.term == 0 {
		return s.w.ground.end()
	}
	if len(last) == 0 {
		return s.term
	}
	least := uint64(0)
	for _, revision := range last {
		if least == 0 || revision < least {
			least = revision
		}
	}
	return least
}

// takeUp puts in what is newer than what is known of the tracked set and of records.
func (s *shard) takeUp(tail *ledger.Tail) {
	for id, r := range tail.Records {
		if e := s.entries[id]; s.mine(id) && (e == nil || r.Revision > e.revision) {
			s.keep(s.entries, r)
		}
	}
	for id, t := range tail.Tracked {
		e := s.entries[id]
		if !s.mine(id) || e == nil && t.Gone || e != nil && t.Revision <= e.tracking.Revision {
			continue
		}
		if e == nil {
			e = &entry{}
			s.entries[id] = e
		}
		s.retrack(e, &t)
	}
}

// readable reports whether an entry of the tracked set may be taken for one. What
// is garbage says at least that its meeting is tracked; it is written anew.
func (s *shard) readable(t *ledger.Tracking) bool {
	switch {
	case errors.Is(t.Err, wire.ErrNewerSchema):
		s.log.Error("an entry of the tracked set is of a newer version; it is left alone and not asked about",
			zap.String("meeting", t.ConferenceID), zap.Error(t.Err))
		return false
	case t.Err != nil && t.Source == "":
		s.log.Warn("an entry of the tracked set cannot be read; the meeting is tracked all the same",
			zap.String("meeting", t.ConferenceID), zap.Error(t.Err))
		s.w.metrics.unreadable.WithLabelValues(s.tenant.cfg.Name, "tracking").Inc()
		t.Source, t.Since = sourceRecovered, time.Now().UTC()
	}
	return true
}

// sourceRecovered marks meetings whose entry in the tracked set was garbage.
const sourceRecovered = "recovered"

// rewrite writes entries of the tracked set anew that could not be read.
func (s *shard) rewrite(ctx context.Context) error {
	for id, e := range s.entries {
		if e.tracking.Err == nil || !e.tracked || s.term == 0 {
			continue
		}
		e.tracking.Err = nil
		msg, err := store.TrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, e.tracking)
		if err == nil {
			err = s.commitClaimed(ctx, msg)
		}
		if err != nil {
			return fmt.Errorf("write the entry of meeting %q in the tracked set anew: %w", id, err)
		}
	}
	return nil
}

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
		if found && record.Revision < e.revision {
			return s.lags(ctx, fmt.Errorf("read the record of meeting %q: the answer is older than what was known", id))
		}
		e.take(record, found)
		s.retrack(e, record.Tracking)
		if !found || record.Err != nil {
			doubtful = append(doubtful, id)
		}
		e.known = s.questions()
	}
	s.w.ground.right(s.records())
	if err := s.holdAgainstEvents(ctx, doubtful, stored); err != nil {
		for _, id := range doubtful {
			s.entries[id].void()
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
		case why != nil, last[id].Revision > e.revision && (e.tracked || e.revision > 0):
			if s.torn == nil {
				s.torn = make(map[string]torn)
			}
			s.torn[id] = torn{last[id], why}
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
			s.entries[id].void()
			s.unclear = true
			return fmt.Errorf("close the epoch of meeting %q: %w", id, err)
		}
		delete(s.torn, id)
	}
	return nil
}

func (s *shard) close(ctx context.Context, id string, t torn) error {
	e := s.entries[id]
	closed := s.closed(id, e.record.whole(), t.last)
	msg, err := s.recordMessage(closed, e.revision)
	if err != nil {
		return err
	}
	msgs := []ledger.Message{msg}
	// What is over is asked about again: its last events may say that it goes on.
	if e.tracked || !e.record.none() && !e.record.untracked {
		if e.tracking.ConferenceID == "" {
			e.tracking = ledger.Tracking{ConferenceID: id, Source: "reopened", Since: closed.ObservedAt}
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
	e.record.put(closed)
	e.revision, e.loaded, e.raw, e.refused = first, true, nil, refusal{}
	e.fenced = closed.Number.Term == s.term
	e.tracked = len(msgs) > 1
	e.tracking.Revision = first + 1
	e.learned(e.asked)
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
	if r := e.record.shown(); r != nil {
		recorded = r.Sequence
	}
	s.w.metrics.torn.WithLabelValues(s.tenant.cfg.Name).Inc()
	s.log.Warn("events stand beyond a meeting's record: the broker has stored a batch in part; its epoch ends, and the next answer opens another one",
		zap.String("meeting", id), zap.Int64("epoch", t.last.Epoch), zap.Uint64("sequence", t.last.Sequence), zap.Uint64("recorded", recorded))
}
