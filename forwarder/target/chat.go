package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

// service is what a chat service has of its own; robot does the rest.
type service interface {
	// encode writes the request for a message with that text, to be sent at now.
	encode(m Message, t text, now time.Time) request
	// judge says what an answer means.
	judge(a answer) verdict
}

// text is what of a message is sent: its body, or lines without any markup, which
// a service that has no plain form escapes one by one.
type text struct {
	lines string
	plain bool
}

// request is one encoded message.
type request struct {
	url  *url.URL
	body []byte
	size int // in the unit of the kind's limit
}

// verdict is what an answer means: an outcome, or that the message is too large.
type verdict struct {
	Outcome
	large bool
}

// robot sends messages to one address of a chat service.
type robot struct {
	unseen
	service
	*poster
	maxSize int
}

// newRobot joins a service with an address; the service gets the URL.
func newRobot(o Options, maxSize int, made func(*url.URL) service) (Target, error) {
	if o.Address.Empty() {
		return nil, errors.New("there is no address")
	}
	return &robot{service: made(o.Address.reveal()), poster: newPoster(o, anywhere), maxSize: maxSize}, nil
}

// unseen keeps what holds secrets from being printed.
type unseen struct{}

// Format prints dots under every verb.
func (unseen) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "•••") }

// Send tries the whole body, then a shorter one, then text without markup:
// each only after the service has called what came before it too large.
func (r *robot) Send(ctx context.Context, m Message) Outcome {
	var last verdict
	for i, try := range []func(Message) (text, bool){r.whole, r.half, r.unstyled} {
		t, cut := try(m)
		last = r.try(ctx, m, t)
		last.Shortened = cut || i > 0
		last.Requests = i + 1
		if !last.large {
			return last.Outcome
		}
	}
	last.Class, last.Final = ClientError, true
	return last.Outcome
}

// try makes one request.
func (r *robot) try(ctx context.Context, m Message, t text) verdict {
	req := r.encode(m, t, r.now())
	a, failed := r.post(ctx, req.url, req.body, nil)
	if failed != nil {
		return verdict{Outcome: *failed}
	}
	return r.judge(a)
}

func (r *robot) whole(m Message) (text, bool) { return r.within(m, r.maxSize) }

func (r *robot) half(m Message) (text, bool) { return r.within(m, r.maxSize/2) }

func (r *robot) unstyled(m Message) (text, bool) {
	return text{lines: r.cutRunes(m, m.Plain, r.maxSize), plain: true}, true
}

// within returns as much of the body as a size allows, in whole lines; where
// not even the first line fits, text without markup.
func (r *robot) within(m Message, size int) (t text, cut bool) {
	fits := func(lines string) bool { return r.encode(m, text{lines: lines}, r.now()).size <= size }
	lines, ok := cutLines(m.Body, fits)
	if !ok {
		return text{lines: r.cutRunes(m, m.Plain, size), plain: true}, true
	}
	return text{lines: lines}, lines != m.Body
}

func (r *robot) cutRunes(m Message, plain string, size int) string {
	return cutRunes(plain, func(lines string) bool {
		return r.encode(m, text{lines: lines, plain: true}, r.now()).size <= size
	})
}
