package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall"
)

// Act is one thing that somebody makes happen now. Which fields a verb needs
// and takes stands in the table of the package comment.
type Act struct {
	Verb         string `json:"act"`
	ConferenceID string `json:"conferenceId"`
	// UserID, or Nick for a stranger, names the person; Device (from 1) which
	// of the person's devices. 0: the first one that can do it.
	UserID string `json:"userId"`
	Nick   string `json:"nick"`
	Device int    `json:"device"`
	// RejectDescription goes with decline.
	RejectDescription string `json:"rejectDescription"`
	// Title goes with create and rename.
	Title string `json:"title"`
	// StartTime goes with reschedule: when the meeting is to begin.
	StartTime time.Time `json:"startTime"`
	// Drop takes the person off the userList with the act that sends them away.
	Drop bool `json:"drop"`
	// EndStyle goes with end, and overrides that of the world.
	EndStyle EndStyle `json:"endStyle"`
	// People goes with create: how many come and go by chance.
	People int `json:"people"`
}

// Refusal is the error of an act that cannot happen as the world stands: nobody
// leaves who is not there. Any other error of [Simulator.Act] is a mistake in
// the act itself.
type Refusal struct{ Why string }

// Error says what stands in the way.
func (r *Refusal) Error() string { return r.Why }

func refuse(format string, args ...any) error { return &Refusal{Why: fmt.Sprintf(format, args...)} }

// Act makes something happen now and returns its facts. An act that cannot
// happen changes nothing and is a [Refusal].
func (s *Simulator) Act(act Act) ([]Fact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	return s.world.act(act)
}

// Together makes acts happen at one instant: no answer shows some of them
// only. The first that fails is an error, and those after it do not happen.
func (s *Simulator) Together(acts []Act) ([]Fact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	var all []Fact
	for _, act := range acts {
		facts, err := s.world.act(act)
		if err != nil {
			return all, err
		}
		all = append(all, facts...)
	}
	return all, nil
}

func (w *world) act(act Act) ([]Fact, error) {
	// JSON cannot carry other bytes, and would show somebody else.
	for _, text := range []*string{&act.ConferenceID, &act.UserID, &act.Nick, &act.RejectDescription, &act.Title} {
		*text = strings.ToValidUTF8(*text, "\uFFFD")
	}
	v, ok := w.verbs[act.Verb]
	if !ok {
		return nil, fmt.Errorf("act is %q: %s is allowed", act.Verb, list(verbNames(w.verbs)))
	}
	if err := v.check(act); err != nil {
		return nil, err
	}
	before := w.facts.last()
	if err := v.happen(w, act); err != nil {
		return nil, fmt.Errorf("%s: %w", act.Verb, err)
	}
	return slices.Clone(w.facts.since(before)), nil
}

func verbNames(verbs map[string]verb) []string { return slices.Sorted(maps.Keys(verbs)) }

// onMeeting is a verb's deed to a meeting that must exist.
func onMeeting(do func(*world, *meeting, Act) error) func(*world, Act) error {
	return func(w *world, act Act) error {
		m := w.byID[act.ConferenceID]
		if m == nil {
			return refuse("conferenceId is %q: no meeting has that id; create it, or see /_sim/meetings", act.ConferenceID)
		}
		return do(w, m, act)
	}
}

// onOpenMeeting is a verb's deed to a meeting that is not over.
func onOpenMeeting(do func(*world, *meeting, Act) error) func(*world, Act) error {
	return onMeeting(func(w *world, m *meeting, act Act) error {
		if m.over() {
			return refuse("meeting %q is over; start it again first", m.id)
		}
		return do(w, m, act)
	})
}

// onDevice is a verb's deed to one device of a meeting that goes on. able says
// whether a device can do it; fresh, whether somebody unknown to the meeting can.
func onDevice(fresh bool, able func(*device) bool, do func(*world, *meeting, *device, Act)) func(*world, Act) error {
	return onOpenMeeting(func(w *world, m *meeting, act Act) error {
		d, err := m.find(act, fresh, able)
		if err != nil {
			return err
		}
		do(w, m, d, act)
		return nil
	})
}

// find returns the device an act means, or makes one for somebody new.
func (m *meeting) find(act Act, fresh bool, able func(*device) bool) (*device, error) {
	var theirs []*device
	for _, d := range m.lines {
		if d.UserID == act.UserID && (act.UserID != "" || d.Nick == act.Nick) {
			theirs = append(theirs, d)
		}
	}
	for n, d := range theirs {
		if able(d) && (act.Device == 0 || act.Device == n+1) {
			return d, nil
		}
	}
	isNew := act.Device == len(theirs)+1 || act.Device == 0 && len(theirs) == 0
	if !fresh || !isNew {
		return nil, refuse("userId %q, nick %q, device %d of meeting %q: %s", act.UserID, act.Nick, act.Device, m.id, standings(theirs))
	}
	if len(m.listed) >= maxListed {
		return nil, refuse("meeting %q is full: at most %d people are listed", m.id, maxListed)
	}
	return m.addDevice(person{userID: act.UserID, nick: orText(act.Nick, act.UserID)}), nil
}

// standings explains why none of somebody's devices would do.
func standings(theirs []*device) string {
	if len(theirs) == 0 {
		return "nobody of that name is known there; invite, call or join them first"
	}
	var words []string
	for n, d := range theirs {
		words = append(words, fmt.Sprintf("device %d is %s with microphone %s and camera %s", n+1,
			orText(d.Attendance.String(), "not there yet"), orText(d.Mic.String(), "closed"), orText(d.Camera.String(), "closed")))
	}
	return "not possible: " + list(words)
}

// comesUp reports whether a device is one of the given attendances; the
// unknown one stands for somebody not there yet.
func comesUp(from ...rollcall.Attendance) func(*device) bool {
	return func(d *device) bool { return slices.Contains(from, d.Attendance) }
}
