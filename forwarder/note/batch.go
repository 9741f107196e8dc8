package note

import (
	"slices"

	"rollcall"
	"rollcall/consume"
)

// The bounds of a batch's memory. What is beyond them is told by number.
const (
	maxHeld     = 2000  // events that may yet be told by a line, over all meetings
	maxMeetings = 500   // meetings that are told by themselves
	maxKnown    = 5000  // names that a meeting's people had before
	maxOthers   = 20000 // meetings that are counted only
)

// Batch collects the events of a group until they are told. The zero value is
// empty. It is not safe for concurrent use.
type Batch struct {
	events, undone, cut int
	meetings            map[place]*gathering
	order               []*gathering // of the meetings' first events
	others              map[place]bool
	rest                map[rollcall.Type]int // of others
	watches             []*watched
	shards              map[shard]position
	window              rollcall.Window
	held                int
}

// place is a meeting of a tenant.
type place struct{ tenant, conference string }

// Add takes in an event of a meeting. Events of a meeting come in the order of
// their sequence; a repetition is ignored.
func (b *Batch) Add(e consume.Event) {
	at := place{e.Tenant, e.ConferenceID}
	g := b.meetings[at]
	if g == nil && len(b.order) == maxMeetings {
		b.overflow(at, e.Type)
		return
	}
	if g == nil {
		g = b.open(at)
	}
	if !g.isNew(&e.Event) {
		return
	}
	b.events++
	b.extend(e.Window, e.AsFound())
	before := g.alive()
	b.undone += g.add(&e.Event)
	b.held += g.alive() - before
	if b.held > maxHeld {
		b.settle()
	}
}

func (b *Batch) open(at place) *gathering {
	g := newGathering(at)
	if b.meetings == nil {
		b.meetings = map[place]*gathering{}
	}
	b.meetings[at] = g
	b.order = append(b.order, g)
	return g
}

// overflow counts an event of a meeting that there is no room for.
func (b *Batch) overflow(at place, t rollcall.Type) {
	if b.others == nil {
		b.others = map[place]bool{}
	}
	if len(b.others) < maxOthers {
		b.others[at] = true
	}
	b.events++
	b.count(t)
}

// count tells an event by number, of no meeting in particular.
func (b *Batch) count(t rollcall.Type) {
	if b.rest == nil {
		b.rest = map[rollcall.Type]int{}
	}
	b.rest[t]++
}

// extend widens the window of the batch. What was found says nothing of when.
func (b *Batch) extend(w rollcall.Window, found bool) {
	if w.Before.After(b.window.Before) {
		b.window.Before = w.Before
	}
	if !found && !w.After.IsZero() && (b.window.After.IsZero() || w.After.Before(b.window.After)) {
		b.window.After = w.After
	}
}

// settle turns what is held into numbers: first what matters less, and where
// that is not enough, everything.
func (b *Batch) settle() {
	for _, all := range []bool{false, true} {
		b.held = 0
		for _, g := range b.order {
			g.settle(all)
			b.held += g.alive()
		}
		if b.held <= maxHeld/2 {
			return
		}
	}
}

// Cut counts an event that is not told: too old, or one too many.
func (b *Batch) Cut() { b.events++; b.cut++ }

// Len is how many events the batch has taken in.
func (b *Batch) Len() int { return b.events }

// Ended lists the meetings whose end the batch holds, for [Batch.Attend].
func (b *Batch) Ended() []Line {
	var ends []Line
	for _, g := range b.order {
		for _, it := range g.items {
			if it.Type == rollcall.MeetingEnded && !it.undone {
				ends = append(ends, it.Line)
			}
		}
	}
	return ends
}

// item is an event that may be told by a line.
type item struct {
	Line
	undone bool
}

// gathering is what a batch holds of one meeting.
type gathering struct {
	Meeting
	epoch    int64
	sequence uint64
	items    []*item
	dead     int              // items that were undone
	paths    map[aspect]*path // what may be undone yet
	known    map[aspect]*naming
}

func newGathering(at place) *gathering {
	return &gathering{
		Meeting: Meeting{Tenant: at.tenant, ConferenceID: at.conference, Counts: map[rollcall.Type]int{}},
		paths:   map[aspect]*path{}, known: map[aspect]*naming{},
	}
}

// isNew reports whether the event was not taken in before. Another epoch
// begins anew: nothing of it undoes what was before.
func (g *gathering) isNew(e *rollcall.Event) bool {
	switch {
	case e.Epoch < g.epoch, e.Epoch == g.epoch && e.Sequence != 0 && e.Sequence <= g.sequence:
		return false
	case e.Epoch > g.epoch:
		clear(g.paths)
		clear(g.known)
	}
	g.epoch, g.sequence = e.Epoch, e.Sequence
	return true
}

// add takes in an event and returns how many it has undone, itself included.
func (g *gathering) add(e *rollcall.Event) (undone int) {
	if knownType(e.Type) || g.State == (rollcall.Conference{}) {
		g.State, g.Labels = e.Meeting, e.Labels
	}
	if e.Provenance == rollcall.ProvenanceBaseline && e.Type == rollcall.ParticipantRoleChanged {
		return 1 // what somebody was when first asked for is no change
	}
	if e.Provenance == rollcall.ProvenanceBaseline && !over(e.Type) {
		g.observe(e)
		g.find(e)
		return 0
	}
	it := &item{Line: lineOf(e)}
	g.items = append(g.items, it)
	undone = g.travel(it, e)
	g.observe(e)
	if g.dead += undone; g.dead > 16 && g.dead > len(g.items)/2 {
		g.keep(func(*item) bool { return true })
	}
	return undone
}

// alive is how many events may yet be told by a line.
func (g *gathering) alive() int { return len(g.items) - g.dead }

// keep forgets what was undone, and what keep does not want.
func (g *gathering) keep(want func(*item) bool) {
	g.items = slices.DeleteFunc(g.items, func(it *item) bool { return it.undone || !want(it) })
	g.dead = 0
}

// find tells the event with how the meeting was found.
func (g *gathering) find(e *rollcall.Event) {
	if g.Found == nil {
		g.Found = &Finding{}
	}
	g.Found.Events++
	g.Found.State, g.Found.At = e.Meeting, e.Window.Before
	if e.Type == rollcall.ParticipantInvited || e.Type == rollcall.ParticipantJoining {
		g.Found.Invited++
	}
}

// settle turns lines into numbers; those that a digest has, too, only where all is set.
func (g *gathering) settle(all bool) {
	g.keep(func(it *item) bool {
		if !all && rank(it.Type) > 0 {
			return true
		}
		g.Counts[it.Type]++
		return false
	})
	clear(g.paths)
	clear(g.known)
}

func lineOf(e *rollcall.Event) Line {
	l := Line{
		Tenant: e.Tenant, ConferenceID: e.ConferenceID, Epoch: e.Epoch, Sequence: e.Sequence,
		Type: e.Type, Meeting: e.Meeting, Reason: e.Reason, Provenance: e.Provenance,
		Exact: e.Exact, At: e.Time, Window: e.Window,
	}
	if e.Participant != nil {
		p := *e.Participant
		l.Person = &p
	}
	return l
}
