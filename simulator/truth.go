package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall"
)

// Truth is what somebody who sees everything knows of a meeting at an instant,
// in the words and by the merging rules of Rollcall's roster.
type Truth struct {
	// Meeting has its texts cut at [rollcall.MaxText]; Present counts people.
	Meeting rollcall.Conference
	// Roster is sorted by key; nobody is in it once the meeting is over.
	// Session is 0 throughout: how often somebody was seen to join depends on
	// who looked when.
	Roster []rollcall.Participant
}

// Truth returns what was true of a meeting at an instant, all facts of that
// instant included. An answer may have been given before some of them, where a
// clock stands: what it showed is in [Shown.Truth]. An instant before the
// remembered facts (see [Config] Keep), and a meeting without facts until then
// are errors.
func (s *Simulator) Truth(conferenceID string, at time.Time) (Truth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	return s.world.truth(conferenceID, at)
}

func (w *world) truth(conferenceID string, at time.Time) (Truth, error) {
	facts := w.facts.since(0)
	if w.facts.dropped > 0 && at.Before(w.forgottenAt) {
		return Truth{}, fmt.Errorf("tell the truth of %q at %v: the facts before %v are forgotten; raise Keep", conferenceID, at, w.forgottenAt)
	}
	told := &book{}
	if base := w.base[conferenceID]; base != nil {
		told = base.clone()
	}
	for i := range facts { // a fact is large, and most are about other meetings
		if f := &facts[i]; f.ConferenceID == conferenceID && !f.At.After(at) {
			told.apply(*f)
		}
	}
	if told.meeting.Status == rollcall.StatusUnknown {
		return Truth{}, fmt.Errorf("tell the truth of %q at %v: nothing had happened in a meeting of this id", conferenceID, at)
	}
	return told.truth(), nil
}

func newTruth(meeting rollcall.Conference, entries []rollcall.Entry) Truth {
	meeting.Title = rollcall.Clip(meeting.Title)
	meeting.StartTime = meeting.StartTime.Truncate(time.Millisecond)
	meeting.Present = 0
	if meeting.Status == rollcall.StatusEnded {
		return Truth{Meeting: meeting}
	}
	told := Truth{Meeting: meeting, Roster: roster(entries)}
	for _, p := range told.Roster {
		if p.Attendance == rollcall.AttendancePresent {
			told.Meeting.Present++
		}
	}
	return told
}

// roster merges the entries of each person, the most present wins.
func roster(entries []rollcall.Entry) []rollcall.Participant {
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].Nick = rollcall.Clip(entries[i].Nick)
		entries[i].RejectDescription = rollcall.Clip(entries[i].RejectDescription)
	}
	slices.SortFunc(entries, morePresent)
	strangers := map[string]int{}
	seen := map[string]bool{}
	var people []rollcall.Participant
	for _, e := range entries {
		key := keyOf(e, strangers)
		if !seen[key] && e.Attendance.InRoster() {
			people = append(people, participant(key, e))
		}
		seen[key] = true
	}
	slices.SortFunc(people, func(a, b rollcall.Participant) int { return strings.Compare(a.Key, b.Key) })
	return people
}

func morePresent(a, b rollcall.Entry) int {
	return cmp.Or(
		cmp.Compare(standing(b.Attendance), standing(a.Attendance)),
		cmp.Compare(openness(b, b.Mic), openness(a, a.Mic)),
		cmp.Compare(openness(b, b.Camera), openness(a, a.Camera)),
		strings.Compare(a.Nick, b.Nick),
		strings.Compare(a.RejectDescription, b.RejectDescription),
	)
}

// standing ranks present over joining over invited over the gone.
func standing(a rollcall.Attendance) rollcall.Attendance {
	if a.InRoster() {
		return a
	}
	return 0
}

func openness(e rollcall.Entry, d rollcall.Device) int {
	if e.Attendance == rollcall.AttendancePresent && d == rollcall.DeviceOpen {
		return 1
	}
	return 0
}

func keyOf(e rollcall.Entry, strangers map[string]int) string {
	if strings.HasPrefix(e.UserID, "anon:") {
		return "id:" + e.UserID
	}
	if e.UserID != "" {
		return e.UserID
	}
	strangers[e.Nick]++
	return fmt.Sprintf("anon:%s#%d", e.Nick, strangers[e.Nick])
}

func participant(key string, e rollcall.Entry) rollcall.Participant {
	p := rollcall.Participant{
		Key: key, UserID: e.UserID, Nick: e.Nick, Attendance: e.Attendance,
		Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed,
	}
	if openness(e, e.Mic) == 1 {
		p.Mic = rollcall.DeviceOpen
	}
	if openness(e, e.Camera) == 1 {
		p.Camera = rollcall.DeviceOpen
	}
	return p
}
