package forwarder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/consume"
	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// maxLines is how many changes are told one by one in a message.
const maxLines = 10

// roomForMeeting is about how much of a message the digest of one meeting takes, in
// the unit of the target; and maxMeetings how many there are in one at most.
const (
	roomForMeeting = 200
	maxMeetings    = 50
)

// step tells what is due, and returns when more is.
func (l *lane) step(ctx context.Context) (next time.Time, err error) {
	now := time.Now()
	if l.place.Flight != nil {
		if due := l.place.Flight.Due; due.After(now) {
			return due, nil
		}
		return now, l.flyAgain(ctx)
	}
	if err := l.expire(ctx, now); err != nil || !l.ready {
		return time.Time{}, err
	}
	if l.takesEvents() {
		return l.stepEvent(ctx)
	}
	due, next := l.due(now)
	if len(due) == 0 {
		return next, nil
	}
	if l.notBefore.After(now) {
		return l.notBefore, nil
	}
	if err := l.look(ctx); err != nil {
		return l.closed(ctx, err)
	}
	free, next := l.sender.free(now)
	if free == 0 {
		l.notBefore = earlier(next, now.Add(lease/3)) // others may have changed it by then
		return l.notBefore, nil
	}
	return now, l.tell(ctx, due, free)
}

// due returns the groups that are to be told, and otherwise when one is.
func (l *lane) due(now time.Time) (due []*group, next time.Time) {
	if l.place.CatchUp {
		all := l.queue.all()
		l.place.CatchUp = len(all) > 0
		return all, time.Time{}
	}
	return l.queue.due(l.route, &l.place, now)
}

// choose returns the first of the groups that are due, which is told by itself, or as
// many as fit together where more are due than may be told now.
func choose(due []*group, free int, catchUp bool, limit target.Limit) ([]*group, note.Kind) {
	switch {
	case catchUp:
		return due, note.CatchUp
	case len(due) > free:
		return due[:min(len(due), roomFor(limit))], note.Digest
	}
	return due[:1], ""
}

// roomFor is how many meetings a digest has room for.
func roomFor(limit target.Limit) int {
	return min(maxMeetings, max(1, limit.MaxSize/roomForMeeting))
}

// linesFor is how many lines a message about so many groups has: a digest, which has
// twice as many for what matters most, names the end of every meeting.
func linesFor(groups int, limit target.Limit) int {
	return max(maxLines, (min(groups, roomFor(limit))+1)/2)
}

// tell tells what is due, by one message.
func (l *lane) tell(ctx context.Context, due []*group, free int) error {
	due, kind := choose(due, free, l.place.CatchUp, l.Kind.Limit)
	f := &flight{Through: map[string]uint64{}, Cut: l.place.Cut}
	batch := l.batch(ctx, due, f)
	n := batch.Note(kind, linesFor(len(due), l.Kind.Limit))
	f.Kind, f.Account = n.Kind, n.Account
	if kind == note.CatchUp {
		f.All, f.Through = l.queue.read, nil
	}
	if n.Account.Told+n.Account.Digested+n.Account.Cut == 0 {
		l.place.Flight = f
		return l.landed(ctx, time.Time{})
	}
	return l.launch(ctx, n, f)
}

// batch puts the events of groups together, with those who were in the meetings
// that have ended.
func (l *lane) batch(ctx context.Context, groups []*group, f *flight) *note.Batch {
	var b note.Batch
	for range l.place.Cut {
		b.Cut()
	}
	for _, w := range events(groups) {
		if w.watch != nil {
			b.AddWatch(*w.watch)
		} else {
			b.Add(w.event)
		}
	}
	for _, g := range groups {
		f.Through[g.key] = g.events[len(g.events)-1].sequence
	}
	l.attend(ctx, &b)
	return &b
}

// attend says who was in the meetings that have ended.
func (l *lane) attend(ctx context.Context, b *note.Batch) {
	for i, end := range b.Ended() {
		if i == maxMeetings {
			return
		}
		visits, err := l.source.Visits(ctx, consume.Event{Event: rollcall.Event{
			Tenant: end.Tenant, ConferenceID: end.ConferenceID, Epoch: end.Epoch, Sequence: end.Sequence, Time: end.At,
		}})
		if err != nil {
			l.log.Debug("attendance left out", zap.Error(err))
			continue
		}
		b.Attend(end.Tenant, end.ConferenceID, visits)
	}
}

// launch sends a note for the first time.
func (l *lane) launch(ctx context.Context, n note.Note, f *flight) error {
	now := time.Now()
	r, last, err := l.reserve(ctx, l.place.Turn, now)
	if errors.Is(err, errMonth) {
		return l.monthOver(ctx, now)
	}
	if err != nil || r == nil {
		return err
	}
	n.LastOfMonth, n.At, n.ID = last, now, l.idOf(f)
	if f.Message, err = l.render(n, l.route.Zone); err != nil {
		l.templates.Note(err)
	}
	f.Robot, l.place.Flight = r.Key, f
	l.place.Turn++
	if err := l.save(ctx); err != nil {
		return err
	}
	return l.fly(ctx, r)
}

// idOf names a message by what it tells: the same for whoever makes it.
func (l *lane) idOf(f *flight) string {
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, l.slot, l.place.Stream.UnixNano(), f.All)
	for _, group := range slices.Sorted(maps.Keys(f.Through)) {
		_, _ = fmt.Fprintln(sum, group, f.Through[group])
	}
	return "rollcall-" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// expire cuts what is too old, and what is too much.
func (l *lane) expire(ctx context.Context, now time.Time) error {
	cut := l.queue.cut(now.Add(-l.route.MaxAge), l.route.MaxWaiting)
	if len(cut) == 0 {
		return nil
	}
	u := Undelivered{
		Schema: 1, Target: l.Name, Route: l.route.Name, At: now, Class: "expired",
		Reason: "it has waited for longer than max_age, or more waited than max_waiting",
	}
	for _, w := range cut {
		u.Sequences = append(u.Sequences, w.sequence)
		l.place.mark(l.route.group(&w.event), w.sequence, time.Time{})
	}
	u.ID = fmt.Sprintf("%s-%d-%d", l.slot, l.place.Stream.UnixNano(), cut[len(cut)-1].sequence)
	if err := l.ledger.Undelivered(ctx, u); err != nil {
		return err
	}
	l.place.Cut += len(cut)
	l.place.rise(l.queue.floor(), now, l.route.Interval)
	l.log.Warn("events cut, since they have waited for too long or were too many", zap.Int("events", len(cut)))
	return l.save(ctx)
}

// earlier returns the earlier of two times.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
