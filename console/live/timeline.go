package live

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"rollcall"
	"rollcall/consume"
)

// timeline is one meeting with its people and what happened in it. Times are
// Unix ms, 0 where there is none.
type timeline struct {
	Row     row        `json:"row"`
	Media   []string   `json:"media,omitempty"` // mute_all, mic_muted, camera_closed: what the host has set
	From    int64      `json:"from"`            // the axis begins
	People  []presence `json:"people"`
	Events  []told     `json:"events"`            // newest first
	Cut     int        `json:"cut,omitempty"`     // events that are too many to be listed
	More    int        `json:"more,omitempty"`    // people that are too many to be shown
	Partial bool       `json:"partial,omitempty"` // the retention has taken the first events
}

// edge is when something began or ended: after the first, by the second. An
// after of 0: it was so at the first look.
type edge [2]int64

// span is a time in which something was so; To nil: it still is.
type span struct {
	From edge   `json:"from"`
	To   *edge  `json:"to,omitempty"`
	How  string `json:"how,omitempty"` // of a visit: how it ended
}

// presence is one person on the time axis.
type presence struct {
	Name    string   `json:"name"`
	User    string   `json:"user,omitempty"`
	Here    string   `json:"here,omitempty"` // present, joining, invited; "" for who is gone
	Visits  []span   `json:"visits,omitempty"`
	Mic     []span   `json:"mic,omitempty"`
	Camera  []span   `json:"camera,omitempty"`
	Marks   []mark   `json:"marks,omitempty"`
	Stay    [2]int64 `json:"stay"` // the least and the most, ms; most -1: no bound
	MicOpen [2]int64 `json:"micOpen"`
	key     string
}

// mark is what happened to a person at one time.
type mark struct {
	Kind string `json:"kind"` // kicked_out, declined, join_failed
	At   edge   `json:"at"`
	Text string `json:"text,omitempty"` // what the person said
}

// told is an event, and how late it was known.
type told struct {
	item
	Late  int64  `json:"late"`            // ms at most between the event and the answer that showed it; -1: no bound
	Blind string `json:"blind,omitempty"` // why nobody looked meanwhile
	Text  string `json:"text,omitempty"`  // what the person said
}

// draw makes the timeline of a meeting from its events.
func (t *timelines) draw(m consume.Meeting, events []consume.Event) timeline {
	line := timeline{Row: t.names.row(m, time.Time{}), Media: media(m.Info.Media), From: cmp.Or(millis(m.Info.StartTime), m.Epoch)}
	if len(events) > 0 {
		if first := millis(events[0].Window.Before); line.From == 0 || first < line.From {
			line.From = first
		}
	}
	people, partial := t.people(m, events)
	line.Partial = partial
	line.More = max(0, len(people)-shownPeople)
	line.People = people[:min(len(people), shownPeople)]
	line.Cut = max(0, len(events)-shownEvents)
	for _, e := range slices.Backward(events[line.Cut:]) {
		line.Events = append(line.Events, t.tell(&e))
	}
	return line
}

// tell says how late an event was known, and why.
func (t *timelines) tell(e *consume.Event) told {
	one := told{item: t.names.item(e), Late: -1}
	if e.Participant != nil && !t.names.hide {
		one.Text = e.Participant.RejectDescription
	}
	switch {
	case e.Exact:
		one.Late = max(0, e.Window.Before.Sub(e.Time).Milliseconds())
	case !e.Window.After.IsZero():
		one.Late = e.Window.Before.Sub(e.Window.After).Milliseconds()
	}
	if !e.Window.After.IsZero() {
		one.Blind = t.watches(e.Tenant, e.Window.After, e.Window.Before)
	}
	return one
}

// people folds events to who was there and when; those who are there come first.
func (t *timelines) people(m consume.Meeting, events []consume.Event) (all []presence, partial bool) {
	var a consume.Attendance
	d, byKey := devices{names: t.names}, map[string]*presence{}
	for i := range events {
		if _, err := a.Apply(events[i]); err != nil {
			if _, gap := errors.AsType[*consume.GapError](err); gap {
				partial = true
			}
			continue
		}
		d.apply(&events[i], byKey)
	}
	now := m.ObservedAt
	if len(events) > 0 {
		now = events[len(events)-1].Window.Before
	}
	for _, v := range a.Visits(now) {
		who(byKey, v.Key).visit(v, t.names)
	}
	for i := range m.People {
		p := &m.People[i]
		one := who(byKey, p.Key)
		one.Here, one.Name = p.Attendance.String(), t.names.name(p)
		if !t.names.hide {
			one.User = p.UserID
		}
	}
	for key, one := range byKey {
		one.key = key
		if one.Name == "" {
			one.Name = "?"
		}
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b presence) int {
		return cmp.Or(cmp.Compare(order(a.Here), order(b.Here)), cmp.Compare(a.began(), b.began()), cmp.Compare(a.Name, b.Name), cmp.Compare(a.key, b.key))
	})
	return all, partial
}

func who(byKey map[string]*presence, key string) *presence {
	one := byKey[key]
	if one == nil {
		one = &presence{}
		byKey[key] = one
	}
	return one
}

// order puts those who are there first, and those who are gone last.
func order(here string) int {
	if here == "" {
		return 3
	}
	return rank(here)
}

func (p *presence) began() int64 {
	if len(p.Visits) == 0 {
		return 0
	}
	return p.Visits[0].From[1]
}

// visit adds a stay.
func (p *presence) visit(v consume.Visit, names namer) {
	p.Name = names.name(&rollcall.Participant{Nick: v.Nick, UserID: v.UserID, Key: v.Key})
	if !names.hide {
		p.User = v.UserID
	}
	one := span{From: edgeOf(v.Joined), How: v.How}
	if !v.Left.After.IsZero() || !v.Left.Before.IsZero() {
		left := edgeOf(v.Left)
		one.To = &left
	}
	p.Visits = append(p.Visits, one)
	if v.How == consume.HowKickedOut {
		p.Marks = append(p.Marks, mark{Kind: v.How, At: edgeOf(v.Left)})
	}
	p.Stay, p.MicOpen = plus(p.Stay, v.Stay), plus(p.MicOpen, v.Mic)
}

func plus(a [2]int64, b consume.Bounds) [2]int64 {
	if a[1] < 0 || b.Max < 0 {
		return [2]int64{a[0] + b.Min.Milliseconds(), -1}
	}
	return [2]int64{a[0] + b.Min.Milliseconds(), a[1] + b.Max.Milliseconds()}
}

func edgeOf(w rollcall.Window) edge { return edge{millis(w.After), millis(w.Before)} }

func media(m rollcall.Media) (words []string) {
	for _, bit := range []struct {
		media rollcall.Media
		word  string
	}{{rollcall.MediaMuteAll, "mute_all"}, {rollcall.MediaMicMuted, "mic_muted"}, {rollcall.MediaCameraClosed, "camera_closed"}} {
		if m.Has(bit.media) {
			words = append(words, bit.word)
		}
	}
	return words
}
