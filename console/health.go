package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Check is one condition of being ready.
type Check struct {
	Name    string        // nats, poll acme, waiting acme
	OK      bool          // whether it holds
	Age     time.Duration // how old the thing is that it is about; 0 where no age is measured
	Allowed time.Duration // the age from which it no longer holds; 0 where no age is measured
	Detail  string        // why, in words that may be shown to anybody
}

// Aged makes the check of something that must not grow older than allowed.
func Aged(name string, age, allowed time.Duration, detail string) Check {
	return Check{Name: name, OK: age <= allowed, Age: age, Allowed: allowed, Detail: detail}
}

// Health measures, at each call, what being ready depends on.
type Health interface {
	Health() []Check
}

// checkBody is a check on the wire.
type checkBody struct {
	Name           string  `json:"name"`
	OK             bool    `json:"ok"`
	AgeSeconds     float64 `json:"ageSeconds,omitempty"`
	AllowedSeconds float64 `json:"allowedSeconds,omitempty"`
	Detail         string  `json:"detail,omitempty"`
}

// readyBody is the answer of /readyz.
type readyBody struct {
	Ready   bool        `json:"ready"`
	Reasons []string    `json:"reasons"` // why not, one for each check that fails
	Checks  []checkBody `json:"checks"`
}

// patience is how long a measurement may take. Probes wait for an answer of any
// kind for a few seconds only.
const patience = 2 * time.Second

// measuring measures health in a goroutine of its own, one at a time: what it
// looks at may hang with a disk, and the client is to learn of that.
type measuring struct {
	health Health

	mu      sync.Mutex
	current *measurement // under way; nil: none is
}

type measurement struct {
	checks []Check
	done   chan struct{}
}

// checks returns the checks, or one that fails where they are not to be had in time.
func (m *measuring) checks() []Check {
	current := m.begin()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-current.done:
		return current.checks
	case <-timer.C:
		return []Check{{Name: "health", Detail: fmt.Sprintf("the worker does not say within %s how it does: the disk of data_dir may hang", patience)}}
	}
}

func (m *measuring) begin() *measurement {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == nil {
		m.current = &measurement{done: make(chan struct{})}
		go m.measure(m.current)
	}
	return m.current
}

func (m *measuring) measure(current *measurement) {
	current.checks = m.health.Health()
	m.mu.Lock()
	m.current = nil
	m.mu.Unlock()
	close(current.done)
}

// ready answers 200 when every check holds and 503 otherwise, even when there
// is nothing yet that could be checked.
func ready(health Health) http.HandlerFunc {
	measured := &measuring{health: health}
	return func(w http.ResponseWriter, _ *http.Request) {
		var checks []Check
		if health != nil {
			checks = measured.checks()
		}
		body := judge(checks)
		status := http.StatusOK
		if !body.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, body)
	}
}

func judge(checks []Check) readyBody {
	body := readyBody{Ready: len(checks) > 0, Reasons: []string{}, Checks: []checkBody{}}
	if len(checks) == 0 {
		body.Reasons = append(body.Reasons, "nothing has been measured yet")
	}
	for _, check := range checks {
		body.Checks = append(body.Checks, checkBody{
			check.Name, check.OK, check.Age.Seconds(), check.Allowed.Seconds(), check.Detail,
		})
		if !check.OK {
			body.Ready = false
			body.Reasons = append(body.Reasons, check.reason())
		}
	}
	return body
}

// reason says in words why the check does not hold.
func (c Check) reason() string {
	text := c.Name + ": "
	if c.Allowed > 0 {
		text += fmt.Sprintf("%s old, allowed are %s", c.Age.Round(time.Millisecond), c.Allowed)
		if c.Detail == "" {
			return text
		}
		text += "; "
	}
	return text + c.Detail
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body) // the client has gone: nobody is left to answer
}
