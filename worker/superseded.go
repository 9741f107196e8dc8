package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
)

// claimAnew gives up a claim that is the shard's last and that a record's term
// has passed all the same, as one does that a worker of an earlier version has
// written under another division: every answer would come too late for it.
func (s *shard) claimAnew() {
	if surpassed := s.surpassed; !surpassed || s.held.Load() == nil {
		s.surpassed = false
		return
	}
	s.surpassed = false
	s.log.Warn("a record was written under a later claim than the shard's own; the shard is claimed anew", zap.Uint64("own_term", s.term))
	s.hold(nil)
	s.retry = time.Now().Add(s.w.cfg.MemberTTL / 4)
}

// sayLate says how many answers came too late to be told, since it was last said.
func (s *shard) sayLate() {
	if s.late == 0 {
		return
	}
	s.log.Warn("answers were dropped: another worker has taken the shard and looked since; what changed meanwhile is told as it is now",
		zap.Int("meetings", s.late))
	s.late = 0
}

// compareClaim gives the shard up where somebody claimed it later. The pause
// before it is claimed again keeps two workers that disagree about who lives
// from taking it from each other without end.
func (s *shard) compareClaim(claim ledger.Claim) {
	hold := s.held.Load()
	if hold == nil || claim.Term == hold.term && claim.Holder == s.w.cfg.ID {
		s.earlier = 0
		return
	}
	// An earlier claim is what a lagging follower shows. Only a ledger that was
	// made anew goes on showing it.
	if s.earlier++; claim.Term != 0 && claim.Term < hold.term && s.earlier < 3 {
		return
	}
	s.earlier = 0
	if claim.Err != nil {
		s.w.metrics.unreadable.WithLabelValues(s.tenant.cfg.Name, "claim").Inc()
	}
	what := "the shard was claimed by another worker"
	if claim.Term < hold.term {
		what = "the claim of the shard is no longer in the ledger; it is claimed anew"
	}
	s.log.Warn(what, zap.String("holder", claim.Holder),
		zap.Uint64("term", claim.Term), zap.Uint64("own_term", hold.term), zap.Error(claim.Err))
	s.hold(nil)
	s.retry = time.Now().Add(s.w.cfg.MemberTTL / 4)
}

// lookAfterClaim notices a later claim of a worker that has given the shard up
// since, as when two start at once: ours would be outdated for ever.
func (s *shard) lookAfterClaim(ctx context.Context) {
	if !s.suspect.Swap(false) || s.held.Load() == nil {
		return
	}
	claim, err := s.w.cfg.Ledger.Holder(ctx, s.tenant.cfg.Name, s.number)
	if err != nil {
		return // the heartbeat tells of it, and the next beat asks again
	}
	s.compareClaim(claim)
}
