package forwarder

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"rollcall"
	"rollcall/consume"
)

// waiting is an event that was not told yet.
type waiting struct {
	sequence uint64
	at       time.Time // when it was stored
	event    consume.Event
	watch    *rollcall.WatchEvent // of a watch event
	data     []byte               // as stored, where a webhook is sent it
}

// queue is what waits of a lane, by group. It belongs to one goroutine.
type queue struct {
	groups map[string]*group
	count  int
	read   uint64 // the last sequence that came
}

type group struct {
	key    string
	events []waiting // in the order of the stream
}

func newQueue() *queue { return &queue{groups: map[string]*group{}} }

func (q *queue) add(key string, w waiting) *group {
	g := q.groups[key]
	if g == nil {
		g = &group{key: key}
		q.groups[key] = g
	}
	g.events = append(g.events, w)
	q.count++
	return g
}

// drop takes away what a group was told up to a sequence.
func (q *queue) drop(key string, through uint64) {
	g := q.groups[key]
	if g == nil {
		return
	}
	n := 0
	for n < len(g.events) && g.events[n].sequence <= through {
		n++
	}
	q.count -= n
	if g.events = g.events[n:]; len(g.events) == 0 {
		delete(q.groups, key)
	}
}

// floor is the sequence up to which nothing waits.
func (q *queue) floor() uint64 {
	floor := q.read
	for _, g := range q.groups {
		floor = min(floor, g.events[0].sequence-1)
	}
	return floor
}

// oldest is when the first of what waits was stored; zero: nothing waits.
func (q *queue) oldest() (oldest time.Time) {
	for _, g := range q.groups {
		if at := g.events[0].at; oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// all are the groups in a fixed order.
func (q *queue) all() []*group {
	return slices.SortedFunc(maps.Values(q.groups), func(a, b *group) int { return cmp.Compare(a.key, b.key) })
}

// events are those of some groups, in the order of the stream.
func events(groups []*group) []waiting {
	var all []waiting
	for _, g := range groups {
		all = append(all, g.events...)
	}
	slices.SortFunc(all, func(a, b waiting) int { return cmp.Compare(a.sequence, b.sequence) })
	return all
}

// urgent reports whether somebody waits for it: it is told after the route's wait,
// however lately the group was told of something else.
func urgent(t rollcall.Type) bool {
	return t == rollcall.ParticipantKickedOut || t == rollcall.MeetingEnded || t == rollcall.WatchLost
}

// due returns when a group is told; told is when it was last.
func (g *group) due(r *Route, told time.Time) time.Time {
	due := g.events[0].at.Add(r.Wait)
	if next := told.Add(r.Interval); !told.IsZero() && next.After(due) {
		due = next
		for i := range g.events {
			if at := g.events[i].at.Add(r.Wait); urgent(g.events[i].event.Type) && at.Before(due) {
				due = at
			}
		}
	}
	return due
}

// cut takes out what was stored before a time, and the oldest of what is more than
// most; in the order of the stream.
func (q *queue) cut(before time.Time, most int) (cut []waiting) {
	if q.count <= most && (q.count == 0 || !q.oldest().Before(before)) {
		return nil
	}
	all := events(q.all())
	n := max(0, len(all)-most)
	for n < len(all) && all[n].at.Before(before) {
		n++
	}
	if n == 0 { // what is old stands behind what is not: the stream's clock went back
		return nil
	}
	for key := range q.groups {
		q.drop(key, all[n-1].sequence)
	}
	return all[:n]
}

// due returns the groups that are to be told at a time, the first to be due first,
// and otherwise when one is; zero: nothing waits.
func (q *queue) due(r *Route, p *place, now time.Time) (due []*group, next time.Time) {
	times := map[string]time.Time{}
	for _, g := range q.all() {
		at := g.due(r, p.Groups[g.key].At)
		times[g.key] = at
		if !at.After(now) {
			due = append(due, g)
		} else if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	slices.SortStableFunc(due, func(a, b *group) int { return times[a.key].Compare(times[b.key]) })
	return due, next
}
