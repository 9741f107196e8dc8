package main

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// meddle stores records again as they are, one meeting's after the other's, so that
// whoever goes on from what was read before is refused. What it returns ends it, and
// fails where nothing was stored: then nobody was refused either.
func (s *scene) meddle(ctx context.Context) (end func() error, err error) {
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
	done, stored, refused := make(chan struct{}), 0, error(nil)
	go func() {
		defer close(done)
		for meeting := 0; pause(ctx, s.stale) == nil; meeting = (meeting + 7) % s.world.Meetings {
			if err := storeAgain(ctx, js, "bench-0."+id(meeting)); err != nil {
				refused = err // the worker may have been faster
				continue
			}
			stored++
		}
	}()
	return func() error {
		cancel()
		<-done
		conn.Close()
		if stored == 0 {
			return fmt.Errorf("store records again: none was taken: %w", refused)
		}
		return nil
	}, nil
}

// storeAgain stores a record as it is, by the way on which workers store, unless it
// has changed meanwhile.
func storeAgain(ctx context.Context, js jetstream.JetStream, meeting string) error {
	stream, err := js.Stream(ctx, "MEETINGS")
	if err != nil {
		return err
	}
	last, err := stream.GetLastMsgForSubject(ctx, "meetings.state."+meeting)
	if err != nil {
		return err
	}
	m := nats.NewMsg("rollcall.MEETINGS.commit.state." + meeting)
	m.Data = last.Data
	m.Header.Set("Nats-Rollup", "sub")
	for _, name := range []string{"Content-Type", "Nats-TTL"} {
		if value := last.Header.Get(name); value != "" {
			m.Header.Set(name, value)
		}
	}
	_, err = js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(last.Sequence), jetstream.WithRetryAttempts(0))
	return err
}
