package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/wait"
	"rollcall/wire"
)

// checkEvery is how often a reader checks that the stream is still the one
// that it reads.
const checkEvery = 10 * time.Second

// silence is for how long nothing may come while something is announced.
const silence = 10 * time.Second

var (
	errAnew  = errors.New("the stream was made anew; everything is read again")
	errShort = errors.New("fewer messages came than were announced")
)

// stream is Rollcall's stream as one reader knows it. It belongs to one goroutine.
type stream struct {
	js    jetstream.JetStream
	names wire.Names
	tell  func(error) // what went wrong and is being tried again; never nil

	created   time.Time // zero: not found yet
	retention time.Duration
	next      uint64 // the first sequence that was not read
	caughtUp  func() // all that was there has been read; may be nil
}

// openStream uses js where there is one, and otherwise the connection's own.
func openStream(nc *nats.Conn, js jetstream.JetStream, names Names, tell func(error)) (*stream, error) {
	if js == nil {
		made, err := jetstream.New(nc)
		if err != nil {
			return nil, fmt.Errorf("open JetStream: %w", err)
		}
		js = made
	}
	if tell == nil {
		tell = func(error) {}
	}
	return &stream{js: js, names: names.filled(), tell: tell}, nil
}

// identify finds the stream. Where it is another one than before the error is
// errAnew, and nothing of it was read.
func (s *stream) identify(ctx context.Context) (*jetstream.StreamInfo, error) {
	found, err := s.js.Stream(ctx, s.names.Stream)
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", s.names.Stream, err)
	}
	info := found.CachedInfo()
	// One that was purged keeps its sequences, one that was restored may have
	// lost the newest.
	if !s.created.IsZero() && (!info.Created.Equal(s.created) || info.State.LastSeq+1 < s.next) {
		s.created, s.next = time.Time{}, 1
		return nil, errAnew
	}
	s.created, s.retention = info.Created, info.Config.MaxAge
	return info, nil
}

// final is an error that ends a reader.
type final struct{ error }

// persist runs session after session until ctx ends, which is not an error, or
// one ends with a final error. The pauses between them grow while nothing is read.
func (s *stream) persist(ctx context.Context, session func(context.Context) error) error {
	pauses := wait.Growth{First: 100 * time.Millisecond, Most: 10 * time.Second}.BackOff()
	for {
		before := s.next
		err := session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if end, ok := errors.AsType[final](err); ok {
			return end.error
		}
		s.tell(err)
		if s.next != before {
			pauses.Reset()
		}
		if !wait.For(ctx, pauses.NextBackOff()) {
			return nil
		}
	}
}

// taker takes one message.
type taker func(jetstream.Msg, *jetstream.MsgMetadata) error

// ordered opens a consumer that delivers in order and leaves nothing behind. It
// gives up quickly, because a wait of the library's could not be interrupted.
func (s *stream) ordered(ctx context.Context, config jetstream.OrderedConsumerConfig) (jetstream.Consumer, jetstream.MessagesContext, error) {
	config.MaxResetAttempts = 1
	consumer, err := s.js.OrderedConsumer(ctx, s.names.Stream, config)
	if err != nil {
		return nil, nil, s.failed(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, nil, s.failed(err)
	}
	return consumer, messages, nil
}

// follow hands the messages from s.next on to take, or while nothing was read
// those since then, until something fails.
func (s *stream) follow(ctx context.Context, subjects []string, since time.Time, take taker, check func(context.Context) error) error {
	config := jetstream.OrderedConsumerConfig{FilterSubjects: subjects, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: s.next}
	if s.next == 0 {
		config = jetstream.OrderedConsumerConfig{FilterSubjects: subjects, DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}
	}
	consumer, messages, err := s.ordered(ctx, config)
	if err != nil {
		return err
	}
	return s.drain(ctx, messages, s.catchingUp(consumer.CachedInfo().NumPending, take), check)
}

// catchingUp calls caughtUp once the announced messages were taken.
func (s *stream) catchingUp(announced uint64, take taker) taker {
	if s.caughtUp == nil {
		return take
	}
	behind := announced > 0
	if !behind {
		s.caughtUp()
	}
	return func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		err := take(m, meta)
		if behind && err == nil && meta.NumPending == 0 {
			behind = false
			s.caughtUp()
		}
		return err
	}
}

// drain hands all that comes to take, and calls check every now and then: a
// consumer whose stream is gone is silent.
func (s *stream) drain(ctx context.Context, messages jetstream.MessagesContext, take taker, check func(context.Context) error) error {
	defer messages.Stop()
	for {
		if err := s.takeFor(ctx, messages, take, checkEvery); err != nil {
			return err
		}
		if err := check(ctx); err != nil {
			return err
		}
	}
}

func (s *stream) takeFor(ctx context.Context, messages jetstream.MessagesContext, take taker, while time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	for {
		message, err := messages.Next(jetstream.NextContext(limited))
		if err != nil && limited.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return s.failed(err)
		}
		meta, err := message.Metadata()
		if err != nil {
			return s.failed(err)
		}
		if err := take(message, meta); err != nil {
			return err
		}
		s.next = max(s.next, meta.Sequence.Stream+1)
	}
}

// scan hands messages to take until it says that this was the last; announced
// is how many there are to come. Where none is announced it returns at once, and
// where none comes for so long with context.DeadlineExceeded.
func (s *stream) scan(ctx context.Context, silence time.Duration, config jetstream.OrderedConsumerConfig, take func(m jetstream.Msg, meta *jetstream.MsgMetadata, announced uint64) (last bool, err error)) error {
	consumer, messages, err := s.ordered(ctx, config)
	if err != nil {
		return err
	}
	defer messages.Stop()
	announced := consumer.CachedInfo().NumPending
	for last := announced == 0; !last; {
		err := s.takeOne(ctx, silence, messages, func(m jetstream.Msg, meta *jetstream.MsgMetadata) (err error) {
			last, err = take(m, meta, announced)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) takeOne(ctx context.Context, silence time.Duration, messages jetstream.MessagesContext, take taker) error {
	limited, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	message, err := messages.Next(jetstream.NextContext(limited))
	if err != nil {
		return s.failed(err)
	}
	meta, err := message.Metadata()
	if err != nil {
		return s.failed(err)
	}
	return take(message, meta)
}

func (s *stream) failed(err error) error {
	return fmt.Errorf("read stream %s: %w", s.names.Stream, err)
}
