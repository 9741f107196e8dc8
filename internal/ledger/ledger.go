// Package ledger holds what the rooms that write the ledger and the rooms that
// read it must agree on: the message of an atomic batch, what can become of a
// batch, and the shapes in which the ledger answers.
package ledger

import (
	"errors"
	"time"

	"rollcall"
)

// The limits of one atomic batch. They are checked before it is sent.
const (
	MaxBatchMessages = 1000
	MaxBatchBytes    = 4 << 20 // subjects, headers and payloads together
)

// MaxShards is into how many shards the meetings of a tenant are divided at most.
const MaxShards = 1024

// Message is one message of an atomic batch.
type Message struct {
	Subject     string // as stored: meetings.state.acme.c1
	Data        []byte
	ContentType string // "" for none
	// Guarded makes the batch conditional: the last message of this subject
	// must have the stream sequence Expect (0: there is none).
	Guarded bool
	Expect  uint64
	// ExpectOf is the subject that Expect speaks of, where that is not Subject:
	// that of a claim, so that the batch is stored only while the claim is the last.
	ExpectOf string
	// Rollup lets the message replace all earlier ones of its subject.
	Rollup bool
	// TTL is the Nats-TTL header: "never" exempts from the stream's age limit,
	// a duration such as "1s" removes the message after it, "" leaves the limit.
	TTL string
	// Trace is the W3C traceparent of what leads to the message; "" where nothing is traced.
	Trace string
}

// What can become of a batch that was not acknowledged. Every error of a
// commit matches exactly one of these under [errors.Is].
var (
	// ErrStale: a guard did not hold; nothing was stored. Load and diff again.
	ErrStale = errors.New("the ledger has moved on")
	// ErrBusy: nothing was stored; the same batch may be sent again later.
	ErrBusy = errors.New("the ledger cannot take the batch now")
	// ErrUnknown: it may or may not have been stored. Load and diff again.
	ErrUnknown = errors.New("the outcome of the commit is unknown")
	// ErrFull: nothing was stored; a limit of the stream, the account, the server
	// or the disk is near or reached.
	ErrFull = errors.New("the ledger is full")
	// ErrRefused: nothing was stored, and the same batch never will be.
	ErrRefused = errors.New("the ledger refuses the batch")
)

// Stored is a meeting's record with the stream sequence it was read at.
type Stored struct {
	ConferenceID string
	Record       *rollcall.Record // nil when Err is set
	Revision     uint64           // stream sequence of the record's message; 0: there is none
	Err          error            // the record is there and cannot be read
	// Tracking is the meeting's entry in the tracked set, read together with
	// the record; nil: there is none, or it was not asked for.
	Tracking *Tracking
}

// Shards is how many shards a tenant's meetings form.
type Shards struct {
	Count    int    // 0: nobody has said it yet
	Revision uint64 // the stream sequence of what says it
}

// Claim is a worker's hold on one shard of a tenant.
type Claim struct {
	Holder string // the worker's id; "" when nobody ever claimed the shard
	Term   uint64 // the stream sequence of the claim
	// Err says that what stands there is no claim; then only the term is set.
	Err error
}

// Tracking is a member of the tracked set.
type Tracking struct {
	ConferenceID string    `json:"conferenceId"`
	Source       string    `json:"source"` // config, api, …
	Since        time.Time `json:"since"`
	// Looked is for how long somebody has looked at it before it started, about.
	Looked time.Duration `json:"-"`
	// Labels are those it is tracked with; not to be changed.
	Labels rollcall.Labels `json:"-"`
	// Revision is the stream sequence of the entry.
	Revision uint64 `json:"-"`
	// Err says that the entry is there and cannot be read; then only the id is set.
	Err error `json:"-"`
	// Gone says that the meeting was taken off the set.
	Gone bool `json:"-"`
}

// Last is the last event that is stored of a meeting. Epoch and Sequence are
// zero where it cannot be read.
type Last struct {
	Epoch    int64
	Sequence uint64 // within the epoch
	Revision uint64 // stream sequence of the event's message; 0: there is no event
	// Untracked says that it took the meeting off the tracked set.
	Untracked bool
}

// Tail is what was stored of a tenant after some stream sequence, by meeting,
// of each kind the last. A batch is in it whole, or as far as it was stored.
type Tail struct {
	Events  map[string]Last
	Records map[string]Stored
	Tracked map[string]Tracking
	// Last is the stream sequence of the last message that was read; 0: there was none.
	Last uint64
}

// Member is a live worker.
type Member struct {
	ID   string
	Info []byte // what the worker says of itself, as JSON
}
