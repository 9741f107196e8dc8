//go:build unix

package endtoend_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// feed is what one subscriber got, in order.
type feed struct {
	mu   sync.Mutex
	got  []stored
	last uint64
}

func (f *feed) add(m stored) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.seq != 0 && m.seq <= f.last {
		return // the subscription began anew, and told it before
	}
	f.last = m.seq
	f.got = append(f.got, m)
}

func (f *feed) messages() []stored {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// reached is the sequence of the last message that it got, where they have one.
func (f *feed) reached() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// below gives what came on subjects below a prefix.
func below(messages []stored, prefix string) []stored {
	return slices.DeleteFunc(slices.Clone(messages), func(m stored) bool { return !strings.HasPrefix(m.subject, prefix) })
}

// subscribe is the plain subscriber of the README.
func subscribe(t testing.TB, conn *nats.Conn) *feed {
	t.Helper()
	f := &feed{}
	if _, err := conn.Subscribe("meetings.event.>", func(m *nats.Msg) {
		f.add(stored{subject: m.Subject, header: m.Header, data: m.Data})
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return f
}

// stream waits until the stream is there.
func stream(t testing.TB, js jetstream.JetStream, name string) jetstream.Stream {
	t.Helper()
	var found jetstream.Stream
	eventually(t, "the stream "+name+" is there", func() bool {
		s, err := js.Stream(t.Context(), name)
		found = s
		return err == nil
	})
	return found
}

// follow gives everything in the stream from its beginning on, as it comes, or what is
// on these subjects.
func follow(t testing.TB, js jetstream.JetStream, subjects ...string) *feed {
	t.Helper()
	f := &feed{}
	consumer, err := stream(t, js, "MEETINGS").OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{FilterSubjects: subjects})
	if err != nil {
		t.Fatal(err)
	}
	following, err := consumer.Consume(func(m jetstream.Msg) { f.add(read(t, m)) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(following.Stop)
	return f
}

// consume is the durable consumer of the README.
func consume(t testing.TB, js jetstream.JetStream) *feed {
	t.Helper()
	f := &feed{}
	consumer, err := stream(t, js, "MEETINGS").CreateOrUpdateConsumer(t.Context(), jetstream.ConsumerConfig{
		Durable: "billing", FilterSubject: "meetings.event.acme.>",
	})
	if err != nil {
		t.Fatal(err)
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		f.add(read(t, m))
		_ = m.Ack()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consuming.Stop)
	return f
}

// mirror makes the stream of the README that takes the events by sources.
func mirror(t testing.TB, js jetstream.JetStream) {
	t.Helper()
	stream(t, js, "MEETINGS")
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "MIRROR", Sources: []*jetstream.StreamSource{{Name: "MEETINGS", FilterSubject: "meetings.event.>"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, m jetstream.Msg) stored {
	meta, err := m.Metadata()
	if err != nil {
		t.Errorf("read a message of %s: %v", m.Subject(), err)
		return stored{}
	}
	return stored{seq: meta.Sequence.Stream, subject: m.Subject(), header: m.Headers(), data: m.Data(), at: meta.Timestamp}
}

// whole reads a stream to its end.
func whole(t testing.TB, js jetstream.JetStream, name string) []stored {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := stream(t, js, name)
	info, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if info.State.Msgs == 0 {
		return nil
	}
	consumer, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	var all []stored
	for {
		m, err := messages.Next(jetstream.NextMaxWait(patience))
		if err != nil {
			t.Fatal(errors.Join(errors.New("read "+name), err))
		}
		all = append(all, read(t, m))
		if meta, err := m.Metadata(); err != nil || meta.NumPending == 0 {
			return all
		}
	}
}
