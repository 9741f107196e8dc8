package target

import (
	"context"
	"net/http"
	"time"

	"rollcall/internal/secret"
)

// Message is one message, rendered for the kind of target that it is sent to.
type Message struct {
	// ID is the same over all attempts: the note's, or the event's for the
	// webhook. A service with an idempotency key shows the message once.
	ID string
	// Title is plain text on one line; the target escapes it where it must.
	Title string
	// Body is in the markup of the kind: lines, each whole in itself.
	Body string
	// Plain is the same as text without markup, for when the service refuses
	// even the shortened body.
	Plain string
	// Digest chooses the markup that Body is written in: see [Kind.Markup].
	Digest bool
	// Mention lists ids of the service's users to be mentioned, or "all".
	Mention []string
	// Event is the CloudEvent as JSON; the webhook sends it and nothing else.
	Event []byte
}

// Target is one robot's address, or one webhook's.
type Target interface {
	// Send makes one attempt: one request, and at most two more where the
	// service says that the message is too large. It is safe for concurrent use.
	Send(ctx context.Context, m Message) Outcome
}

// Options is what makes a target of a kind.
type Options struct {
	Address Address
	// Secret signs; OldSecrets sign, too, while a webhook's key is being changed.
	Secret     secret.String
	OldSecrets []secret.String
	// Keyword is put before a title or text in which it is missing; robots with
	// keywords refuse a message without one.
	Keyword string
	// AllowPrivate lets a webhook lead to addresses of private networks and of
	// this machine.
	AllowPrivate bool
	// Transport makes the requests; nil: over the network.
	Transport http.RoundTripper
	// Now is the clock of signatures; nil: time.Now.
	Now func() time.Time
}

// Class says what became of an attempt, in Alertmanager's words.
type Class string

// The classes. Only Delivered means that the service has the message.
const (
	Delivered   Class = ""
	RateLimited Class = "rateLimited" // too many messages: nothing may be sent for Outcome.Pause
	AuthError   Class = "authError"   // the address, key or keyword is refused: the target needs its operator
	ClientError Class = "clientError" // this message is refused
	ServerError Class = "serverError" // the service has a fault; it may pass
	Unreachable Class = "unreachable" // there was no answer
	Gone        Class = "gone"        // the target was switched off for good
)

// Outcome is what became of [Target.Send].
type Outcome struct {
	Class Class
	// Pause is how long the service wants silence; never 0 with RateLimited.
	Pause time.Duration
	// Unsure: it may have been delivered, since the answer was lost.
	Unsure bool
	// Final: sending this very message again cannot help.
	Final bool
	// Queued: accepted, not yet shown; whether it will be cannot be known.
	Queued bool
	// Shortened: the message was cut to what the service takes.
	Shortened bool
	// Requests is how many requests were made, each of which counts for limits.
	Requests int
	// Detail is the reason and the fix for people, on one line; "" when delivered.
	Detail string
}
