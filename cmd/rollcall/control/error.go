package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"rollcall/internal/safetext"
	"rollcall/worker"
)

// Code says what kind of error an answer is. New ones may come.
type Code string

// The codes, with their number in the header Nats-Service-Error-Code.
const (
	BadRequest   Code = "bad_request"    // 400: the request is not what the verb takes
	NoSuchTenant Code = "no_such_tenant" // 404: the configuration has no such tenant
	NotTracked   Code = "not_tracked"    // 404: nothing is known of the meeting, or untrack finds it untracked
	NotHeld      Code = "not_held"       // 503: no worker holds the meeting's shard at the moment; ask again
	NotAnswered  Code = "not_answered"   // 504: the meeting is tracked, and DingTalk has not answered about it yet
	Unavailable  Code = "unavailable"    // 503: the worker cannot do it now; ask again
	TooMany      Code = "too_many"       // 429: more orders came for the tenant than are obeyed; ask again in a second
)

func (c Code) number() int {
	switch c {
	case BadRequest:
		return 400
	case NoSuchTenant, NotTracked:
		return 404
	case TooMany:
		return 429
	case NotAnswered:
		return 504
	}
	return 503
}

// Error is an answer that says why something was not done.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"` // one line that is safe to show; names the thing and the fix
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// errorBody is the body of an answer that is an error.
type errorBody struct {
	Schema int    `json:"schema"`
	Error  *Error `json:"error"`
}

func apiError(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: safetext.Field(fmt.Sprintf(format, args...), 600)}
}

// shown is an id as it stands in messages.
func shown(id string) string { return safetext.Field(id, 80) }

var errStopping = errors.New("the worker stops")

// problemOf says in words why an order was not obeyed.
func problemOf(err error, tenant, verb, id string) *Error {
	switch {
	case errors.Is(err, worker.ErrBadID):
		return apiError(BadRequest, "%v", worker.ErrBadID)
	case errors.Is(err, worker.ErrNoUser):
		return apiError(BadRequest, "%v", worker.ErrNoUser)
	case errors.Is(err, worker.ErrNoTenant):
		return apiError(NoSuchTenant, "the worker knows no tenant %s: add it to the configuration", tenant)
	case errors.Is(err, worker.ErrNotTracked) && verb == verbUntrack:
		return apiError(NotTracked, "meeting %s is not tracked by tenant %s: list shows what is", shown(id), tenant)
	case errors.Is(err, worker.ErrNotTracked):
		return apiError(NotTracked, "meeting %s is not tracked by tenant %s and no record of it is kept: check the id, or track it", shown(id), tenant)
	case errors.Is(err, worker.ErrNotHeld):
		return apiError(NotHeld, "no worker answers for meeting %s of tenant %s: one may just be starting or taking over; "+
			"ask again in a few seconds, and look at the workers' logs if it stays so", shown(id), tenant)
	case errors.Is(err, errStopping):
		return apiError(Unavailable, "%s %s: this worker is stopping: ask again", verb, tenant)
	case errors.Is(err, worker.ErrNotStored), errors.Is(err, context.DeadlineExceeded) && verb == verbUntrack:
		return apiError(Unavailable, "%s meeting %s: the worker was not done in time, and may be all the same, as show tells: %s", verb, shown(id), noLedger)
	case errors.Is(err, context.DeadlineExceeded) && verb == verbTrack:
		return apiError(Unavailable, "the worker was not done with meeting %s in time; it may be tracked by now: show tells", shown(id))
	case errors.Is(err, context.DeadlineExceeded):
		return apiError(Unavailable, "%s %s: the worker was not done in time: %s", verb, tenant, noLedger)
	}
	return apiError(Unavailable, "%v: ask again, and look at the worker's log if it stays so", err)
}

// noLedger is what to do where the worker waits for its ledger.
const noLedger = "NATS does not answer it, or it is overloaded: has the stream a leader, and most of its replicas? " +
	"\"rollcall check\" and the worker's log tell; ask again when it is well"

// unanswered says that a meeting is tracked and nothing was learned of it.
func unanswered(id, why string, err error) *Error {
	if errors.Is(err, worker.ErrNotStored) {
		return apiError(Unavailable, "meeting %s is tracked now, but what DingTalk answered is not stored, as the worker waits: %s", shown(id), noLedger)
	}
	return apiError(NotAnswered, "meeting %s is tracked now, but DingTalk told nothing of it (%s); "+
		"it stays tracked and is asked about again: untrack it if the id is wrong", shown(id), why)
}

// unknownTo says that a meeting is tracked that DingTalk does not know.
func unknownTo(id string) *Error {
	return apiError(NotAnswered, "meeting %s is tracked now, but DingTalk told nothing of it (it does not know the meeting); "+
		"it stays tracked while a few more answers may know it: is the id right?", shown(id))
}

// reply is an answer ready to be sent.
type reply struct {
	header nats.Header // nil: none
	body   []byte
}

func (e *Error) reply() reply {
	body, err := json.Marshal(errorBody{Schema: Schema, Error: e})
	if err != nil {
		body = nil // two strings are always JSON
	}
	return reply{body: body, header: nats.Header{
		micro.ErrorHeader: {e.Message}, micro.ErrorCodeHeader: {e.Code.text()},
	}}
}

func (c Code) text() string { return strconv.Itoa(c.number()) }
