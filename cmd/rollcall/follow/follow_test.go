package follow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/cmd/rollcall/follow"
	"rollcall/internal/natstest"
	"rollcall/wire"
)

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

// openStream makes the stream. The server refuses for a moment while it still
// removes the files of one of that name.
func openStream(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	const creatingStore = 10049 // "error creating store for stream"
	for tries := 0; ; tries++ {
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MEETINGS", Subjects: []string{"meetings.>"}})
		if err == nil {
			return
		}
		if api, ok := errors.AsType[*jetstream.APIError](err); !ok || api.ErrorCode != creatingStore || tries == 100 {
			t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func publish(t *testing.T, js jetstream.JetStream, conference string, kind rollcall.Type, data string) {
	t.Helper()
	subject := names().Event("acme", conference, kind)
	if _, err := js.Publish(t.Context(), subject, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// followed starts a follower; seen gives what it hands over.
func followed(t *testing.T, f *follow.Follower) (seen chan string, stop func() error) {
	t.Helper()
	seen = make(chan string, 100)
	f.Names = names()
	if f.Each == nil {
		f.Each = func(data []byte) error { seen <- string(data); return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	return seen, func() error { cancel(); return <-ended }
}

func TestFollowOverARestart(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	openStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "0")
	start := time.Now().Add(-time.Hour)
	seen, stop := followed(t, &follow.Follower{JetStream: server.JetStream(t), Since: start})
	for i := range 10 {
		if got, want := <-seen, fmt.Sprint(i); got != want {
			t.Fatalf("message %s, want %s", got, want)
		}
		if i == 3 || i == 6 {
			server.Restart()
			js = server.JetStream(t)
		}
		if i < 9 {
			publish(t, js, "c1", rollcall.ParticipantJoined, fmt.Sprint(i+1))
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if len(seen) != 0 {
		t.Errorf("%d messages too many", len(seen))
	}
}

func TestOnlyNewOnes(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	openStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "old")
	begun := make(chan struct{})
	f := &follow.Follower{
		JetStream: begins{server.JetStream(t), begun},
		Filter:    follow.Filter{Tenant: "acme", Conference: "c1", Types: []rollcall.Type{rollcall.ParticipantLeft, rollcall.MeetingStarted}},
	}
	seen, stop := followed(t, f)
	<-begun
	// The consumer is not there yet, or just being made: new is since the start.
	publish(t, js, "c1", rollcall.MeetingEnded, "another type")
	publish(t, js, "c2", rollcall.MeetingStarted, "another meeting")
	publish(t, js, "c1", rollcall.ParticipantLeft, "new")
	if got := <-seen; got != "new" {
		t.Errorf("got %s", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// begins tells when the point to begin at has been read.
type begins struct {
	jetstream.JetStream
	begun chan struct{}
}

func (b begins) OrderedConsumer(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig) (jetstream.Consumer, error) {
	close(b.begun)
	return b.JetStream.OrderedConsumer(ctx, stream, config)
}

func TestWhatBreaksOffIsTakenUpAgainOnce(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	openStream(t, js)
	for i := range 6 {
		publish(t, js, "c1", rollcall.MeetingStarted, fmt.Sprint(i))
	}
	f := &follow.Follower{JetStream: breaksOff{js}, Since: time.Now().Add(-time.Hour)}
	seen, stop := followed(t, f)
	for i := range 6 {
		if got, want := <-seen, fmt.Sprint(i); got != want {
			t.Fatalf("message %s, want %s", got, want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// breaksOff gives consumers that fail after four messages.
type breaksOff struct{ jetstream.JetStream }

func (b breaksOff) OrderedConsumer(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig) (jetstream.Consumer, error) {
	consumer, err := b.JetStream.OrderedConsumer(ctx, stream, config)
	return brittle{consumer}, err
}

type brittle struct{ jetstream.Consumer }

func (b brittle) Messages(opts ...jetstream.PullMessagesOpt) (jetstream.MessagesContext, error) {
	messages, err := b.Consumer.Messages(opts...)
	return &four{MessagesContext: messages}, err
}

type four struct {
	jetstream.MessagesContext
	given int
}

func (m *four) Next(opts ...jetstream.NextOpt) (jetstream.Msg, error) {
	if m.given++; m.given > 4 {
		return nil, errors.New("broken off")
	}
	return m.MessagesContext.Next(opts...)
}

func TestErrorOfEachEndsIt(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	openStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "x")
	broken := errors.New("pipe closed")
	f := &follow.Follower{JetStream: js, Names: names(), Since: time.Now().Add(-time.Hour), Each: func([]byte) error { return broken }}
	if err := f.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestNoStreamIsSaid(t *testing.T) {
	f := &follow.Follower{JetStream: natstest.Start(t).JetStream(t), Names: names()}
	err := f.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "rollcall run") || !strings.Contains(err.Error(), "MEETINGS") {
		t.Errorf("error %v", err)
	}
}

func TestStopWhileNATSIsAway(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	openStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "x")
	away := make(chan struct{}, 1)
	conn := server.JetStream(t, nats.DisconnectErrHandler(func(*nats.Conn, error) { away <- struct{}{} }))
	seen, stop := followed(t, &follow.Follower{JetStream: conn, Since: time.Now().Add(-time.Hour)})
	<-seen
	server.Stop()
	<-away
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestStreamMadeAnewIsFollowedFromItsBeginning(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	openStream(t, js)
	for range 3 {
		publish(t, js, "c1", rollcall.MeetingStarted, "old")
	}
	troubled := make(chan error, 100)
	seen, stop := followed(t, &follow.Follower{
		JetStream: server.JetStream(t), Since: time.Now().Add(-time.Hour),
		Trouble: func(err error) { troubled <- err },
	})
	for range 3 {
		<-seen
	}
	if err := js.DeleteStream(t.Context(), "MEETINGS"); err != nil {
		t.Fatal(err)
	}
	if err := <-troubled; err == nil {
		t.Error("trouble without an error")
	}
	openStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "new")
	if got := <-seen; got != "new" {
		t.Errorf("got %s", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
