package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// clocks is what stands on the clocks and counters at one moment.
type clocks struct {
	at                       time.Time
	client, broker, dingtalk time.Duration // CPU
	served                   served
}

func (s *scene) read(ctx context.Context) (c clocks, err error) {
	if c.served, err = s.served(ctx); err != nil {
		return c, err
	}
	c.at = time.Now()
	for into, all := range map[*time.Duration][]*process{&c.client: s.clients, &c.broker: {s.broker}, &c.dingtalk: {s.simulated}} {
		for _, p := range all {
			if p == nil {
				continue
			}
			used, err := p.cpu()
			if err != nil {
				return c, err
			}
			*into += used
		}
	}
	return c, nil
}

// sample is one case, measured once.
type sample struct {
	meetings   int // that are tracked
	from, to   clocks
	mallocs    float64 // objects allocated by the client in between, where it reports them
	heap       float64 // its live heap, in bytes; 0: not measured
	peak       int64   // resident bytes of the client
	brokerPeak int64
	stored     int64           // events
	latency    []time.Duration // from each event's answer until it was stored, sorted
}

// sample lets people change at a rate and looks at the clocks meanwhile.
func (b *bench) sample(ctx context.Context, s *scene, rate float64) (*sample, error) {
	if err := s.begin(ctx, rate); err != nil {
		return nil, err
	}
	// With the first pass every meeting goes over to the first state of its round;
	// how many people change with that is not to be measured.
	if err := s.awaitPasses(ctx, 1); err != nil {
		return nil, err
	}
	if err := pause(ctx, b.warmUp); err != nil {
		return nil, err
	}
	m := &sample{meetings: s.world.Meetings}
	if err := s.peaks(m, (*process).forgetPeak); err != nil {
		return nil, err
	}
	if err := b.between(ctx, s, m, rate); err != nil {
		return nil, err
	}
	if err := s.peaks(m, (*process).peak); err != nil {
		return nil, err
	}
	if s.console == "" {
		return m, nil
	}
	if rate == hold {
		heap, err := s.liveHeap(ctx)
		if m.heap = heap - b.empty; err != nil {
			return nil, err
		}
	}
	return m, b.profile(ctx, s, rate, "allocs", "heap?gc=1")
}

// between reads the clocks, waits, and reads them again. What the reading of
// the client's own figures costs it falls outside.
func (b *bench) between(ctx context.Context, s *scene, m *sample, rate float64) error {
	before, err := s.counters(ctx)
	if err != nil {
		return err
	}
	if m.from, err = s.read(ctx); err != nil {
		return err
	}
	if err := b.wait(ctx, s, rate); err != nil {
		return err
	}
	if m.to, err = s.read(ctx); err != nil {
		return err
	}
	after, err := s.counters(ctx)
	m.mallocs, m.stored = after.mallocs-before.mallocs, after.messages-before.messages
	return err
}

// wait is the time of a measurement. A CPU profile costs the worker a little.
func (b *bench) wait(ctx context.Context, s *scene, rate float64) error {
	if b.profiles == "" || s.console == "" {
		return pause(ctx, b.longOf(s.session))
	}
	return b.profile(ctx, s, rate, fmt.Sprintf("profile?seconds=%d", max(1, int(b.longOf(s.session).Seconds()))))
}

// peaks reads the peaks of memory, or begins to measure them anew.
func (s *scene) peaks(m *sample, read func(*process) (int64, error)) (err error) {
	if m.peak, err = read(s.client); err != nil {
		return err
	}
	if s.broker != nil {
		m.brokerPeak, err = read(s.broker)
	}
	return err
}

// counters are those of the client's memory, where reported, and of the
// plain script's stream. What the worker has stored is counted when it is
// judged.
type counters struct {
	mallocs  float64
	messages int64
}

func (s *scene) counters(ctx context.Context) (c counters, err error) {
	if s.session.client == rollcall {
		c.mallocs, _, err = memory(ctx, s.console)
		return c, err
	}
	err = s.jetStream(func(js jetstream.JetStream) error {
		stream, err := js.Stream(ctx, "PLAIN")
		if err != nil {
			return fmt.Errorf("count the events: %w", err)
		}
		c.messages = int64(stream.CachedInfo().State.Msgs)
		return nil
	})
	return c, err
}

// jetStream calls f with a connection to the broker.
func (s *scene) jetStream(f func(jetstream.JetStream) error) error {
	conn, err := nats.Connect(s.nats)
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	return f(js)
}

// polls is how many meetings were reported in the meantime.
func (m *sample) polls() float64 { return float64(m.to.served.Meetings - m.from.served.Meetings) }

// perPoll is a span of CPU time in microseconds a meeting and poll.
func (m *sample) perPoll(from, to time.Duration) float64 {
	return float64((to - from).Nanoseconds()) / 1000 / m.polls()
}

// age is how old what is known of a meeting is on average.
func (m *sample) age() time.Duration {
	seconds := (m.to.served.Age - m.from.served.Age) / m.to.at.Sub(m.from.at).Seconds() / float64(m.meetings)
	return time.Duration(seconds * float64(time.Second))
}

// perSecond is a number of things by the time of the measurement.
func (m *sample) perSecond(things float64) float64 { return things / m.to.at.Sub(m.from.at).Seconds() }

// quantile is the span that so many of all events took at most; 0 without any.
func (m *sample) quantile(part float64) time.Duration {
	if len(m.latency) == 0 {
		return 0
	}
	return m.latency[int(part*float64(len(m.latency)-1))]
}
