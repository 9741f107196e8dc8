package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/store"
)

// track puts the meeting on the tracked set. One that is there is said to be
// once more, so that the ledger tells whether the shard is still ours. Whoever
// gives it other labels than it had is its source from now on: the configuration
// gives its own back to nobody else's.
func (s *shard) track(ctx context.Context, id, source string, labels rollcall.Labels) error {
	delete(s.declined, id)
	e := s.entries[id]
	if e == nil {
		e = &entry{}
	}
	tracking := ledger.Tracking{ConferenceID: id, Source: source, Since: time.Now().UTC(), Labels: labels}
	same := e.tracked && (labels == nil || maps.Equal(labels, e.tracking.Labels))
	if e.tracked {
		tracking = e.tracking
	}
	if e.tracked && !same {
		tracking.Labels, tracking.Source = labels, source
	}
	msg, err := store.TrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, tracking)
	if err != nil {
		return fmt.Errorf("encode tracking: %w", err)
	}
	if err := s.outcome(ctx, id, true, s.commitClaimed(ctx, msg)); err != nil {
		s.unsureOf(err, id)
		return err
	}
	if same {
		return nil
	}
	e.tracking, e.tracked = tracking, true
	e.record.Void() // the next answer counts, also one that is known already
	s.entries[id] = e
	s.replan()
	return nil
}

// commitClaimed stores what no record guards, such as members of the tracked
// set: the ledger takes it only while the shard's claim is the last, so that
// whoever claims the shard after it reads it, and nobody else changes the set.
func (s *shard) commitClaimed(ctx context.Context, msgs ...ledger.Message) error {
	first := &msgs[0]
	first.Guarded, first.Expect, first.ExpectOf = true, s.term, s.w.cfg.Names.Claim(s.tenant.cfg.Name, s.number)
	_, err := s.w.cfg.Committer.Commit(ctx, msgs)
	for tries := 0; errors.Is(err, ledger.ErrUnknown) && tries < 3 && ctx.Err() == nil; tries++ {
		_, err = s.w.cfg.Committer.Commit(ctx, msgs) // to say it twice is to say it once
	}
	s.unclear = s.unclear || err != nil
	if errors.Is(err, ledger.ErrStale) {
		s.doubt = true
		return fmt.Errorf("%w: %w", ErrNotHeld, err)
	}
	return err
}

// unsureOf notes the meetings of which nobody can tell, after this error, whether
// they are tracked.
func (s *shard) unsureOf(err error, ids ...string) {
	if !errors.Is(err, ledger.ErrUnknown) {
		return
	}
	for _, id := range ids {
		if s.entries[id] == nil {
			s.entries[id] = &entry{}
		}
		s.entries[id].record.Void()
		s.unsure[id] = true
	}
}

// makeSure reads what became of such meetings.
func (s *shard) makeSure(ctx context.Context) {
	if len(s.unsure) == 0 || s.entries == nil {
		return
	}
	var unread []*rollcall.Sighting
	for id := range s.unsure {
		unread = append(unread, &rollcall.Sighting{ConferenceID: id})
	}
	if err := s.load(ctx, unread); err != nil {
		return // whoever waits for an answer hears of it; the next beat asks again
	}
	clear(s.unsure)
	s.makePlan()
}

// outcome tells what became of an order about a meeting that was not
// acknowledged: the tracked set itself says whether it took effect.
func (s *shard) outcome(ctx context.Context, id string, want bool, err error) error {
	if !errors.Is(err, ledger.ErrUnknown) {
		return err
	}
	s.unclear = true
	if s.verify(ctx) != nil {
		return err
	}
	if e := s.entries[id]; (e != nil && e.tracked) != want {
		return err
	}
	return nil
}
