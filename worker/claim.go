package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/store"
	"rollcall/worker/membership"
)

// mayClaim reports whether nobody who may still have something to settle holds
// the shard. After a start, or a lapse that may have met everybody, whoever
// claimed it last and is not there counts as alive for a TTL.
func (s *shard) mayClaim(ctx context.Context) bool {
	if s.w.heart.Settled() {
		return true
	}
	claim, err := s.w.cfg.Ledger.Holder(ctx, s.tenant.cfg.Name, s.number)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		s.claiming.Note(fmt.Errorf("read who holds shard %d of tenant %s: %w", s.number, s.tenant.cfg.Name, err))
		s.wait(ctx)
		return false
	}
	if claim.Holder == "" || claim.Holder == s.w.cfg.ID || s.w.peers.Alive(claim.Holder) {
		return true
	}
	s.retry = time.Now().Add(s.w.cfg.MemberTTL / 4)
	return false
}

// claim takes the shard under a new term and reads what is stored of it. The
// claim comes first: what is read after it can only be changed by somebody
// whose term is lower, and the compare-and-swap catches that.
func (s *shard) claim(ctx context.Context) error {
	name := s.tenant.cfg.Name
	lapses := s.w.heart.Lapses()
	claim, err := s.w.cfg.Ledger.Claim(ctx, name, s.number, s.w.cfg.ID)
	if err != nil {
		return fmt.Errorf("claim shard %d of tenant %s: %w", s.number, name, err)
	}
	if err := s.stillDivided(ctx); err != nil {
		return err
	}
	entries, err := s.read(ctx)
	if err != nil {
		return err
	}
	s.entries, s.term, s.lapses, s.doubt, s.examined = entries, claim.Term, lapses, false, 0
	s.unclear = true // until it is examined, also where that is for an answer that comes late
	s.w.ground.note(claim.Term)
	hold := &hold{term: claim.Term, began: time.Now()}
	s.own = hold
	if err := s.examine(ctx); err != nil {
		return err
	}
	s.unclear = false
	if err := s.reconcile(ctx, hold); err != nil {
		return err
	}
	s.replan()
	s.makePlan()
	s.hold(hold)
	s.log.Info("shard claimed", zap.Uint64("term", claim.Term), zap.Int("tracked", len(s.plan.Load().ids)))
	return nil
}

// read gives the entries of the shard: its tracked meetings and those that
// the configuration names or that vanished lately. The tracked set comes last:
// whoever still writes records puts meetings back into it with them.
func (s *shard) read(ctx context.Context) (map[string]*entry, error) {
	all, err := s.tenant.readings.get(ctx)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*entry, len(all.tracked))
	for _, t := range all.tracked {
		if s.mine(t.ConferenceID) {
			e := &entry{kept: t.Looked} // without a record it is still to be held against its events
			s.retrack(e, &t)
			entries[t.ConferenceID] = e
		}
	}
	for _, r := range all.records {
		if s.mine(r.ConferenceID) {
			s.keep(entries, r)
		}
	}
	return entries, nil
}

// keep puts a stored record into entries where it is of use. Of a meeting that
// goes on and is not in the tracked set both are read again, by [shard.examine].
func (s *shard) keep(entries map[string]*entry, r ledger.Stored) {
	e := entries[r.ConferenceID]
	fresh := e == nil
	if fresh {
		e = &entry{}
	}
	e.record.Read(r.Record, r.Revision)
	e.known = s.questions()
	if e.tracked {
		s.retrack(e, &e.tracking)
	}
	if r.Err != nil {
		e.record.Void() // it is mended before the next answer
	}
	if fresh && (s.tenant.named[r.ConferenceID] || e.watched(time.Now()) || e.adrift()) {
		entries[r.ConferenceID] = e
	}
}

func (s *shard) mine(conferenceID string) bool {
	return membership.ShardOf(conferenceID, s.of) == s.number
}

// reconcile brings the tracked set in line with the configuration.
func (s *shard) reconcile(ctx context.Context, hold *hold) error {
	if err := errors.Join(s.trackNamed(ctx), s.relabel(ctx)); err != nil {
		return err
	}
	for id, e := range s.entries {
		if e.tracked && e.tracking.Source == sourceConfig && !s.tenant.named[id] {
			err := s.untrack(ctx, hold, id, rollcall.ReasonOperator)
			if err != nil && (ctx.Err() != nil || s.entries[id].refused.err == nil && !errors.Is(err, errOverlap)) {
				return err
			}
			s.freed[id] = true
			if err != nil { // it alone stays tracked; the others are not to wait for it
				s.log.Warn("a meeting that the configuration no longer names is still tracked",
					zap.String("meeting", id), zap.Error(err))
			}
		}
	}
	return nil
}

