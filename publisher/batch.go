package publisher

import (
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"rollcall/internal/ledger"
	"rollcall/internal/tracing"
	"rollcall/wire"
)

// The headers of an atomic batch. They are matched byte for byte.
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
	headerExpected      = "Nats-Expected-Last-Subject-Sequence"
	headerExpectedOf    = "Nats-Expected-Last-Subject-Sequence-Subject"
	headerRollup        = "Nats-Rollup"
	headerTTL           = "Nats-TTL"
	headerContentType   = "Content-Type"
)

// batch dresses the messages of one atomic batch, one after the other, in the
// same [nats.Msg]: nats.go has written a message out when it comes back.
// A message that is alone is a batch without an id: it is published plainly,
// since the broker stages each batch in files of its own.
// Messages that have the same headers share the map, and all share the values,
// so that a message costs no map and no slices.
type batch struct {
	subjects string // to publish to, of the messages to come, one after the other
	longer   int    // than the stored subject is the one to publish to, in bytes
	msg      nats.Msg
	headers  [shapes]nats.Header // nil until a message has that shape

	id, sequence, commit, expected, expectedOf, rollup, ttl, contentType, trace [1]string
}

// shape is which headers a message has beside the batch's id and its sequence:
// a set of bits.
type shape uint8

const (
	committing shape = 1 << iota
	guarded
	rolledUp
	aging
	typed
	elsewhere
	traced
	shapes = traced << 1
)

func newBatch(n wire.Names, id string, msgs []ledger.Message) *batch {
	if len(msgs) == 1 {
		id = ""
	}
	b := &batch{id: [1]string{id}, commit: [1]string{"1"}, rollup: [1]string{"sub"}}
	b.longer = len(n.Commit("")) - len(n.Prefix+".")
	b.subjects = b.joined(n, msgs)
	return b
}

// joined returns the subjects to publish to as one string, which is one
// allocation instead of a thousand.
func (b *batch) joined(n wire.Names, msgs []ledger.Message) string {
	size := 0
	for i := range msgs {
		size += len(msgs[i].Subject) + b.longer
	}
	var all strings.Builder
	all.Grow(size)
	head, skip := n.Commit(""), len(n.Prefix+".")
	for i := range msgs {
		all.WriteString(head)
		all.WriteString(msgs[i].Subject[skip:])
	}
	return all.String()
}

// message returns the message with that number in the batch, until the next one
// is asked for. They are asked for in order.
func (b *batch) message(m *ledger.Message, sequence int, last bool) *nats.Msg {
	b.sequence[0] = strconv.Itoa(sequence)
	if m.Guarded {
		b.expected[0] = strconv.FormatUint(m.Expect, 10)
	}
	b.ttl[0], b.contentType[0], b.expectedOf[0], b.trace[0] = m.TTL, m.ContentType, m.ExpectOf, m.Trace
	end := len(m.Subject) + b.longer
	b.msg.Subject, b.subjects = b.subjects[:end], b.subjects[end:]
	b.msg.Data = m.Data
	b.msg.Header = b.header(shapeOf(m, last && b.id[0] != ""))
	return &b.msg
}

func shapeOf(m *ledger.Message, last bool) (s shape) {
	for _, has := range [...]struct {
		bit shape
		yes bool
	}{{committing, last}, {guarded, m.Guarded}, {rolledUp, m.Rollup}, {aging, m.TTL != ""}, {typed, m.ContentType != ""}, {elsewhere, m.Guarded && m.ExpectOf != ""}, {traced, m.Trace != ""}} {
		if has.yes {
			s |= has.bit
		}
	}
	return s
}

func (b *batch) header(s shape) nats.Header {
	if b.headers[s] != nil {
		return b.headers[s]
	}
	h := nats.Header{}
	if b.id[0] != "" {
		h[headerBatchID], h[headerBatchSequence] = b.id[:], b.sequence[:]
	}
	for _, has := range [...]struct {
		bit   shape
		name  string
		value []string
	}{
		{committing, headerBatchCommit, b.commit[:]},
		{guarded, headerExpected, b.expected[:]},
		{rolledUp, headerRollup, b.rollup[:]},
		{aging, headerTTL, b.ttl[:]},
		{typed, headerContentType, b.contentType[:]},
		{elsewhere, headerExpectedOf, b.expectedOf[:]},
		{traced, tracing.Header, b.trace[:]},
	} {
		if s&has.bit != 0 {
			h[has.name] = has.value
		}
	}
	b.headers[s] = h
	return h
}
