package forwarder

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/wire"
)

// lagging is a stream of which a follower answers that has none of its messages yet.
type lagging struct {
	jetstream.Stream
	state jetstream.StreamState // as the leader knows it
}

func (lagging) GetMsg(context.Context, uint64, ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	return nil, jetstream.ErrMsgNotFound
}

func (l lagging) CachedInfo() *jetstream.StreamInfo { return &jetstream.StreamInfo{State: l.state} }

// holder has one stream.
type holder struct {
	jetstream.JetStream
	stream jetstream.Stream
}

func (h holder) Stream(context.Context, string) (jetstream.Stream, error) { return h.stream, nil }

func TestAnEventThatAServerDoesNotHaveYetIsNotGone(t *testing.T) {
	stream := lagging{state: jetstream.StreamState{FirstSeq: 3, LastSeq: 9}}
	n := Attach(nil, holder{stream: stream}, wire.Names{Stream: "MEETINGS", Prefix: "meetings"})
	for sequence, gone := range map[uint64]bool{2: true, 3: false, 9: false, 10: true} {
		if data, err := n.Get(t.Context(), sequence); data != nil || errors.Is(err, ErrMissing) == gone {
			t.Errorf("event %d: %q, %v; gone is %t", sequence, data, err, gone)
		}
	}
}
