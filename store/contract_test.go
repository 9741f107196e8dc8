package store_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zaptest"

	"rollcall/internal/ledgertest"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
	"rollcall/wire"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	n := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	for _, c := range ledgertest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := ledgertest.NewMemory(n)
				m.Retention = c.Retention
				c.Run(t, struct {
					*ledgertest.Memory
					ledgertest.Eraser
				}{m, ledgertest.Eraser{Ledger: m}}, n)
			})
		})
	}
}

// real is the ledger of the program: the store reads, the publisher commits.
type real struct {
	*store.JetStream
	*publisher.Publisher
	store.Eraser
}

func open(t *testing.T, js jetstream.JetStream, n wire.Names, cfg store.StreamConfig) real {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := store.Open(ctx, js, n, cfg, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OpenBudget(ctx, cfg, zaptest.NewLogger(t)); err != nil {
		t.Fatal(err)
	}
	return real{s, &publisher.Publisher{Conn: js.Conn(), Names: n, Timeout: time.Minute}, store.Eraser{Ledger: s}}
}

func TestJetStreamKeepsTheContract(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	for i, c := range ledgertest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			n := wire.Names{Stream: fmt.Sprintf("STREAM_%d", i), Prefix: fmt.Sprintf("prefix-%d.below", i)}
			c.Run(t, open(t, js, n, store.StreamConfig{Retention: c.Retention}), n)
		})
	}
}
