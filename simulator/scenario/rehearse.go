package scenario

import (
	"fmt"
	"strings"
	"time"

	"rollcall/simulator"
)

// rehearse acts the file in a world where time stands still, and complains of
// what cannot happen. After a mistake the rest of that meeting is not judged.
func (r reader) rehearse(s *Scenario) {
	world, err := simulator.New(s.config(simulator.Config{Now: func() time.Time { return time.Unix(0, 0) }}))
	if err != nil {
		r.Add(1, "world", strings.TrimPrefix(err.Error(), "make simulator: "))
		return
	}
	doubtful := map[string]bool{}
	for _, m := range s.Meetings {
		if m.ConferenceID == "" {
			continue
		}
		r.attempt(world, doubtful, Step{Act: m.create(), Repeat: 1, Line: 1, path: "meetings"}, 0)
		for _, step := range m.People {
			for n := range step.Repeat {
				r.attempt(world, doubtful, step, n)
			}
		}
	}
	for _, due := range s.timeline() {
		if due.step.IsFault() {
			r.arm(world, due.step)
			continue
		}
		r.attempt(world, doubtful, due.step, due.n)
	}
}

func (r reader) attempt(world *simulator.Simulator, doubtful map[string]bool, step Step, n int) {
	act := step.act(n)
	if doubtful[act.ConferenceID] {
		return
	}
	if !step.bad {
		_, err := world.Act(act)
		if err == nil {
			return
		}
		r.Add(step.Line, step.path, "cannot happen: "+err.Error())
	}
	doubtful[act.ConferenceID] = true
}

func (r reader) arm(world *simulator.Simulator, step Step) {
	if step.bad {
		return
	}
	if err := world.Arm(step.Fault); err != nil {
		r.Add(step.Line, step.path, strings.TrimPrefix(err.Error(), "arm fault: "))
	}
}

// config is the world of the scenario, in which nothing happens by chance.
func (s *Scenario) config(base simulator.Config) simulator.Config {
	base.Seed, base.Meetings, base.Rate = s.Seed, -1, 0
	base.EndStyle, base.MaxBatch = s.World.EndStyle, s.World.MaxBatch
	base.ShuffleInfos, base.Latency = s.World.ShuffleInfos, s.World.Latency
	return base
}

func (m Meeting) create() simulator.Act {
	return simulator.Act{Verb: "create", ConferenceID: m.ConferenceID, Title: m.Title}
}

// populate makes the beginning of the scenario.
func (s *Scenario) populate(world *simulator.Simulator) ([]simulator.Fact, error) {
	var all []simulator.Fact
	for _, m := range s.Meetings {
		acts := []simulator.Act{m.create()}
		for _, step := range m.People {
			for n := range step.Repeat {
				acts = append(acts, step.act(n))
			}
		}
		facts, err := world.Together(acts)
		if err != nil {
			return nil, fmt.Errorf("begin meeting %q: %w", m.ConferenceID, err)
		}
		all = append(all, facts...)
	}
	return all, nil
}
