//go:build unix

package endtoend_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/zap/zaptest/observer"

	"rollcall/poller"
	"rollcall/simulator"
)

// TestHostileWeather lets every fiftieth call go wrong in each of seven ways for
// an hour, while people come and go and some of the meetings end.
func TestHostileWeather(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("ROLLCALL_LONG") != "" {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inSky(t, func(s *sky) { weather(t, s, seed) })
		})
	}
}

func weather(t *testing.T, s *sky, seed uint64) {
	const latency, mortal = 80 * time.Millisecond, 12
	sim := s.organization("acme", simulator.Config{Seed: seed, Meetings: 2 * mortal, People: 8, Rate: 0.5, Latency: latency})
	s.start()
	calm := s.logs.Len()
	for _, name := range []string{
		"Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "waterLimitError", "systemError", simulator.FaultHTML,
		simulator.FaultReset, "InvalidAuthentication", simulator.FaultHang,
	} {
		if err := sim.Arm(simulator.Fault{Name: name, Probability: 0.02}); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range sim.ConferenceIDs()[:mortal] {
		letPass(5 * time.Minute)
		end(t, sim, id, endStyles()[i%3])
		if i%3 == 0 {
			sim.RevokeTokens()
		}
	}
	struck := 0
	for _, served := range sim.Served() {
		if served.Fault != "" {
			struck++
		}
	}
	sim.Disarm()
	letPass(10 * time.Minute)
	s.clear()

	answers := s.heard(sim, latency)
	v := judge(evidence{stream: s.below("meetings.event."), records: s.below("meetings.state."), answers: answers})
	v.whole(answers, 0, len(answers))
	v.settled(answers)
	for i, id := range sim.ConferenceIDs() {
		looks := v.courses[id].looks
		last := looks[len(looks)-1]
		if ended := last.state.Status == "ended"; ended != (i < mortal) {
			t.Errorf("meeting %d is told as ended: %v", i, ended)
		} else if e := last.events[len(last.events)-1]; ended && !e.Time.Equal(endOf(t, sim, id)) {
			t.Errorf("meeting %d ended at %v, and is told to have ended at %v", i, endOf(t, sim, id), e.Time)
		}
	}
	v.report(t)
	lines := s.logs.All()[calm:]
	t.Logf("%d of %d calls went wrong, %d lines were logged", struck, len(sim.Served()), len(lines))
	if struck < 10 || len(lines) == 0 || len(lines) > 200 {
		t.Error("the weather was not hostile, or the log repeats itself")
	}
	onlyChanges(t, lines)
}

// onlyChanges demands that each line about polling tells of something new.
func onlyChanges(t *testing.T, lines []observer.LoggedEntry) {
	t.Helper()
	last := ""
	for _, line := range lines {
		said := fmt.Sprint(line.Message, line.ContextMap()["class"])
		if said == last {
			t.Errorf("said twice in a row: %s %v", line.Message, line.ContextMap())
		}
		last = said
	}
}

func endStyles() []simulator.EndStyle {
	return []simulator.EndStyle{simulator.EndStatus, simulator.EndOmitted, simulator.EndResourceClosed}
}

func end(t *testing.T, sim *simulator.Simulator, id string, style simulator.EndStyle) {
	t.Helper()
	if _, err := sim.Act(simulator.Act{Verb: "end", ConferenceID: id, EndStyle: style}); err != nil {
		t.Fatal(err)
	}
}

// TestHangingTenantHoldsNobodyUp has one of two organizations never answer.
func TestHangingTenantHoldsNobodyUp(t *testing.T) {
	inSky(t, func(s *sky) {
		const latency = 80 * time.Millisecond
		good := s.organization("acme", simulator.Config{Seed: 1, Meetings: 150, People: 1, Latency: latency})
		bad := s.organization("hangs", simulator.Config{Seed: 2, Meetings: 150, People: 1})
		if err := bad.Arm(simulator.Fault{Name: simulator.FaultHang}); err != nil {
			t.Fatal(err)
		}
		s.start()
		letPass(10 * time.Minute)
		s.clear()
		ticks := map[time.Time]int{}
		for _, served := range good.Served() {
			tick := served.At.Truncate(15 * time.Second)
			if served.Operation != simulator.OpQuery || tick.Before(served.At.Add(-time.Second)) {
				continue
			}
			ticks[tick]++
		}
		if len(ticks) != 41 {
			t.Errorf("%d ticks in ten minutes", len(ticks))
		}
		for tick, calls := range ticks {
			if calls != 2 {
				t.Errorf("at %v there were %d calls in time", tick, calls)
			}
		}
		if hung := len(bad.Served()); hung < 10 {
			t.Errorf("the other one was asked %d times only", hung)
		}
		away := false
		for _, m := range s.below("meetings.status.hangs") {
			status, err := decode[struct{ State string }](m.data)
			away = away || err == nil && status.State == poller.StateAway
		}
		if !away {
			t.Error("nothing says that the other one does not answer")
		}
	})
}
