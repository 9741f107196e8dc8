package consume

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// mostWaiting bounds the events that wait in memory, and that NATS delivers
	// before the first of them is acknowledged.
	mostWaiting = 10_000
	// ackWait is after how long NATS delivers again what was not acknowledged.
	ackWait = 30 * time.Second
)

// handling is a [Handle] at work: it takes what comes to the lane of its meeting.
//
// NATS may deliver out of order: what a process that was killed, or a connection
// that was lost, had not acknowledged comes again behind newer events. So
// wherever the consumer's own numbers show that a delivery went elsewhere,
// everything behind the acknowledged is read once more from the stream, in
// order; what comes again then is only acknowledged.
type handling struct {
	*stream
	durable Durable
	handler Handler

	delivered uint64 // the consumer's number of the last message

	lanes   map[key]*lane
	room    chan struct{} // one for each event that waits
	hands   chan struct{} // one for each event that is being handled
	running sync.WaitGroup
	ctx     context.Context // of the lanes
	stop    context.CancelFunc
}

// begin makes empty lanes.
func (h *handling) begin(ctx context.Context) {
	h.lanes = map[key]*lane{}
	h.room, h.hands = make(chan struct{}, mostWaiting), make(chan struct{}, h.durable.Parallel)
	h.ctx, h.stop = context.WithCancel(ctx)
}

// end stops the lanes and waits for them.
func (h *handling) end() {
	h.stop()
	h.running.Wait()
}

// session takes messages until something fails.
func (h *handling) session(ctx context.Context) error {
	if err := h.check(ctx); err != nil {
		if errors.Is(err, errAnew) { // what waits is of the stream before
			h.end()
			h.begin(ctx)
		}
		return err
	}
	consumer, err := h.consumer(ctx)
	if err != nil {
		return err
	}
	if err := h.catchUp(ctx, consumer, 0); err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return h.failed(err)
	}
	take := func(m jetstream.Msg, meta *jetstream.MsgMetadata) error { return h.take(ctx, consumer, m, meta) }
	return h.drain(ctx, messages, take, func(ctx context.Context) error {
		h.forget()
		if _, err := consumer.Info(ctx); err != nil {
			return h.failed(err)
		}
		return h.check(ctx)
	})
}

func (h *handling) check(ctx context.Context) error {
	_, err := h.identify(ctx)
	return err
}

// consumer finds the durable consumer, and makes it where it is not there.
func (h *handling) consumer(ctx context.Context) (jetstream.Consumer, error) {
	filter := h.durable.Names.Subject(h.durable.Tenant, h.durable.ConferenceID)[0]
	found, err := h.js.Consumer(ctx, h.names.Stream, h.durable.Name)
	switch {
	case err == nil && !sameFilter(filter, found.CachedInfo().Config.FilterSubject):
		return nil, final{fmt.Errorf("consumer %s reads %s, not %s: choose another name", h.durable.Name, found.CachedInfo().Config.FilterSubject, filter)}
	case errors.Is(err, jetstream.ErrInvalidConsumerName):
		return nil, final{fmt.Errorf("the durable's name %.100q: %w", h.durable.Name, err)}
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return found, err
	}
	config := jetstream.ConsumerConfig{
		Durable: h.durable.Name, FilterSubject: filter, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: mostWaiting,
	}
	switch {
	case h.next > 0:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, h.unhandled()
		h.tell(fmt.Errorf("consumer %s is gone; it is made anew from stream sequence %d", h.durable.Name, config.OptStartSeq))
	case !h.durable.from.IsZero():
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &h.durable.from
	}
	made, err := h.js.CreateConsumer(ctx, h.names.Stream, config)
	if err != nil {
		return nil, fmt.Errorf("create consumer %s: %w", h.durable.Name, err)
	}
	return made, nil
}

// sameFilter reports whether two filters are the same, also where an
// administrator has written the one of all events shorter.
func sameFilter(ours, theirs string) bool {
	all, ok := strings.CutSuffix(theirs, ".>")
	return ours == theirs || ok && ours == all+".*.*.*.*"
}

// unhandled is the first sequence of the stream that may not have been handled.
func (h *handling) unhandled() uint64 {
	first := h.next
	for _, l := range h.lanes {
		first = min(first, l.first(first))
	}
	return first
}

