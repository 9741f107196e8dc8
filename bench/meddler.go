package main

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// meddle stores records again as they are, one meeting's after the other's, so that
// whoever goes on from what was read before is refused. It returns what ends it.
func (s *scene) meddle(ctx context.Context) (end func(), err error) {
	conn, err := nats.Connect(s.nats)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for meeting := 0; pause(ctx, s.stale) == nil; meeting = (meeting + 7) % s.world.Meetings {
			_ = storeAgain(ctx, js, "meetings.state.bench-0."+id(meeting)) // the worker was faster
		}
	}()
	return func() { cancel(); <-done; conn.Close() }, nil
}

// storeAgain stores a record as it is, unless it has changed meanwhile.
func storeAgain(ctx context.Context, js jetstream.JetStream, subject string) error {
	stream, err := js.Stream(ctx, "MEETINGS")
	if err != nil {
		return err
	}
	last, err := stream.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return errors.Join(err, ctx.Err())
	}
	m := &nats.Msg{Subject: subject, Header: last.Header, Data: last.Data}
	_, err = js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(last.Sequence), jetstream.WithRetryAttempts(0), jetstream.WithExpectStream("MEETINGS"))
	return err
}
