package natsconn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsconn"
	"rollcall/internal/natstest"
)

// TestRefusalsOfJetStreamAreExplained has a server refuse what it can refuse.
func TestRefusalsOfJetStreamAreExplained(t *testing.T) {
	none := server.JetStreamAccountLimits{MaxMemory: -1, MaxStore: -1, MaxStreams: -1, MaxConsumers: -1}
	limit := func(change func(*server.JetStreamAccountLimits)) server.JetStreamAccountLimits {
		l := none
		change(&l)
		return l
	}
	stream := jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}
	for _, c := range []struct {
		limits  server.JetStreamAccountLimits
		refused func(js jetstream.JetStream) error
		want    []string
	}{
		{limit(func(l *server.JetStreamAccountLimits) { l.MaxStore = 1 << 20 }), create(stream, 1<<30), []string{"max_storage", "stream.max_bytes"}},
		{limit(func(l *server.JetStreamAccountLimits) { l.MaxStreams = 1 }), func(js jetstream.JetStream) error {
			other := jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"o"}}
			return errors.Join(create(other, -1)(js), create(stream, -1)(js))
		}, []string{"max_streams", "three"}},
		{limit(func(l *server.JetStreamAccountLimits) { l.MaxConsumers = 1 }), func(js jetstream.JetStream) error {
			err := create(stream, -1)(js)
			for _, name := range []string{"one", "two"} {
				_, more := js.CreateConsumer(t.Context(), "S", jetstream.ConsumerConfig{Durable: name})
				err = errors.Join(err, more)
			}
			return err
		}, []string{"max_consumers", "nats consumer"}},
		{limit(func(l *server.JetStreamAccountLimits) { l.MaxBytesRequired = true }), create(stream, -1), []string{"stream.max_bytes", "max_bytes_required"}},
		{limit(func(l *server.JetStreamAccountLimits) { l.StoreMaxStreamBytes = 1 << 20 }), create(stream, 1<<30), []string{"storage_max_stream_bytes"}},
		{none, func(js jetstream.JetStream) error {
			several := stream
			several.Replicas = 3
			return create(several, -1)(js)
		}, []string{"stream.replicas to 1"}},
	} {
		s := natstest.StartWith(t, server.Options{ServerName: "nats-1"})
		s.Limit(c.limits)
		js := s.JetStream(t)
		err := natsconn.Explained(js.Conn(), "worker", fmt.Errorf("open: %w", c.refused(js)))
		for _, word := range append(c.want, "the account of user worker on server nats-1") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("it does not say %q: %v", word, err)
			}
		}
		if _, is := errors.AsType[*jetstream.APIError](err); !is {
			t.Errorf("the error itself is lost: %v", err)
		}
	}
}

func create(cfg jetstream.StreamConfig, size int64) func(jetstream.JetStream) error {
	return func(js jetstream.JetStream) error {
		cfg.MaxBytes = size
		_, err := js.CreateStream(context.Background(), cfg)
		return err
	}
}

// TestEveryCodeOfTheTableHasAFix, and what says itself what is wrong has none.
func TestEveryCodeOfTheTableHasAFix(t *testing.T) {
	for _, code := range []jetstream.ErrorCode{10002, 10005, 10023, 10026, 10027, 10028, 10039, 10047, 10074, 10113, 10120, 10122} {
		err := &jetstream.APIError{Code: 400, ErrorCode: code, Description: "refused"}
		if natsconn.Fix(fmt.Errorf("open: %w", err)) == "" {
			t.Errorf("%d has no fix", code)
		}
	}
	for _, err := range []error{nil, nats.ErrTimeout, &jetstream.APIError{ErrorCode: 10059}} {
		if fix := natsconn.Fix(err); fix != "" {
			t.Errorf("%v is to be fixed by %q", err, fix)
		}
		if got := natsconn.Explained(nil, "", err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