// sourceConfig marks meetings that are tracked because the configuration says so.
const sourceConfig = "config"

func (s *shard) trackNamed(ctx context.Context) error {
	var fresh []ledger.Tracking
	for _, id := range s.tenant.cfg.Conferences {
		if !s.mine(id) {
			continue
		}
		e := s.entries[id]
		if e == nil {
			e = &entry{}
			s.entries[id] = e
		}
		if e.tracked {
			continue
		}
		if e.record.Over() && !e.record.Untracked() {
			s.log.Info("a meeting that the configuration names has ended; it is not asked about again",
				zap.String("meeting", id), zap.String("reason", string(e.record.Whole().EndReason)))
			continue
		}
		fresh = append(fresh, ledger.Tracking{
			ConferenceID: id, Source: sourceConfig, Since: time.Now().UTC(), Labels: s.tenant.cfg.Labels[id],
		})
	}
	return s.storeTracked(ctx, fresh)
}

// relabel gives tracked meetings the labels that the configuration has for them
// now, as long as nobody else gave them others.
func (s *shard) relabel(ctx context.Context) error {
	var changed []ledger.Tracking
	for id, e := range s.entries {
		next := e.tracking
		given := next.Source == sourceConfig
		if next.Labels = s.tenant.cfg.Labels[id]; !given {
			next.Labels, given = s.tenant.cfg.FoundLabels[next.Source]
		}
		if e.tracked && given && !maps.Equal(next.Labels, e.tracking.Labels) {
			changed = append(changed, next)
		}
	}
	return s.storeTracked(ctx, changed)
}

// storeTracked puts meetings of the shard, whose entries there are, into the tracked set.
func (s *shard) storeTracked(ctx context.Context, wanted []ledger.Tracking) error {
	for part := range slices.Chunk(wanted, ledger.MaxBatchMessages) {
		var msgs []ledger.Message
		for i := range part {
			msg, err := store.TrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, part[i])
			if err != nil {
				return fmt.Errorf("encode tracking: %w", err)
			}
			msgs = append(msgs, msg)
		}
		if err := s.commitClaimed(ctx, msgs...); err != nil {
			return fmt.Errorf("store the tracked set: %w", err)
		}
		for i := range part {
			e := s.entries[part[i].ConferenceID]
			e.tracking, e.tracked = part[i], true
		}
	}
	return nil
}

// untrack takes a meeting off the tracked set and tells it and the reason,
// where there is anything to tell.
func (s *shard) untrack(ctx context.Context, hold *hold, id string, reason rollcall.Reason) error {
	s.catchUp(ctx)
	if e := s.entries[id]; e.record.None() || e.record.Over() {
		err := s.commitClaimed(ctx, store.UntrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, id))
		if err = s.outcome(ctx, id, false, err); err != nil {
			s.unsureOf(err, id)
			return fmt.Errorf("untrack meeting %q: %w", id, err)
		}
		e.tracked = false
		s.replan()
		return nil
	}
	now := time.Now().UTC()
	s.settle(ctx, &rollcall.Observation{
		Tenant: s.tenant.cfg.Name, Shard: s.number, Number: hold.next(), AskedAt: now, AnsweredAt: now,
		Sightings: []rollcall.Sighting{{ConferenceID: id, Kind: rollcall.SightingUntracked, Reason: reason}},
	})
	if e := s.entries[id]; e.tracked && ctx.Err() == nil {
		return fmt.Errorf("untrack meeting %q: %w", id, cmp.Or(e.refused.err, errOverlap))
	}
	return ctx.Err()
}

// catchUp settles what waits, so that what was asked before comes before.
func (s *shard) catchUp(ctx context.Context) {
	for obs := s.queue.Take(); obs != nil && s.settle(ctx, obs); obs = s.queue.Take() {
		s.queue.Done(obs)
	}
}

// errOverlap says that a meeting could not be untracked yet.
var errOverlap = errors.New("another worker wrote its record meanwhile; try again")
