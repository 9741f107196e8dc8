package publisher

import (
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
)

// verdict is what a refusal of the server means for the batch.
type verdict struct {
	code jetstream.ErrorCode
	// outcome says that nothing was stored, unless it is [ledger.ErrUnknown]. For a
	// batch of several messages [ledger.ErrFull] becomes that.
	outcome error
	again   bool // send the same batch once more at once
	means   string
}

// verdicts is the table of refusals. Codes that speak of the stream or of the
// server rather than of the batch are never ErrRefused: the batch is not to blame.
func verdicts() []verdict {
	return []verdict{
		{10071, ledger.ErrStale, false, "a guarded subject was written meanwhile"},
		{10201, ledger.ErrStale, false, "a message of the batch is stored already"},
		{10164, ledger.ErrBusy, true, "another write of a guarded subject is on its way"},
		{10158, ledger.ErrBusy, true, "the same message is on its way"},
		{10163, ledger.ErrBusy, true, "the stream's leader is not ready to check guards"},
		{10176, ledger.ErrBusy, false, "messages of the batch were lost on the way; build it again"},
		{10210, ledger.ErrBusy, false, "too many batches are in flight"},
		{10167, ledger.ErrBusy, false, "the stream's queue is full"},
		{10006, ledger.ErrBusy, false, "the cluster has no JetStream now"},
		{10007, ledger.ErrBusy, false, "the stream is not assigned now"},
		{10008, ledger.ErrBusy, false, "JetStream is away for a moment"},
		{10009, ledger.ErrBusy, false, "the stream has no leader now"},
		{10023, ledger.ErrFull, false, "the server is short of resources, such as storage"},
		{10039, ledger.ErrBusy, false, "the account has no JetStream; enable it"},
		{10076, ledger.ErrBusy, false, "the server has no JetStream; enable it"},
		{10059, ledger.ErrBusy, false, "the stream is gone; restart rollcall to create it"},
		{10060, ledger.ErrBusy, false, "another stream stores these subjects; see rollcall check"},
		{10109, ledger.ErrBusy, false, "the stream is sealed; see rollcall check"},
		{10118, ledger.ErrBusy, false, "the stream is offline"},
		{10166, ledger.ErrBusy, false, "the stream does not allow message TTLs; see rollcall check"},
		{10174, ledger.ErrBusy, false, "the stream does not allow atomic batches; see rollcall check"},
		{10194, ledger.ErrBusy, false, "the stream is offline"},
		{10002, ledger.ErrFull, false, "the account's storage is used up"},
		{10028, ledger.ErrFull, false, "the server's memory for streams is used up"},
		{10047, ledger.ErrFull, false, "the server's storage is used up"},
		{10077, ledger.ErrFull, false, "a limit of the stream or the disk is reached"},
		{10054, ledger.ErrRefused, false, "a message is larger than the stream allows"},
		{10097, ledger.ErrRefused, false, "the headers of a message are too large"},
		{10165, ledger.ErrRefused, false, "a message has a TTL that is none"},
		{10175, ledger.ErrRefused, false, "a message has no number in the batch"},
		{10177, ledger.ErrRefused, false, "a header is not allowed in a batch"},
		{10179, ledger.ErrRefused, false, "the batch's id is not accepted"},
		{10199, ledger.ErrRefused, false, "the batch holds more messages than the server allows"},
		{10200, ledger.ErrRefused, false, "the end of the batch is not accepted"},
	}
}

// judgeRefusal looks a refusal of a batch of so many messages up. One that is not
// in the table and is the sender's fault is permanent. A limit is found while the
// batch is being stored, and so may be whatever is not in the table: a part of it
// stays stored, and its outcome is not known.
func judgeRefusal(refusal *jetstream.APIError, count int) verdict {
	found := verdict{refusal.ErrorCode, ledger.ErrFull, false, "the server cannot store the batch now"}
	if refusal.Code == 400 {
		found = verdict{refusal.ErrorCode, ledger.ErrRefused, false, "the server does not accept the batch"}
	}
	for _, v := range verdicts() {
		if v.code == refusal.ErrorCode {
			found = v
		}
	}
	if found.outcome == ledger.ErrFull && count > 1 {
		found.outcome = ledger.ErrUnknown
		found.means += "; a part of the batch may be stored"
	}
	return found
}

// faults are the errors of the connection itself that prove that the last
// message of a batch, without which nothing is stored, was never accepted.
func faults() []struct {
	err, outcome error
} {
	return []struct{ err, outcome error }{
		{nats.ErrNoResponders, ledger.ErrBusy},           // the stream, or its leader, is away
		{nats.ErrReconnectBufExceeded, ledger.ErrBusy},   // disconnected; nothing is kept to be sent later
		{nats.ErrConnectionReconnecting, ledger.ErrBusy}, // likewise
		{nats.ErrConnectionDraining, ledger.ErrBusy},     // this process is leaving
		{nats.ErrMaxPayload, ledger.ErrRefused},
		{nats.ErrBadSubject, ledger.ErrRefused},
		{nats.ErrHeadersNotSupported, ledger.ErrBusy}, // a server that is far too old
	}
}

// judgeFault judges an error of the connection met at the end of a batch.
// Whatever does not prove the contrary leaves the outcome unknown.
func judgeFault(err error) error {
	for _, f := range faults() {
		if errors.Is(err, f.err) {
			return f.outcome
		}
	}
	return ledger.ErrUnknown
}

// judgeEarly judges an error met before the end of a batch was sent: nothing
// can have been stored.
func judgeEarly(err error) error {
	if outcome := judgeFault(err); outcome != ledger.ErrUnknown {
		return outcome
	}
	return ledger.ErrBusy
}
