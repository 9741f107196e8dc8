package natsproxy

import "context"

// Kind names a moment in the course of an atomic batch.
type Kind uint8

// The moments, in the order in which a batch goes through them. A batch of a
// single message has no Begun.
const (
	// Begun: the first message of several has reached the server, no other has.
	Begun Kind = iota + 1
	// Committing: the last message is here and has not reached the server.
	Committing
	// Committed: the last message has been handed to the server, whose answer
	// the client cannot have yet.
	Committed
	// Acknowledged: the server's answer, good or bad, is here and has not
	// reached the client.
	Acknowledged
)

var kindNames = [...]string{"", "begun", "committing", "committed", "acknowledged"}

// String returns the moment's name.
func (k Kind) String() string { return kindNames[k] }

// Moment is where a batch stands.
type Moment struct {
	Kind     Kind
	Batch    string // Nats-Batch-Id
	Subject  string // of the message at hand; of the last one where Acknowledged
	Messages int    // of the batch that have come by so far
	Answer   []byte // the server's answer where Acknowledged; not to be changed
}

// Verdict says what becomes of the message at hand.
type Verdict uint8

// The verdicts. The zero value lets pass.
const (
	// Pass forwards it.
	Pass Verdict = iota
	// Drop loses it and goes on with the next. What has reached the server
	// already (Begun, Committed) cannot be dropped: it has the meaning of Pass.
	Drop
	// Cut breaks the connection at both ends; the message is lost with it.
	Cut
)

// Hook is asked at every moment of every batch. Nothing else is forwarded in
// that direction on that connection until it answers; the context ends when
// the connection does. It is called from several goroutines.
type Hook func(ctx context.Context, m Moment) Verdict
