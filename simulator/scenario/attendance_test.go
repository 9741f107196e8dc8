package scenario_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/consume"
	"rollcall/simulator"
	"rollcall/wire"
)

// stay is when somebody was there in truth, and for how long what was open.
type stay struct {
	joined, left time.Time
	mic, camera  time.Duration
}

// The truth lies within the bounds of [consume.Attendance]: of whoever was
// there, when, and with what open.
func TestAttendanceHoldsTheTruth(t *testing.T) {
	files, err := filepath.Glob(shelf + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		s := load(t, file)
		for _, how := range []terms{{1, s.Poll, s.Poll * 7 / 10}, {s.MaxSpeed(), time.Second, 450 * time.Millisecond}} {
			t.Run(fmt.Sprintf("%s/speed %g, late by %s", s.Name, how.speed, how.late), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ledger, world := performed(t, s, how)
					for _, id := range s.ConferenceIDs() {
						var a consume.Attendance
						for _, e := range published(t, ledger, id) {
							parsed, err := consume.Parse(wire.AppendEvent(nil, &e))
							if err == nil {
								_, err = a.Apply(parsed)
							}
							if err != nil {
								t.Fatal(err)
							}
						}
						// What opens and closes while DingTalk fails nobody has seen.
						seen := s.Name != "storm"
						holds(t, a.Visits(time.Now()), stays(t, world, id), seen)
					}
				})
			})
		}
	}
}

// stays are those of each person in truth.
func stays(t *testing.T, world *simulator.Simulator, id string) map[string][]stay {
	t.Helper()
	var instants []time.Time
	for _, fact := range world.Happened() {
		if fact.ConferenceID == id && !slices.ContainsFunc(instants, fact.At.Equal) {
			instants = append(instants, fact.At)
		}
	}
	all := map[string][]stay{}
	there := map[string]rollcall.Participant{}
	for i, at := range instants {
		truth, err := world.Truth(id, at)
		if err != nil {
			t.Fatal(err)
		}
		now := map[string]rollcall.Participant{}
		for _, p := range truth.Roster {
			if p.Attendance == rollcall.AttendancePresent {
				now[p.Key] = p
			}
		}
		for key := range now {
			if _, was := there[key]; !was {
				all[key] = append(all[key], stay{joined: at})
			}
		}
		for key, p := range there {
			last := &all[key][len(all[key])-1]
			if p.Mic == rollcall.DeviceOpen {
				last.mic += at.Sub(instants[i-1])
			}
			if p.Camera == rollcall.DeviceOpen {
				last.camera += at.Sub(instants[i-1])
			}
			if _, is := now[key]; !is {
				last.left = at
			}
		}
		there = now
	}
	return all
}

func holds(t *testing.T, visits []consume.Visit, truth map[string][]stay, devices bool) {
	t.Helper()
	seen := map[string]int{}
	for _, v := range visits {
		n := seen[v.Key]
		seen[v.Key]++
		if n >= len(truth[v.Key]) {
			t.Errorf("visit %d of %q never was: %+v", n+1, v.Key, v)
			continue
		}
		s := truth[v.Key][n]
		ms := func(d time.Duration) time.Duration { return d + time.Millisecond } // times on the wire are cut to it
		within := func(what string, b consume.Bounds, d time.Duration) {
			if d > ms(b.Max) && b.Max >= 0 || ms(d) < b.Min {
				t.Errorf("visit %d of %q: %s %v is not within %v to %v", n+1, v.Key, what, d, b.Min, b.Max)
			}
		}
		inside := func(what string, w rollcall.Window, at time.Time) {
			if !w.Contains(at.Truncate(time.Millisecond)) {
				t.Errorf("visit %d of %q: it %s at %v, not in %v", n+1, v.Key, what, at, w)
			}
		}
		inside("began", v.Joined, s.joined)
		if devices {
			within("microphone", v.Mic, s.mic)
			within("camera", v.Camera, s.camera)
		}
		if !s.left.IsZero() && v.How != "" {
			inside("ended", v.Left, s.left)
			within("stay", v.Stay, s.left.Sub(s.joined))
		}
	}
	for key, all := range truth {
		if seen[key] != len(all) {
			t.Errorf("%q was there %d times, %d were told", key, len(all), seen[key])
		}
	}
}
