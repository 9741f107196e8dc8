package poller

import (
	"context"
	"errors"
	"time"

	"rollcall"
)

// Source answers questions about meetings. It is one vendor's API, seen by one
// tenant. Its errors are [Fault]s, or the context's own error.
type Source interface {
	// Query asks about many meetings with one metered call. The ids are
	// distinct and not empty.
	Query(ctx context.Context, ids []string) (Answers, error)
	// Lookup asks about one meeting with one metered call. It answers also
	// after the end; a meeting that nobody knows is a fault of [ClassUnknown].
	Lookup(ctx context.Context, id string) (Standing, error)
	// Decode reads the JSON that Query returned for one meeting. It never fails:
	// what cannot be read is left unknown.
	Decode(raw []byte) *rollcall.Answer
}

// Refresher is a [Source] that can make use of what it answered before: it need
// not read again what has not changed. A source need not be one.
type Refresher interface {
	Source
	// Refresh is Query for a caller with earlier answers: known[i] is the Raw
	// that ids[i] was found with, nil where there is none. A meeting whose bytes
	// are the same is found with that very Raw. Both lists are the caller's
	// again when it returns.
	Refresh(ctx context.Context, ids []string, known [][]byte) (Answers, error)
}

// Answers is what one query brought.
type Answers struct {
	Found []Found
	// Complete says that the whole answer was read, so that an id which is
	// not in Found was really left out.
	Complete bool
	// Malformed are asked ids whose part of the answer could not be used,
	// such as two contradicting entries of one id.
	Malformed []string
	// Unasked counts entries about meetings nobody asked about.
	Unasked int
	// Detached says that every Raw may be kept as it is: it is no piece of
	// something larger, and the source does not use its memory again.
	Detached bool
}

// Found is one meeting of an answer.
type Found struct {
	ConferenceID string
	Raw          []byte // the meeting's JSON object; not to be changed
	// Answer is what Decode makes of Raw, where that was read on the way; nil:
	// Raw is yet to be decoded.
	Answer *rollcall.Answer
}

// Standing is what the single-meeting query says.
type Standing struct {
	Status    rollcall.Status // unknown: the answer did not say
	Title     string
	StartTime time.Time // a plan before the start; zero: not said, or it is over and nobody came
	EndTime   time.Time // zero: not said
}

// Class says what to do about a fault. It is decided once, where the answer is
// read.
type Class uint8

// The classes of faults.
const (
	ClassNone       Class = iota
	ClassToken            // the token or the credentials are refused, even after a renewal
	ClassThrottled        // asked too fast: back off
	ClassQuota            // the month's calls are used up
	ClassPermission       // not allowed: the operator's to fix, not retried
	ClassUnknown          // the meeting is not known
	ClassEnded            // a meeting of the batch is over; which one is not said
	ClassBadRequest       // some id of the batch is not accepted; which one is not said
	ClassTransient        // a passing failure: try again
	ClassBlocked          // the caller's address is blocked: stop for minutes
	ClassMalformed        // the answer could not be read
)

var classNames = [...]string{
	"", "token", "throttled", "quota", "permission", "unknown_meeting", "ended",
	"bad_request", "transient", "blocked", "malformed",
}

// String returns the class as it stands in logs, metrics and the status.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unclassified"
}

// cause returns the class as the cause of a [streak.Streak].
func (c Class) cause() string {
	if c == ClassNone {
		return ""
	}
	return c.String()
}

// Fault is an error of a [Source] with its class.
type Fault interface {
	error
	Class() Class
	// RetryAfter is how long the vendor asks to wait; 0 when it did not say.
	RetryAfter() time.Duration
}

// ClassOf returns the class of an error: that of the [Fault] it wraps; otherwise
// transient, since what nobody could classify may pass.
func ClassOf(err error) Class {
	if err == nil {
		return ClassNone
	}
	if fault, ok := errors.AsType[Fault](err); ok {
		return fault.Class()
	}
	return ClassTransient
}