// take takes a message of the consumer, after what was delivered elsewhere.
func (h *handling) take(ctx context.Context, consumer jetstream.Consumer, m jetstream.Msg, meta *jetstream.MsgMetadata) error {
	if meta.Sequence.Consumer > h.delivered+1 {
		if err := h.catchUp(ctx, consumer, meta.Sequence.Stream); err != nil {
			return err
		}
	}
	h.delivered = max(h.delivered, meta.Sequence.Consumer)
	it := h.read(m.Subject(), m.Data(), meta.Sequence.Stream)
	it.message = m
	return h.put(ctx, it)
}

// catchUp puts into the lanes all that was delivered to anybody and is not
// known to be acknowledged, up to this sequence at least.
func (h *handling) catchUp(ctx context.Context, consumer jetstream.Consumer, through uint64) error {
	info, err := consumer.Info(ctx)
	if err != nil {
		return h.failed(err)
	}
	h.delivered = info.Delivered.Consumer
	if through = max(through, info.Delivered.Stream); info.NumAckPending == 0 {
		return nil
	}
	return h.between(ctx, info.Config.FilterSubject, info.AckFloor.Stream+1, through, func(it *item) error { return h.put(ctx, it) })
}

// between reads the messages of a subject in [from, through]. The last of them
// is known to be there: a replica that lags does not have it yet.
func (s *stream) between(ctx context.Context, subject string, from, through uint64, take func(*item) error) error {
	if from > through {
		return nil
	}
	met := false
	err := s.scan(ctx, silence, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{subject}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
	}, func(m jetstream.Msg, meta *jetstream.MsgMetadata, _ uint64) (bool, error) {
		met = meta.Sequence.Stream >= through
		if meta.Sequence.Stream > through {
			return true, nil
		}
		if !met && meta.NumPending == 0 {
			return false, errShort
		}
		return met, take(s.read(m.Subject(), m.Data(), meta.Sequence.Stream))
	})
	if err == nil && !met {
		err = errShort
	}
	return err
}

// item is an event on its way.
type item struct {
	Poison // of which Reason says that it cannot be read
	// message is acknowledged in the end; nil: it comes by itself later.
	message jetstream.Msg
	roomy   bool // it takes no room
	checked bool // what is missing before it was read, where it is there
}

func (s *stream) read(subject string, data []byte, sequence uint64) *item {
	it := &item{Poison: Poison{Data: data, Sequence: sequence}}
	it.Event, it.Reason = Parse(data)
	if it.Reason != nil {
		it.Event.Tenant, it.Event.ConferenceID, it.Event.Type, _ = Names{s.names.Stream, s.names.Prefix}.ParseSubject(subject)
	}
	return it
}

// put puts an event at the end of its meeting's lane, once.
func (h *handling) put(ctx context.Context, it *item) error {
	k := key{it.Event.Tenant, it.Event.ConferenceID}
	l := h.lanes[k]
	if l == nil {
		l = &lane{handling: h, key: k}
		h.lanes[k] = l
	}
	if l.repeated(it) {
		return nil
	}
	select {
	case h.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.add(it) {
		h.running.Go(func() { l.run(h.ctx) })
	}
	return nil
}

// forget drops the lanes of meetings in which nothing happens any more.
func (h *handling) forget() {
	for k, l := range h.lanes {
		if l.quiet(time.Now()) {
			delete(h.lanes, k)
		}
	}
}

// call passes an event to the handler.
func (h *handling) call(ctx context.Context, e Event) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the handler panicked: %v", r)
		}
	}()
	return h.handler(ctx, e)
}

// missing reads the events of a meeting that come before an item and were not handled.
func (h *handling) missing(ctx context.Context, k key, from uint64, position Position, it *item) ([]*item, error) {
	var found []*item
	subject := h.durable.Names.Subject(k.tenant, k.conference)[0]
	err := h.between(ctx, subject, from, it.Sequence, func(earlier *item) error {
		if earlier.Sequence < it.Sequence && earlier.Reason == nil && !position.reached(earlier.Event.Position()) {
			earlier.roomy, earlier.checked = true, true
			found = append(found, earlier)
		}
		return nil
	})
	return found, err
}
