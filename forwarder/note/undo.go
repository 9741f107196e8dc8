package note

import (
	"slices"
	"time"

	"rollcall"
)

// aspect is what can be one way or another: somebody's microphone, the title.
type aspect struct {
	key string // the participant's; "" for the meeting's
	of  string
}

// effect is how a change takes an aspect from one state to another. What has no
// effect is never undone.
type effect struct{ of, from, to string }

// effectOf returns the effect of a type. The states of names are their values,
// which the table does not know.
func effectOf(t rollcall.Type) effect {
	switch t {
	case rollcall.ParticipantInvited:
		return effect{"place", "out", "invited"}
	case rollcall.ParticipantJoining:
		return effect{"place", "out", "joining"}
	case rollcall.ParticipantJoined:
		return effect{"place", "out", "present"}
	case rollcall.ParticipantLeft:
		return effect{"place", "present", "out"}
	case rollcall.ParticipantInvitationLapsed:
		return effect{"place", "invited", "out"}
	case rollcall.ParticipantMicOpened, rollcall.MeetingMicUnmuted:
		return effect{"mic", "closed", "open"}
	case rollcall.ParticipantMicClosed, rollcall.MeetingMicMuted:
		return effect{"mic", "open", "closed"}
	case rollcall.ParticipantCameraOpened, rollcall.MeetingCameraOpened:
		return effect{"camera", "closed", "open"}
	case rollcall.ParticipantCameraClosed, rollcall.MeetingCameraClosed:
		return effect{"camera", "open", "closed"}
	case rollcall.MeetingMuteAllEnforced:
		return effect{"mute_all", "off", "on"}
	case rollcall.MeetingMuteAllLifted:
		return effect{"mute_all", "on", "off"}
	case rollcall.ParticipantRenamed:
		return effect{of: "nick"}
	case rollcall.MeetingTitleChanged:
		return effect{of: "title"}
	case rollcall.MeetingStartTimeChanged:
		return effect{of: "start"}
	}
	return effect{}
}

// path is how an aspect came to its state within the batch: states[i+1] is that
// after items[i]. No state stands in it twice, because what leads back to where
// it was has undone itself.
type path struct {
	states []string
	items  []*item
}

// travel goes on along the path of the event's aspect, and marks what has
// undone itself. It returns how many events those are.
func (g *gathering) travel(it *item, e *rollcall.Event) int {
	step := effectOf(e.Type)
	at := aspect{keyOf(e), step.of}
	switch {
	case over(e.Type):
		clear(g.paths)
		return 0
	case e.Type == rollcall.ParticipantKickedOut || e.Type == rollcall.ParticipantDeclined || e.Type == rollcall.ParticipantJoinFailed:
		delete(g.paths, aspect{keyOf(e), "place"}) // coming back does not undo it
		return 0
	case step.of == "":
		return 0
	case step.to == "":
		return g.rename(at, it, e)
	}
	p := g.paths[at]
	if p == nil || p.states[len(p.states)-1] == step.to { // what was in between is not told here
		p = &path{states: []string{step.from}}
		g.paths[at] = p
	}
	back := slices.Index(p.states, step.to)
	p.states, p.items = append(p.states, step.to), append(p.items, it)
	if back < 0 {
		return 0
	}
	return g.goBack(at, p, back)
}

// goBack undoes what has happened on the path since that state.
func (g *gathering) goBack(at aspect, p *path, state int) int {
	loop := p.items[state:]
	for _, it := range loop {
		it.undone = true
	}
	p.states, p.items = p.states[:state+1], p.items[:state]
	if len(p.items) == 0 {
		delete(g.paths, at)
	}
	return len(loop)
}

// rename tells the latest name only: earlier ones are overtaken, and the latest,
// too, is undone where it is the one from before the batch.
func (g *gathering) rename(at aspect, it *item, e *rollcall.Event) (undone int) {
	p := g.paths[at]
	if p == nil {
		p = &path{}
		if name, ok := g.known[at].before(e.Window.Before); ok {
			p.states = []string{name}
		}
		g.paths[at] = p
	}
	for _, earlier := range p.items {
		earlier.undone = true
		undone++
	}
	p.items = append(p.items[:0], it)
	if len(p.states) == 0 {
		return undone
	}
	if it.Before = p.states[0]; it.Before != nameOf(at, e) {
		return undone
	}
	it.undone = true
	delete(g.paths, at)
	return undone + 1
}

// naming is what something was called at two looks. All events of a look show
// what it is called after it.
type naming struct {
	look         time.Time
	now, earlier string
	twice        bool // earlier is known
}

// before returns what it was called before the look.
func (n *naming) before(look time.Time) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.look.Equal(look):
		return n.earlier, n.twice
	}
	return n.now, true
}

// observe remembers the names that an event shows.
func (g *gathering) observe(e *rollcall.Event) {
	if !knownType(e.Type) {
		return
	}
	seen := []aspect{{"", "title"}, {"", "start"}, {keyOf(e), "nick"}}
	if e.Participant == nil {
		seen = seen[:2]
	}
	if len(g.known) > maxKnown {
		clear(g.known)
	}
	for _, at := range seen {
		n, name := g.known[at], nameOf(at, e)
		if n == nil {
			g.known[at] = &naming{look: e.Window.Before, now: name}
			continue
		}
		n.earlier, n.twice = n.before(e.Window.Before)
		n.look, n.now = e.Window.Before, name
	}
}

func nameOf(at aspect, e *rollcall.Event) string {
	switch at.of {
	case "title":
		return e.Meeting.Title
	case "start":
		return e.Meeting.StartTime.Format(time.RFC3339Nano)
	}
	return e.Participant.Nick
}

func keyOf(e *rollcall.Event) string {
	if e.Participant == nil {
		return ""
	}
	return e.Participant.Key
}
