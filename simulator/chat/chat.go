package chat

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Robot is one address of a service.
type Robot struct {
	Service string `json:"service"` // one of Services
	Name    string `json:"name"`    // stands in its address; unique within the service
	// Secret signs what is sent; "" for services and robots that want no signature.
	Secret string `json:"secret,omitempty"`
	// Keyword must stand in each message; "" for none.
	Keyword string `json:"keyword,omitempty"`
}

// Path returns the robot's address without scheme and host.
func (r Robot) Path() string {
	s, _ := serviceOf(r.Service)
	if s.path == nil {
		return ""
	}
	return s.path(r.Name)
}

// Config is what there is.
type Config struct {
	Robots []Robot // nil: DefaultRobots
	// Now is the clock that limits and signatures go by; nil: time.Now.
	Now func() time.Time
	// Keep is how many messages and attempts are remembered; 0: all.
	Keep int
	// Arrived is called with each message once a group sees it, one at a time;
	// it must not call Chat's methods.
	Arrived func(Message)
}

// DefaultRobots returns a robot of each service; those of DingTalk and Feishu, and
// the webhook, want signatures.
func DefaultRobots() []Robot {
	robots := []Robot{}
	for _, s := range services() {
		robots = append(robots, Robot{Service: s.name, Name: "team", Secret: s.secret})
	}
	return robots
}

// Services lists the names of the services.
func Services() []string {
	names := []string{}
	for _, s := range services() {
		names = append(names, s.name)
	}
	return names
}

// Message is what a group sees, or a webhook has accepted.
type Message struct {
	Number  int       `json:"number"` // 1, 2, 3 …
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	Robot   string    `json:"robot"`
	// ID is the sender's: msgUuid of DingTalk, webhook-id of a webhook; "" where
	// the service has none.
	ID       string   `json:"id,omitempty"`
	Form     string   `json:"form"` // markdown, markdown_v2, card, blocks, text, event
	Title    string   `json:"title,omitempty"`
	Text     string   `json:"text"` // in the service's markup
	Mentions []string `json:"mentions,omitempty"`
	Body     string   `json:"body"` // as it was sent
}

// Outcome says what became of an attempt.
type Outcome string

// The outcomes.
const (
	Shown     Outcome = "shown"     // it is a message now
	Repeated  Outcome = "repeated"  // the service knew its id: accepted, and not shown again
	Throttled Outcome = "throttled" // over the limit, or within the silence after it
	Refused   Outcome = "refused"
	Lost      Outcome = "lost" // neither shown nor answered
)

// Attempt is one request.
type Attempt struct {
	Number  int       `json:"number"`
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	Robot   string    `json:"robot"`
	ID      string    `json:"id,omitempty"`
	Status  int       `json:"status"` // 0: there was no answer
	Answer  string    `json:"answer"`
	Outcome Outcome   `json:"outcome"`
	Fault   FaultKind `json:"fault,omitempty"` // what made it misbehave
}

// Chat is the services. It is safe for concurrent use.
type Chat struct {
	now     func() time.Time
	keep    int
	arrived func(Message)
	mux     *http.ServeMux

	mu       sync.Mutex
	robots   []*robot
	messages history[Message]
	attempts history[Attempt]
	faults   []Fault
}

// New makes the services. Its error names the robot that cannot be.
func New(c Config) (*Chat, error) {
	if c.Robots == nil {
		c.Robots = DefaultRobots()
	}
	chat := &Chat{now: c.Now, keep: c.Keep, arrived: c.Arrived}
	if chat.now == nil {
		chat.now = time.Now
	}
	for _, wanted := range c.Robots {
		s, known := serviceOf(wanted.Service)
		if !known || wanted.Name == "" {
			return nil, fmt.Errorf("robot %q of %q: it needs a name, and a service of %v", wanted.Name, wanted.Service, Services())
		}
		if chat.robot(s.name, wanted.Name) != nil {
			return nil, fmt.Errorf("robot %q of %s is there twice", wanted.Name, s.name)
		}
		chat.robots = append(chat.robots, &robot{Robot: wanted, service: s, known: map[string]bool{}})
	}
	chat.mux = chat.routes()
	return chat, nil
}

// Robots returns the robots.
func (c *Chat) Robots() []Robot {
	robots := []Robot{}
	for _, r := range c.robots {
		robots = append(robots, r.Robot)
	}
	return robots
}

// Messages returns what groups see, the oldest first.
func (c *Chat) Messages() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages.kept)
}

// Attempts returns what was sent, the oldest first.
func (c *Chat) Attempts() []Attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.attempts.kept)
}

// Handler serves the services, and the control below /chat/.
func (c *Chat) Handler() http.Handler { return c.mux }

// Serves reports whether a request is one for the services or their control.
func (c *Chat) Serves(r *http.Request) bool {
	_, pattern := c.mux.Handler(r)
	return pattern != ""
}

func (c *Chat) robot(service, name string) *robot {
	for _, r := range c.robots {
		if r.Service == service && r.Name == name {
			return r
		}
	}
	return nil
}

// history is the latest of what has been.
type history[T any] struct {
	kept  []T
	count int
}

// next returns the number of what is added next.
func (h *history[T]) next() int { return h.count + 1 }

// add keeps at most most; 0: all.
func (h *history[T]) add(value T, most int) {
	h.count++
	h.kept = append(h.kept, value)
	if most > 0 && len(h.kept) > most {
		h.kept = slices.Delete(h.kept, 0, len(h.kept)-most)
	}
}
