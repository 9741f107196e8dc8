package chat

import (
	"io"
	"net/http"
)

// maxBody is how much of a request is read; the services refuse much less.
const maxBody = 1 << 20

// routes serves every service at its own address.
func (c *Chat) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, s := range services() {
		mux.HandleFunc(s.route, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, s) })
	}
	c.control(mux)
	return mux
}

// serve answers one request for a robot.
func (c *Chat) serve(w http.ResponseWriter, r *http.Request, s service) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request is too large or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	said, answered := c.take(r, s, body)
	switch answered {
	case hangUp:
		panic(http.ErrAbortHandler)
	case silence:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	for name, value := range said.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(said.status)
	_, _ = io.WriteString(w, said.body) // whoever hung up is not waiting for it
}

// manner is how a request is answered.
type manner int

const (
	answering manner = iota // with a reply
	hangUp
	silence
)

// take decides about a request and remembers it.
func (c *Chat) take(r *http.Request, s service, body []byte) (reply, manner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.now()
	robot := c.robot(s.name, s.token(r))
	if robot == nil {
		c.note(Attempt{At: at, Service: s.name, Status: s.unknown.status, Answer: s.unknown.body, Outcome: Refused})
		return s.unknown, answering
	}
	d := c.decide(robot, incoming{robot: robot.Robot, at: at, request: r, body: body})
	attempt := Attempt{At: at, Service: s.name, Robot: robot.Name, ID: d.message.ID, Outcome: d.outcome, Fault: d.fault}
	if d.manner == answering {
		attempt.Status, attempt.Answer = d.reply.status, d.reply.body
	}
	c.note(attempt)
	return d.reply, d.manner
}

// decision is what becomes of a request.
type decision struct {
	message Message
	outcome Outcome
	reply   reply
	manner  manner
	fault   FaultKind
}

// decide holds a request against the faults, the limits and the service's checks.
func (c *Chat) decide(r *robot, in incoming) decision {
	message, refusal := r.service.read(in)
	d := decision{message: message, fault: c.strike(r)}
	switch {
	case d.fault != "" && d.fault != Drop:
		return c.misbehave(r, in, d)
	case r.throttled(in.at):
		d.outcome, d.reply = Throttled, r.service.answered(Throttle)
		return d
	case refusal != nil:
		d.outcome, d.reply = Refused, *refusal
		return d
	}
	r.count(in.at)
	d.outcome, d.reply = c.show(r, in, message), r.service.ok
	if d.fault == Drop {
		d.manner = hangUp
	}
	return d
}

// misbehave strikes a request that is not shown.
func (c *Chat) misbehave(r *robot, in incoming, d decision) decision {
	switch d.fault {
	case HangUp:
		d.outcome, d.manner = Lost, hangUp
	case Timeout:
		d.outcome, d.manner = Lost, silence
	case Throttle:
		r.blocked = in.at.Add(r.service.block)
		d.outcome, d.reply = Throttled, r.service.answered(Throttle)
	default:
		d.outcome, d.reply = Refused, r.service.answered(d.fault)
	}
	return d
}

// show makes a message of a request, once for an id that the service compares.
func (c *Chat) show(r *robot, in incoming, m Message) Outcome {
	if m.ID != "" && r.known[m.ID] {
		return Repeated
	}
	r.remember(m.ID)
	m.Number, m.At, m.Service, m.Robot, m.Body = c.messages.next(), in.at, r.Service, r.Name, string(in.body)
	c.messages.add(m, c.keep)
	if c.arrived != nil {
		c.arrived(m)
	}
	return Shown
}

func (c *Chat) note(a Attempt) {
	a.Number = c.attempts.next()
	c.attempts.add(a, c.keep)
}
