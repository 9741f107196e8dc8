package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"rollcall"
	"rollcall/internal/strictyaml"
	"rollcall/simulator"
)

// Scenario is a file that was read. It is made by [Load].
type Scenario struct {
	Name, Description string
	Seed              uint64
	// Poll is the longest distance of two polls, at speed 1, for which the
	// expected events are exact.
	Poll     time.Duration
	World    World
	Meetings []Meeting
	Steps    []Step // in the order of their instants
	// Expect has the expected events by conference id.
	Expect map[string][]Expected
}

// World is how DingTalk answers throughout; see [simulator.Config].
type World struct {
	EndStyle     simulator.EndStyle
	MaxBatch     int
	ShuffleInfos bool
	Latency      time.Duration
}

// Meeting is a meeting that is there when the first poll comes.
type Meeting struct {
	ConferenceID, Title string
	People              []Step // who is there, and how they came; their At is 0
}

// minPoll is the shortest distance of the polls of a cron schedule.
const minPoll = time.Second

// MaxSpeed is the highest speed at which the expected events are exact: a
// schedule cannot ask more often than every second.
func (s *Scenario) MaxSpeed() float64 { return float64(s.Poll) / float64(minPoll) }

// Length is the instant of the last thing that happens.
func (s *Scenario) Length() time.Duration {
	var last time.Duration
	for _, step := range s.Steps {
		last = max(last, step.end())
	}
	return last
}

// ConferenceIDs returns the ids of the meetings, in the order of the file.
func (s *Scenario) ConferenceIDs() []string {
	ids := make([]string, len(s.Meetings))
	for i, m := range s.Meetings {
		ids[i] = m.ConferenceID
	}
	return ids
}

// Load reads a file. Its error is [Complaints].
func Load(data []byte) (*Scenario, error) {
	r := reader{strictyaml.New()}
	r.EmptyRefused = true
	root, err := r.Document(data, maxBytes, "a scenario")
	switch {
	case err != nil:
		return nil, err
	case root == nil:
		return nil, Complaints{{Problem: "the file is empty; a scenario has name, meetings, steps and expect"}}
	}
	s := newScenario()
	r.Value("", root, func(_ string, n *yaml.Node) string { r.scenario(n, s); return "" })
	r.resolve(s)
	r.spaced(s)
	r.rehearse(s)
	if err := r.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func newScenario() *Scenario {
	return &Scenario{Seed: 1, Poll: 10 * time.Second, Expect: map[string][]Expected{}}
}

func (r reader) scenario(root *yaml.Node, s *Scenario) {
	written := r.section("", root, []key{
		{"name", "a word of a-z, 0-9 and -", scalar(&s.Name, properName)},
		{"description", "a text", text(&s.Description)},
		{"seed", "a whole number from 0", scalar(&s.Seed, wholeNumber)},
		{"poll", "a duration of 1s to 24h, such as 10s", span(&s.Poll, minPoll)},
		{"world", "a section", func(path string, n *yaml.Node) string { r.world(path, n, &s.World); return "" }},
		{"meetings", "a list of meetings", r.each(func(path string, n *yaml.Node) { r.meeting(path, n, s) })},
		{"steps", "a list of steps", r.each(func(path string, n *yaml.Node) { s.Steps = append(s.Steps, r.step(path, n)) })},
		{"expect", "lists of events by conferenceId", func(path string, n *yaml.Node) string { r.expect(path, n, s.Expect); return "" }},
	})
	r.demand("", written, "name", "meetings", "steps")
}

func properName(word string) (string, bool) { return word, rollcall.ValidTenant(word) }

func wholeNumber(word string) (uint64, bool) {
	n, err := strconv.ParseUint(word, 10, 64)
	return n, err == nil
}

func (r reader) world(path string, n *yaml.Node, w *World) {
	r.section(path, n, []key{
		{"endStyle", "status, omitted or resource_closed", text(&w.EndStyle)},
		{"maxBatch", "a number from 0 to 1000; 0: no limit", count(&w.MaxBatch, 0, 1000)},
		{"shuffleInfos", "true or false", truth(&w.ShuffleInfos)},
		{"latency", "a duration, such as 100ms", span(&w.Latency, 0)},
	})
}

func (r reader) meeting(path string, n *yaml.Node, s *Scenario) {
	var m Meeting
	written := r.section(path, n, []key{
		{"conferenceId", "a text", text(&m.ConferenceID)},
		{"title", "a text", text(&m.Title)},
		{"people", "a list of userIds and of acts", r.each(func(path string, n *yaml.Node) { m.People = append(m.People, r.person(path, n)) })},
	})
	r.demand(path, written, "conferenceId")
	if slices.Contains(s.ConferenceIDs(), m.ConferenceID) && m.ConferenceID != "" {
		r.Add(n.Line, path, "a meeting of this conferenceId is there already; allowed: each once")
	}
	if m.Title == "" {
		m.Title = m.ConferenceID
	}
	s.Meetings = append(s.Meetings, m)
}

// resolve returns every act its meeting, sorts the steps, and complains of
// meetings that are not there.
func (r reader) resolve(s *Scenario) {
	ids := s.ConferenceIDs()
	for i := range s.Meetings {
		for j := range s.Meetings[i].People {
			s.Meetings[i].People[j].Act.ConferenceID = ids[i]
		}
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.IsFault() || step.bad {
			continue
		}
		if step.Act.ConferenceID == "" && len(ids) == 1 {
			step.Act.ConferenceID = ids[0]
		}
		if !slices.Contains(ids, step.Act.ConferenceID) {
			r.Add(step.Line, fmt.Sprintf("steps[%d].conferenceId", i), fmt.Sprintf("is %q; allowed: %s", step.Act.ConferenceID, strings.Join(ids, ", ")))
			step.bad = true
		}
	}
	for id, items := range s.Expect {
		if !slices.Contains(ids, id) && len(items) > 0 {
			r.Add(items[0].Line, strictyaml.Join("expect", id), "there is no such meeting; allowed: "+strings.Join(ids, ", "))
		}
	}
	slices.SortStableFunc(s.Steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
}
