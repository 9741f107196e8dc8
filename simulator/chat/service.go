package chat

import (
	"net/http"
	"time"
)

// service is what a chat service has of its own.
type service struct {
	name   string
	secret string // the default robot's
	route  string // pattern of http.ServeMux
	// path makes a robot's address, token finds the robot in one.
	path  func(name string) string
	token func(*http.Request) string
	rates []rate
	block time.Duration // how long nothing is taken after a message too many
	// read checks a request as the service does: what it shows, or why not.
	read func(in incoming) (Message, *reply)
	// What it answers.
	ok, unknown reply
	faults      map[FaultKind]reply
}

// incoming is a request for a robot.
type incoming struct {
	robot   Robot
	at      time.Time
	request *http.Request
	body    []byte
}

// reply is an answer.
type reply struct {
	status int
	header map[string]string
	body   string
}

// answered returns the answer of a service for a fault.
func (s service) answered(kind FaultKind) reply {
	if r, has := s.faults[kind]; has {
		return r
	}
	switch kind {
	case Throttle:
		return reply{429, map[string]string{"Retry-After": "60"}, ""}
	case Gone:
		return reply{410, nil, ""}
	case TooLarge:
		return reply{413, nil, ""}
	case Garble:
		return reply{200, map[string]string{"Content-Type": "text/html"}, "<html><body>Sign in to the network</body></html>"}
	case Abort:
		return reply{400, map[string]string{"Webhook-Delivery": "abort-message"}, ""}
	case Redirect:
		return reply{301, map[string]string{"Location": "https://elsewhere.example/"}, ""}
	case Refuse:
		return reply{403, nil, ""}
	}
	return reply{500, nil, "internal error"}
}

// services is the table: each stands in a file of its own.
func services() []service {
	return []service{dingTalk(), feishu(), weCom(), slack(), teams(), webhook()}
}

func serviceOf(name string) (service, bool) {
	for _, s := range services() {
		if s.name == name {
			return s, true
		}
	}
	return service{}, false
}

// inJSON is the header of most answers.
func inJSON(status int, body string) reply {
	return reply{status, map[string]string{"Content-Type": "application/json; charset=utf-8"}, body}
}
