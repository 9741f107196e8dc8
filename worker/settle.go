package worker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
)

// group is a set of sightings that are committed, and if need be tried again, together.
type group struct {
	sightings []*rollcall.Sighting
	stale     int // how often the ledger had moved on
	limit     int // meetings a batch may hold; 0: as many as fit
}

// settle compares an observation with what is stored and commits the
// difference. It comes back when that is done (true) or when ctx ends.
// Whatever went wrong, the way on is the same: read, compare, commit.
func (s *shard) settle(ctx context.Context, obs *rollcall.Observation) bool {
	if !s.know(ctx) {
		return false
	}
	todo := []group{{sightings: s.notable(obs)}}
	stale := 0
	for len(todo) > 0 && ctx.Err() == nil && !s.moved() {
		again, err := s.attempt(ctx, obs, todo[0])
		todo = append(again, todo[1:]...)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			s.works(&s.trouble)
			stale = 0
			continue
		}
		s.trouble.Note(err)
		if errors.Is(err, ledger.ErrStale) {
			if stale++; stale > 2 {
				s.wait(ctx)
			}
		} else if waits(err) {
			s.w.backlog.Hold()
			s.wait(ctx)
		}
	}
	return ctx.Err() == nil && !s.moved()
}

// know reads what is stored of the shard where nothing is known of it: when an
// earlier process's observations come before the claim, or late ones after it.
func (s *shard) know(ctx context.Context) bool {
	for s.entries == nil && ctx.Err() == nil && !s.moved() {
		entries, err := s.readFirst(ctx)
		if ctx.Err() != nil {
			return false
		}
		if s.trouble.Note(err); err != nil {
			s.w.backlog.Hold()
			s.wait(ctx)
			continue
		}
		s.entries, s.examined = entries, 0
		for _, e := range entries {
			e.known = s.questions()
		}
		s.unclear = true // and examined before anything is compared
	}
	return ctx.Err() == nil && !s.moved()
}

// readFirst reads the entries once it is known which ledger they are of.
func (s *shard) readFirst(ctx context.Context) (map[string]*entry, error) {
	if !s.w.ground.position().Known() {
		if err := s.w.ground.look(ctx); err != nil {
			return nil, err
		}
	}
	return s.read(ctx)
}

// waits tells the failures that pass with time from those where the next
// attempt is another one.
func waits(err error) bool {
	return !errors.Is(err, ledger.ErrStale) && !errors.Is(err, ledger.ErrRefused)
}

// notable gives the sightings that need more than a glance: a meeting whose
// answer is, byte for byte, the one that led to its record is left out.
func (s *shard) notable(obs *rollcall.Observation) []*rollcall.Sighting {
	trusted := s.w.heart.Fresh() && s.lapses == s.w.heart.Lapses() && !s.doubt
	var out []*rollcall.Sighting
	for i := range obs.Sightings {
		sighting := &obs.Sightings[i]
		e := s.entries[sighting.ConferenceID]
		if trusted && e != nil && sighting.Kind == rollcall.SightingListed && e.record.Unchanged(sighting.Raw, obs.Number, obs.AskedAt) {
			continue
		}
		out = append(out, sighting)
	}
	return out
}

// attempt compares and commits one group. It gives what has to be tried
// again, and the error that made it so.
func (s *shard) attempt(ctx context.Context, obs *rollcall.Observation, g group) ([]group, error) {
	if err := s.verify(ctx); err != nil {
		return []group{g}, err
	}
	if err := s.load(ctx, g.sightings); err != nil {
		return []group{g}, err
	}
	if len(g.sightings) == 0 {
		return nil, nil
	}
	draft := s.w.drafts.Get().(*ledger.Draft)
	defer func() {
		draft.Reset()
		s.w.drafts.Put(draft)
	}()
	batches := cut(s.compare(obs, g.sightings, draft), g.limit)
	for i, batch := range batches {
		if err := s.commit(ctx, batch); err != nil {
			again := s.failed(err, batch, g)
			for _, rest := range batches[i+1:] {
				again = append(again, group{sightings: sightingsOf(rest), limit: g.limit})
			}
			return again, err
		}
	}
	return nil, nil
}

// load reads, in one request, the records that are not known.
func (s *shard) load(ctx context.Context, sightings []*rollcall.Sighting) error {
	var ids []string
	for _, sighting := range sightings {
		e := s.entries[sighting.ConferenceID]
		if e == nil {
			e = &entry{}
			s.entries[sighting.ConferenceID] = e
		}
		if !e.record.Loaded() {
			ids = append(ids, sighting.ConferenceID)
		}
	}
	if err := s.reload(ctx, ids, nil); err != nil {
		return err
	}
	return s.mend(ctx)
}

// retrack takes up whether the meeting is tracked, as read with its record: it may
// have been changed under another claim, or by a commit whose answer was lost.
func (s *shard) retrack(e *entry, t *ledger.Tracking) {
	// The record of an end came with what took the entry away: the broker has
	// stored that in part, or was killed and has brought it back.
	e.stray = t != nil && !t.Gone && e.record.Over() && t.Revision < e.record.Revision()
	tracked := t != nil && !t.Gone && !e.stray && s.readable(t)
	if tracked {
		e.tracking = *t
	}
	if tracked != e.tracked {
		e.tracked = tracked
		s.replan()
	}
}

// questions is how many were asked in this term.
func (s *shard) questions() uint64 {
	if s.own == nil {
		return 0
	}
	return s.own.polls.Load()
}

// failed says what to try again after a batch was not stored, or only in part.
func (s *shard) failed(err error, batch []step, g group) []group {
	s.unclear = true
	again := group{sightings: sightingsOf(batch), stale: g.stale, limit: g.limit}
	switch {
	case errors.Is(err, ledger.ErrRefused) && len(batch) == 1:
		s.w.metrics.commits.WithLabelValues("refused").Inc()
		s.refuse(batch[0].entry, batch[0].sighting.ConferenceID, err)
		return nil
	case errors.Is(err, ledger.ErrRefused):
		again.limit = 1
	case errors.Is(err, ledger.ErrStale):
		s.w.metrics.commits.WithLabelValues("stale").Inc()
		again.stale++
		if again.stale >= 3 {
			again.stale, again.limit = 0, max(1, len(batch)/2)
		}
		voidAll(batch)
	case errors.Is(err, ledger.ErrFull), errors.Is(err, ledger.ErrBusy):
		s.w.metrics.commits.WithLabelValues("busy").Inc()
	default:
		s.w.metrics.commits.WithLabelValues("unknown").Inc()
		voidAll(batch)
	}
	return []group{again}
}

func voidAll(batch []step) {
	for i := range batch {
		batch[i].entry.record.Void()
	}
}

func sightingsOf(batch []step) []*rollcall.Sighting {
	out := make([]*rollcall.Sighting, len(batch))
	for i := range batch {
		out[i] = batch[i].sighting
	}
	return out
}

// refuse keeps a meeting apart that can be neither read nor stored. The others go on.
func (s *shard) refuse(e *entry, id string, err error) {
	e.refused.note(err, time.Now())
	s.replan()
	s.log.Warn("a meeting is set aside: its record can be neither read nor stored",
		zap.String("meeting", id), zap.Int("attempt", e.refused.count),
		zap.Duration("again_in", e.refused.again()), zap.Error(err))
}
