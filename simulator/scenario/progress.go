package scenario

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// State is how far a scenario is.
type State string

// The states, in their order.
const (
	Waiting State = "waiting" // nobody has asked about every meeting yet
	Playing State = "playing"
	Over    State = "over" // everything has happened; not everything was seen
	Done    State = "done" // everything was seen
)

// Progress is what GET /_sim/scenario answers.
type Progress struct {
	Name   string  `json:"name"`
	State  State   `json:"state"`
	At     string  `json:"at"`     // in the time of the file: "40s"
	Length string  `json:"length"` // of the whole scenario
	Speed  float64 `json:"speed"`
	// Expect has what is expected of each meeting, item by item as text.
	Expect map[string][]string `json:"expect"`
}

var errImpatient = errors.New("nobody asked")

// progress is how far a player is; the zero value waits.
type progress struct {
	mu    sync.Mutex
	state State
	at    time.Duration
}

func (p *progress) set(state State, at time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.at = state, at
}

// Progress says how far the scenario is.
func (p *Player) Progress() Progress {
	p.progress.mu.Lock()
	defer p.progress.mu.Unlock()
	told := Progress{
		Name: p.scenario.Name, State: State(orText(string(p.progress.state), string(Waiting))),
		At: p.progress.at.String(), Length: p.scenario.Length().String(), Speed: p.speed,
		Expect: map[string][]string{},
	}
	for id, items := range p.scenario.Expect {
		for _, item := range items {
			told.Expect[id] = append(told.Expect[id], item.String())
		}
	}
	return told
}

func (p *Player) tellProgress(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p.Progress()) // a client that is gone cannot be answered
}
