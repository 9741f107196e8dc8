package worker

import (
	"context"
	"maps"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
)

// A meeting that does not start in time is untracked. What counts is the time in
// which somebody looked, so that none is given up because of an outage or of a
// spent budget. It is stored with the tracked set now and then: others, and later
// processes, go on counting.

// sweep untracks, once a minute, meetings that have not started in time, and
// forgets those that nobody will ask about again.
func (t *tracker) sweep(ctx context.Context) {
	l, now := t.own.held(), time.Now()
	if l == nil || now.Sub(t.swept) < time.Minute {
		return
	}
	t.swept = now
	t.countLooks(ctx, l)
	maps.DeleteFunc(t.declined, func(_ string, at time.Time) bool { return now.Sub(at) > declinedFor })
	for id, e := range t.meetings.entries {
		switch {
		case t.expired(e):
			t.log.Info("meeting expired: it has not started in time and is no longer tracked",
				zap.String("meeting", id), zap.Duration("after", t.tenant.ExpireUnstarted))
			t.commits.trouble.Note(t.untrack(ctx, l, id, rollcall.ReasonExpired))
		case !e.tracked && !e.watched(now) && !t.meetings.awaits(e, now) && !t.named[id]:
			delete(t.meetings.entries, id)
		}
	}
	t.meetings.replan() // including those that nobody watches now
	t.meetings.makePlan()
}

// expired reports whether the meeting should have started by now.
func (t *tracker) expired(e *entry) bool {
	limit := t.tenant.ExpireUnstarted
	return limit > 0 && e.tracked && e.unstarted() && e.tracking.Looked > limit && !e.peopled()
}

// lookStored is the part of the time until a meeting expires that one process
// may have looked without storing it.
const lookStored = 48

// countLooks adds the time since the last pass that was counted to what was
// looked at, where the pass learned something. A gap without a pass counts for
// no more than two passes are apart.
func (t *tracker) countLooks(ctx context.Context, l *lease) {
	limit, last := t.tenant.ExpireUnstarted, t.lastPass()
	if limit <= 0 || last == nil || last.lease != l || !last.at.After(t.looked) {
		return
	}
	gap := last.at.Sub(later(t.looked, l.began))
	if most := 2*t.pace() + time.Minute; gap > most {
		gap = most
	}
	t.looked = last.at
	var grown []string
	for id, e := range t.meetings.entries {
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
	t.storeLooks(ctx, grown)
}

// storeLooks writes for how long somebody looked at these meetings. What is not
// stored is still counted here, and written another time.
func (t *tracker) storeLooks(ctx context.Context, ids []string) {
	var msgs []ledger.Message
	var entries []*entry
	for _, id := range ids {
		e := t.meetings.entries[id]
		msg, err := t.trackMessage(e.tracking)
		if err != nil || len(msgs) == ledger.MaxBatchMessages {
			continue
		}
		msgs, entries = append(msgs, msg), append(entries, e)
	}
	if len(msgs) == 0 || t.trust.commitClaimed(ctx, msgs...) != nil {
		return
	}
	for _, e := range entries {
		e.kept = e.tracking.Looked
	}
}
