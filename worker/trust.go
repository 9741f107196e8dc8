package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

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
	lapses := s.w.heart.Lapses()
	sure := s.w.heart.Fresh() && lapses == s.lapses && !s.doubt
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
		e.record.Void()
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
		if e := s.entries[id]; e != nil && s.mine(id) && last.Revision > max(e.record.Revision(), tail.Records[id].Revision) {
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
	if err := s.reload(ctx, s.andAdrift(suspects), suspects); err != nil {
		return err
	}
	if err := s.mend(ctx); err != nil {
		return err
	}
	s.examined = max(s.examined, tail.Last)
	return s.rewrite(ctx)
}

// andAdrift adds the meetings whose record and entry in the tracked set do not
// belong together: another worker has stored both between two readings, or the
// broker has stored a batch in part.
func (s *shard) andAdrift(ids []string) []string {
	all := slices.Clone(ids)
	for id, e := range s.entries {
		if _, found := slices.BinarySearch(ids, id); !found && e.adrift() {
			all = append(all, id)
		}
	}
	return all
}

// sound gives a stream sequence up to which no event stands beyond the record of
// its meeting. Whoever holds a shard commits nothing more to it before what was
// stored in part is mended: so the last record that was written in a term comes
// before it. Records of several terms are those of several holders.
func (s *shard) sound() uint64 {
	last := make(map[uint64]uint64) // by term
	for _, e := range s.entries {
		if e.tracked && !e.record.None() {
			term := e.record.Number().Term
			last[term] = max(last[term], e.record.Revision())
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
		if e := s.entries[id]; s.mine(id) && (e == nil || r.Revision > e.record.Revision()) {
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

// sourceRecovered marks meetings whose entry in the tracked set was garbage, or lost.
const sourceRecovered = "recovered"

// rewrite writes entries of the tracked set anew that were lost or could not be
// read, and removes those of meetings that are over.
func (s *shard) rewrite(ctx context.Context) error {
	for id, e := range s.entries {
		if e.tracking.Err == nil && !e.stray || !e.tracked && !e.stray || s.term == 0 {
			continue
		}
		msg, err := store.UntrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, id), error(nil)
		if e.tracked {
			msg, err = store.TrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, e.tracking)
		}
		if err == nil {
			err = s.commitClaimed(ctx, msg)
		}
		if err != nil {
			return fmt.Errorf("write the entry of meeting %q in the tracked set anew: %w", id, err)
		}
		e.tracking.Err, e.stray = nil, false
	}
	return nil
}
