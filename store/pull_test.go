package store_test

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natstest"
	"rollcall/store"
)

// Messages above what a pull is to bring are read all the same, and so is what
// stands before and behind them.
func TestScanReadsWhatIsLargerThanAPull(t *testing.T) {
	js := natstest.StartWith(t, server.Options{MaxPayload: 16 << 20}).JetStream(t)
	s := open(t, js, names(), store.StreamConfig{})
	const n = 7
	for i := range n {
		size := 100
		if i%3 == 1 {
			size = 9 << 20
		}
		subject := names().Commit(names().State("acme", fmt.Sprintf("c%d", i)))
		if _, err := js.Publish(minute(t), subject, make([]byte, size), jetstream.WithRetryAttempts(0)); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := s.LoadAll(minute(t), "acme")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range stored {
		seen[r.ConferenceID] = r.Err != nil // none of them is a record
	}
	if len(seen) != n || len(stored) != n {
		t.Errorf("%d messages are read, of %d meetings; want %d", len(stored), len(seen), n)
	}
}

// Fewer messages than were announced are never taken for all of them.
func TestScanDoesNotTakeAPartForTheWhole(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	s := open(t, js, names(), store.StreamConfig{})
	for i := range 50 {
		if _, err := js.Publish(minute(t), names().Commit(names().State("acme", fmt.Sprintf("c%d", i))), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := js.Stream(minute(t), names().Stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"", names().State("acme", "c49"), names().State("acme", "c20")} {
		consumer, err := stream.CreateConsumer(minute(t), jetstream.ConsumerConfig{
			FilterSubject: names().State("acme", "") + "*", DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
			AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if gone != "" {
			if err := stream.Purge(minute(t), jetstream.WithPurgeSubject(gone)); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.PullAll(minute(t), consumer); (err != nil) != (gone != "") {
			t.Errorf("without %q: %d messages, %v", gone, n, err)
		}
	}
}
