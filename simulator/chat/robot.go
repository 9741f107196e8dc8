package chat

import "time"

// robot is one with what it remembers.
type robot struct {
	Robot
	service service
	sent    []time.Time // of the messages that count for the limits
	blocked time.Time   // nothing is taken before
	known   map[string]bool
}

// rate is so many messages within any window.
type rate struct {
	messages int
	window   time.Duration
}

// throttled reports whether one more message is too much at that time, and
// blocks the robot where the service does.
func (r *robot) throttled(at time.Time) bool {
	if at.Before(r.blocked) {
		return true
	}
	for _, limit := range r.service.rates {
		if r.since(at.Add(-limit.window)) >= limit.messages {
			r.blocked = at.Add(r.service.block)
			return true
		}
	}
	return false
}

// since counts the messages that were sent after a time.
func (r *robot) since(begin time.Time) int {
	n := 0
	for i := len(r.sent) - 1; i >= 0 && r.sent[i].After(begin); i-- {
		n++
	}
	return n
}

// count remembers a message for as long as any limit looks back.
func (r *robot) count(at time.Time) {
	const longest = 200 // more than any limit's number
	r.sent = append(r.sent, at)
	if len(r.sent) > longest {
		r.sent = r.sent[len(r.sent)-longest:]
	}
}

// remember keeps an id, so that its message is shown once.
func (r *robot) remember(id string) {
	const most = 100_000
	if len(r.known) >= most {
		clear(r.known)
	}
	if id != "" {
		r.known[id] = true
	}
}
