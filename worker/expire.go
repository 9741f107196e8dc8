package worker

import (
	"context"
	"maps"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/poller"
	"rollcall/store"
)

// A meeting that does not start in time is untracked. What counts is the time in
// which somebody looked, so that none is given up because of an outage or of a
// spent budget. It is stored with the tracked set now and then: others, and later
// processes, go on counting.

// sweep untracks, once a minute, meetings that have not started in time, and
// forgets those that nobody will ask about again.
func (s *shard) sweep(ctx context.Context) {
	hold, now := s.held.Load(), time.Now()
	if hold == nil || now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	s.countLooks(ctx, hold)
	maps.DeleteFunc(s.declined, func(_ string, at time.Time) bool { return now.Sub(at) > declinedFor })
	for id, e := range s.entries {
		switch {
		case s.expired(e):
			s.log.Info("a meeting has not started in time; it is no longer tracked",
				zap.String("meeting", id), zap.Duration("after", s.tenant.cfg.ExpireUnstarted))
			s.trouble.Note(s.untrack(ctx, hold, id, rollcall.ReasonExpired))
		case !e.tracked && !e.watched(now) && !s.tenant.named[id]:
			delete(s.entries, id)
		}
	}
	s.replan() // also those that nobody watches any more
	s.makePlan()
}

// expired reports whether the meeting should have started by now.
func (s *shard) expired(e *entry) bool {
	limit := s.tenant.cfg.ExpireUnstarted
	return limit > 0 && e.tracked && e.unstarted() && e.tracking.Looked > limit && !e.peopled()
}

// unstarted reports whether the meeting was never seen going on or over.
func (e *entry) unstarted() bool {
	return e.record.None() || e.record.Status() < rollcall.StatusStarted
}

// peopled reports whether somebody is in the meeting, whatever its status.
func (e *entry) peopled() bool {
	r := e.record.Shown()
	return r != nil && r.Meeting.Present > 0
}

// lookStored is the part of the time until a meeting expires that one process
// may have looked without storing it.
const lookStored = 48

// countLooks adds the time since the last pass that was counted to what was
// looked at, where the pass now told something. A gap without a pass counts for
// no more than two passes are apart.
func (s *shard) countLooks(ctx context.Context, hold *hold) {
	limit, last := s.tenant.cfg.ExpireUnstarted, s.last.Load()
	if limit <= 0 || last == nil || last.hold != hold || !last.at.After(s.looked) {
		return
	}
	gap := last.at.Sub(later(s.looked, hold.began))
	if most := 2*s.tenant.pace() + time.Minute; gap > most {
		gap = most
	}
	s.looked = last.at
	var grown []string
	for id, e := range s.entries {
		if !e.tracked || !e.unstarted() || !last.Looked(id) {
			continue
		}
		e.tracking.Looked += gap
		if e.kept > e.tracking.Looked { // it was tracked anew
			e.kept = 0
		}
		if e.tracking.Looked-e.kept >= max(limit/lookStored, time.Minute) {
			grown = append(grown, id)
		}
	}
	s.storeLooks(ctx, grown)
}

// storeLooks writes for how long somebody looked at these meetings. What is not
// stored is still counted here, and written another time.
func (s *shard) storeLooks(ctx context.Context, ids []string) {
	var msgs []ledger.Message
	var entries []*entry
	for _, id := range ids {
		e := s.entries[id]
		msg, err := store.TrackMessage(s.w.cfg.Names, s.tenant.cfg.Name, e.tracking)
		if err != nil || len(msgs) == ledger.MaxBatchMessages {
			continue
		}
		msgs, entries = append(msgs, msg), append(entries, e)
	}
	if len(msgs) == 0 || s.commitClaimed(ctx, msgs...) != nil {
		return
	}
	for _, e := range entries {
		e.kept = e.tracking.Looked
	}
}

// lastPass is how a shard's last pass went.
type lastPass struct {
	poller.Report
	hold *hold
	at   time.Time
}
