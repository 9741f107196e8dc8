package endtoend_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// folded is a meeting as its events tell it, verb by verb. An event that does
// not follow from those before it (somebody leaves who is not there) is an error.
type folded struct {
	status   string
	bits     int64
	people   map[string]person
	sessions map[string]int
}

func newFolded() *folded {
	return &folded{people: map[string]person{}, sessions: map[string]int{}}
}

// mediaVerbs gives the bit that a verb sets (or, negative, clears).
func mediaVerbs() map[string]int64 {
	return map[string]int64{
		"meeting.mic_muted": 1, "meeting.mic_unmuted": -1,
		"meeting.camera_closed": 2, "meeting.camera_opened": -2,
		"meeting.mute_all_enforced": 4, "meeting.mute_all_lifted": -4,
	}
}

func (f *folded) apply(kind string, e *event) error {
	if bit, ok := mediaVerbs()[kind]; ok {
		return f.switchBit(bit)
	}
	if e.Data.Participant == nil {
		return f.applyToMeeting(kind, e)
	}
	return f.applyToPerson(kind, e)
}

func (f *folded) switchBit(bit int64) error {
	set := bit > 0
	bit = max(bit, -bit)
	if f.bits&bit != 0 == set {
		return fmt.Errorf("media bit %d is %t already", bit, set)
	}
	f.bits ^= bit
	return nil
}

func (f *folded) applyToMeeting(kind string, e *event) error {
	from := f.status
	switch kind {
	case "meeting.initialized":
		f.status = "initialized"
		return demand(from == "", "it is %q already", from)
	case "meeting.started":
		f.status = "started"
		reopened := e.Data.Reason == "reopened"
		if reopened {
			clear(f.sessions) // who was there is known until the end
		}
		return demand(reopened && from == "ended" || !reopened && (from == "" || from == "initialized"), "it is %q already", from)
	case "meeting.ended":
		f.status = "ended"
		return demand(from != "ended" && len(f.people) == 0, "it is %q with %d people in the roster", from, len(f.people))
	case "meeting.untracked":
		if from == "" { // nobody ever saw it
			f.status = "initialized"
		}
		clear(f.people) // whoever is there, nobody looks
		return demand(from != "ended", "it has ended")
	case "meeting.title_changed", "meeting.start_time_changed", "meeting.summarized":
		return nil
	}
	return fmt.Errorf("no such event without a participant")
}

// forget lets one of the people, if any, be known under the pseudonym alone.
func (f *folded) forget(e *event) error {
	as := e.Data.Participant.Key
	for key, p := range f.people {
		sum := sha256.Sum256([]byte(e.Data.Tenant + "/" + e.Data.ConferenceID + "\x00" + key))
		if "forgotten-"+hex.EncodeToString(sum[:16]) == as {
			delete(f.people, key)
			f.sessions[as] = f.sessions[key]
			p.Key, p.UserID, p.Nick, p.RejectDescription = as, as, "", ""
			f.people[as] = p
			return nil
		}
	}
	return nil
}

func (f *folded) applyToPerson(kind string, e *event) error {
	said := *e.Data.Participant
	if kind == "participant.forgotten" {
		return f.forget(e)
	}
	now, known := f.people[said.Key]
	next := said
	next.Attendance, next.Mic, next.Camera, next.RejectDescription = now.Attendance, cmp.Or(now.Mic, "closed"), cmp.Or(now.Camera, "closed"), ""
	present := now.Attendance == "present"
	var err error
	switch kind {
	case "participant.invited", "participant.joining":
		next.Attendance = kind[len("participant."):]
		err = demand(!present && now.Attendance != next.Attendance, "is %s", now.Attendance)
	case "participant.joined":
		f.sessions[said.Key]++
		next.Attendance = "present"
		err = demand(!present, "is present already")
	case "participant.left", "participant.kicked_out":
		err = demand(present && now.Mic == "closed" && now.Camera == "closed", "is %q, mic %s, camera %s", now.Attendance, now.Mic, now.Camera)
		next.Attendance = ""
	case "participant.invitation_lapsed":
		err = demand(known && !present, "is %q", now.Attendance)
		next.Attendance = ""
	case "participant.declined", "participant.join_failed":
		err = demand(!present, "is present")
		next.Attendance = ""
	case "participant.renamed", "participant.role_changed":
		err = demand(known, "is not in the roster")
	default:
		err = turn(kind, present, &next)
	}
	f.set(next)
	return err
}

// turn opens or closes a device.
func turn(kind string, present bool, p *person) error {
	switches := map[string]struct {
		device *string
		to     string
	}{
		"participant.mic_opened": {&p.Mic, "open"}, "participant.mic_closed": {&p.Mic, "closed"},
		"participant.camera_opened": {&p.Camera, "open"}, "participant.camera_closed": {&p.Camera, "closed"},
	}
	s, ok := switches[kind]
	if !ok {
		return fmt.Errorf("no such event about a participant")
	}
	was := *s.device
	*s.device = s.to
	return demand(present && was != s.to, "present is %t, the device was %s", present, was)
}

func (f *folded) set(p person) {
	p.Session = f.sessions[p.Key]
	if p.Attendance == "" {
		delete(f.people, p.Key)
		return
	}
	f.people[p.Key] = p
}

// roster gives the people by key.
func (f *folded) roster() []person {
	return slices.SortedFunc(maps.Values(f.people), func(a, b person) int { return cmp.Compare(a.Key, b.Key) })
}

func (f *folded) present() (n int) {
	for _, p := range f.people {
		if p.Attendance == "present" {
			n++
		}
	}
	return n
}

func demand(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
