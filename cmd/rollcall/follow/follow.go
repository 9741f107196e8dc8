// Package follow reads events from the stream as they are committed. It
// promises each matching event once and in the order of the stream, also over
// lost connections and restarted brokers, from a point that is fixed at the
// start.
package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/wait"
	"rollcall/wire"
)

// maxPause is the longest pause between attempts to follow on.
const maxPause = 10 * time.Second

// Follower follows the events of one stream. It is used once.
type Follower struct {
	JetStream jetstream.JetStream
	Names     wire.Names
	Filter    Filter
	// Since is from when on events are wanted; zero: only new ones.
	Since time.Time
	// Each gets the data of every message, in order; its error ends Run.
	Each func(data []byte) error
	// Trouble is told when events cannot be read for the moment; nil: nobody is.
	Trouble func(error)

	// next is the sequence of the first message that was not seen yet; 0:
	// none was seen, and Since says where to begin.
	next uint64
}

// Run follows until ctx is over, which is not an error. The stream must be
// there when it begins; later it waits for what is away.
func (f *Follower) Run(ctx context.Context) error {
	last, err := f.last(ctx)
	if err != nil {
		return err
	}
	if f.Since.IsZero() {
		// A consumer of "new" messages would forget where it began with the
		// first connection it loses.
		f.next = last + 1
	}
	pauses := backoff.NewExponentialBackOff(backoff.WithMaxInterval(maxPause), backoff.WithMaxElapsedTime(0))
	for {
		before := f.next
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if refused, ok := errors.AsType[refusal](err); ok {
			return refused.error
		}
		if f.next != before {
			pauses.Reset()
		}
		if f.Trouble != nil {
			f.Trouble(err)
		}
		if !wait.For(ctx, pauses.NextBackOff()) {
			return nil
		}
	}
}

// refusal is an error of Each: there is no use in reading on.
type refusal struct{ error }

// last is the sequence of the stream's last message; 0: there was none yet.
func (f *Follower) last(ctx context.Context) (uint64, error) {
	stream, err := f.JetStream.Stream(ctx, f.Names.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, fmt.Errorf("find stream %s: it is not there; start \"rollcall run\", or name another with --stream: %w", f.Names.Stream, err)
	}
	if err != nil {
		return 0, fmt.Errorf("find stream %s: %w", f.Names.Stream, err)
	}
	return stream.CachedInfo().State.LastSeq, nil
}

// follow reads on until something fails, or ctx is over.
func (f *Follower) follow(ctx context.Context) error {
	last, err := f.last(ctx)
	if err != nil {
		return err
	}
	if f.next > last+1 {
		f.next = 1 // the stream was made anew, and all of it is new
	}
	consumer, err := f.JetStream.OrderedConsumer(ctx, f.Names.Stream, f.config())
	if err != nil {
		return fmt.Errorf("read stream %s: %w", f.Names.Stream, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read stream %s: %w", f.Names.Stream, err)
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read stream %s: %w", f.Names.Stream, err)
		}
		if err := f.hand(message); err != nil {
			return err
		}
	}
}

func (f *Follower) hand(message jetstream.Msg) error {
	metadata, err := message.Metadata()
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if err := f.Each(message.Data()); err != nil {
		return refusal{err}
	}
	f.next = metadata.Sequence.Stream + 1
	return nil
}

// config is that of a consumer that goes on where the last one ended. It gives
// up quickly where the stream cannot be reached: then Run waits, which unlike
// the library can be interrupted.
func (f *Follower) config() jetstream.OrderedConsumerConfig {
	config := jetstream.OrderedConsumerConfig{
		FilterSubjects:   f.Filter.subjects(f.Names),
		MaxResetAttempts: 1,
	}
	if f.next == 0 {
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &f.Since
		return config
	}
	config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, f.next
	return config
}
