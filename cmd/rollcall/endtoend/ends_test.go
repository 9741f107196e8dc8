//go:build unix

package endtoend_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rollcall/simulator"
)

const (
	permissionDenied = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
	endLatency       = 60 * time.Millisecond
)

// TestEndsAreToldOnceWithTheirTime ends 200 meetings one after the other in each
// way of answering; for ten minutes in between nothing may be asked.
func TestEndsAreToldOnceWithTheirTime(t *testing.T) {
	for _, style := range endStyles() {
		for _, listed := range []bool{true, false} {
			if !listed && style != simulator.EndResourceClosed {
				continue
			}
			t.Run(fmt.Sprintf("%s, list %v", style, listed), func(t *testing.T) {
				inSky(t, func(s *sky) { manyEnds(t, s, style, listed) })
			})
		}
	}
}

func manyEnds(t *testing.T, s *sky, style simulator.EndStyle, listed bool) {
	const mortal = 200
	sim := s.organization("acme", simulator.Config{Seed: 3, Meetings: mortal + 10, People: 1, Latency: endLatency})
	if !listed {
		deny(t, sim, 0, simulator.OpOrganization)
	}
	s.start()
	for i, id := range sim.ConferenceIDs()[:mortal] {
		letPass(15*time.Second - time.Duration(i)*37*time.Millisecond)
		end(t, sim, id, style)
		if i == mortal/2 {
			deny(t, sim, 10*time.Minute, simulator.OpQuery, simulator.OpMeeting, simulator.OpOrganization)
		}
	}
	letPass(20 * time.Minute)
	s.clear()
	ended := map[string]int{}
	for _, m := range s.below("meetings.event.") {
		e, err := decode[event](m.data)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != "rollcall.meeting.ended" {
			continue
		}
		id := e.Data.ConferenceID
		ended[id]++
		if want := endOf(t, sim, id); !e.Time.Equal(want) {
			t.Errorf("%s ended at %v, and is told to have ended at %v (%s)", id, want, e.Time, e.Data.Reason)
		}
		if want := map[simulator.EndStyle]string{simulator.EndResourceClosed: "resource_closed"}[style]; want != "" && e.Data.Reason != want {
			t.Errorf("%s ended by %s", id, e.Data.Reason)
		}
	}
	for i, id := range sim.ConferenceIDs() {
		if want := map[bool]int{true: 1}[i < mortal]; ended[id] != want {
			t.Errorf("meeting %d has %d events meeting.ended, want %d", i, ended[id], want)
		}
	}
	answers := s.heard(sim, endLatency)
	judge(evidence{stream: s.below("meetings.event."), records: s.below("meetings.state."), answers: answers}).report(t)
	onlyChanges(t, s.logs.All())
}

// deny takes a permission away for a while; 0: for good.
func deny(t *testing.T, sim *simulator.Simulator, span time.Duration, operations ...simulator.Operation) {
	t.Helper()
	for _, op := range operations {
		if err := sim.Arm(simulator.Fault{Name: permissionDenied, Operation: op, For: span}); err != nil {
			t.Fatal(err)
		}
	}
}

// endOf gives when a meeting really ended, as DingTalk tells it: in milliseconds.
func endOf(t *testing.T, sim *simulator.Simulator, id string) time.Time {
	t.Helper()
	for _, fact := range sim.Happened() {
		if fact.ConferenceID == id && fact.Type == "meeting.ended" {
			return fact.At.Truncate(time.Millisecond)
		}
	}
	t.Errorf("%s has not ended at all", id)
	return time.Time{}
}

// TestLongEndsInAnHour counts the metered calls for meetings that all end within
// an hour, beside those of the passes as such.
func TestLongEndsInAnHour(t *testing.T) {
	long(t)
	var table strings.Builder
	for _, c := range []struct {
		style  simulator.EndStyle
		listed bool
	}{
		{simulator.EndStatus, true}, {simulator.EndOmitted, true}, {simulator.EndResourceClosed, true}, {simulator.EndResourceClosed, false},
	} {
		for _, n := range []int{10, 100, 1000} {
			inSky(t, func(s *sky) {
				fmt.Fprintf(&table, "\n%16s list %-5v %4d: %s", c.style, c.listed, n, hourOfEnds(t, s, c.style, c.listed, n))
			})
		}
	}
	t.Log(table.String())
}

func hourOfEnds(t *testing.T, s *sky, style simulator.EndStyle, listed bool, n int) string {
	sim := s.organization("acme", simulator.Config{Seed: 3, Meetings: n, People: 1, Latency: endLatency})
	if !listed {
		deny(t, sim, 0, simulator.OpOrganization)
	}
	s.start()
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	left, passes := sim.ConferenceIDs(), 0
	for tick := range 240 {
		passes += (len(left) + 99) / 100
		ending := 0
		for range left {
			if rng.IntN(240-tick) == 0 {
				ending++
			}
		}
		for i, id := range left[:ending] {
			letPass(15 * time.Second / time.Duration(ending+1) * time.Duration(min(i, 1)))
			end(t, sim, id, style)
		}
		left = left[ending:]
		letPass(time.Until(time.Now().Truncate(15 * time.Second).Add(15*time.Second + time.Second)))
	}
	s.clear()
	calls := map[simulator.Operation]int{}
	total := 0
	for _, served := range sim.Served() {
		calls[served.Operation]++
		if served.Operation.Metered() {
			total++
		}
	}
	told := 0
	for _, m := range s.below("meetings.event.") {
		if strings.HasSuffix(m.subject, ".meeting.ended") {
			told++
		}
	}
	if told != n || total > passes+n*9 {
		t.Errorf("%d of %d ends are told, with %d calls beside %d passes", told, n, total, passes)
	}
	return fmt.Sprintf("%5d calls; %5d for the passes, %4d more queries, %4d lookups, %3d lists: %.1f an end",
		total, passes, calls[simulator.OpQuery]-passes, calls[simulator.OpMeeting], calls[simulator.OpOrganization], float64(total-passes)/float64(n))
}

// TestNoTroubleIsAMiss keeps the end of meetings that answers leave out from
// being confirmed, in every way but one: that nobody knows them.
func TestNoTroubleIsAMiss(t *testing.T) {
	for _, name := range simulator.FaultNames() {
		if name == "roomNotFound" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			inSky(t, func(s *sky) { unconfirmed(t, s, name) })
		})
	}
}

func unconfirmed(t *testing.T, s *sky, fault string) {
	sim := s.organization("acme", simulator.Config{Seed: 3, Meetings: 4, People: 1, Latency: endLatency})
	s.start()
	if err := sim.Arm(simulator.Fault{Name: fault, Operation: simulator.OpMeeting, For: 5 * time.Minute, Bytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	ids := sim.ConferenceIDs()
	end(t, sim, ids[0], simulator.EndOmitted)
	end(t, sim, ids[1], simulator.EndOmitted)
	letPass(45 * time.Minute) // a quarantine may have grown to some minutes
	s.clear()
	told := 0
	for _, m := range s.below("meetings.event.") {
		if !strings.HasSuffix(m.subject, ".meeting.ended") {
			continue
		}
		told++
		if e, err := decode[event](m.data); err != nil || e.Data.Reason == "vanished" {
			t.Errorf("%s is told to have vanished: %v", e.Data.ConferenceID, err)
		}
	}
	if want := map[bool]int{false: 2}[strings.HasSuffix(fault, "ApiCountLimitForOrg")]; told != want {
		t.Errorf("%d ends are told once the trouble is over, want %d", told, want)
	}
}
