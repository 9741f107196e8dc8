package consume_test

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
	"rollcall/consume"
	"rollcall/internal/natstest"
)

// plainStream makes the stream. The server refuses for a moment while it still
// removes the files of one of that name.
func plainStream(t *testing.T, js jetstream.JetStream) {
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
	subject := names.Event("acme", conference, kind)
	if _, err := js.Publish(t.Context(), subject, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// followed starts a follower; what it is passed comes to seen.
func followed(t *testing.T, f consume.Feed) (seen chan string, stop func() error) {
	t.Helper()
	seen = make(chan string, 100)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() {
		ended <- consume.Follow(ctx, nil, f, func(data []byte) error { seen <- string(data); return nil })
	}()
	return seen, func() error { cancel(); return <-ended }
}

func TestFollowOverARestart(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "0")
	start := time.Now().Add(-time.Hour)
	seen, stop := followed(t, consume.Feed{JetStream: server.JetStream(t), Since: start})
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
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "old")
	begun := make(chan struct{})
	f := consume.Feed{
		JetStream: begins{server.JetStream(t), begun}, Tenant: "acme", ConferenceID: "c1",
		Types: []rollcall.Type{rollcall.ParticipantLeft, rollcall.MeetingStarted},
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
	plainStream(t, js)
	for i := range 6 {
		publish(t, js, "c1", rollcall.MeetingStarted, fmt.Sprint(i))
	}
	f := consume.Feed{JetStream: breaksOff{js}, Since: time.Now().Add(-time.Hour)}
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
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "x")
	broken := errors.New("pipe closed")
	f := consume.Feed{JetStream: js, Since: time.Now().Add(-time.Hour)}
	if err := consume.Follow(t.Context(), nil, f, func([]byte) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestFollowWaitsForTheStream(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	troubled := make(chan error, 100)
	seen, stop := followed(t, consume.Feed{JetStream: js, OnTrouble: func(err error) { troubled <- err }, Since: time.Now().Add(-time.Hour)})
	if err := <-troubled; !errors.Is(err, jetstream.ErrStreamNotFound) || !strings.Contains(err.Error(), "MEETINGS") {
		t.Errorf("trouble: %v", err)
	}
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "first")
	if got := <-seen; got != "first" {
		t.Errorf("got %s", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestStopWhileNATSIsAway(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "x")
	away := make(chan struct{}, 1)
	conn := server.JetStream(t, nats.DisconnectErrHandler(func(*nats.Conn, error) { away <- struct{}{} }))
	seen, stop := followed(t, consume.Feed{JetStream: conn, Since: time.Now().Add(-time.Hour)})
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
	plainStream(t, js)
	for range 3 {
		publish(t, js, "c1", rollcall.MeetingStarted, "old")
	}
	troubled := make(chan error, 100)
	seen, stop := followed(t, consume.Feed{
		JetStream: server.JetStream(t), Since: time.Now().Add(-time.Hour),
		OnTrouble: func(err error) { troubled <- err },
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
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "new")
	if got := <-seen; got != "new" {
		t.Errorf("got %s", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
