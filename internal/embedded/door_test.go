package embedded

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/internal/natstest"
)

// TestADoorThatIsBusy: one reader waits for an answer, and another one does not
// wait for both.
func TestADoorThatIsBusy(t *testing.T) {
	broker := natstest.Start(t)
	if err := openDoor(broker.Connect(t)); err != nil {
		t.Fatal(err)
	}
	ledger, readers := broker.Connect(t), broker.Connect(t)
	asked := make(chan *nats.Msg, 1)
	for subject, answer := range map[string]nats.MsgHandler{
		"slow":  func(m *nats.Msg) { asked <- m },
		"quick": func(m *nats.Msg) { _ = m.Respond(m.Data) },
	} {
		if _, err := ledger.Subscribe(subject, answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	slow := make(chan error, 1)
	go func() {
		_, err := readers.RequestWithContext(ctx, door+"slow", nil)
		slow <- err
	}()
	waits := <-asked
	if _, err := readers.RequestWithContext(ctx, door+"quick", nil); err != nil {
		t.Error(err)
	}
	if err := waits.Respond(nil); err != nil {
		t.Error(err)
	}
	if err := <-slow; err != nil {
		t.Errorf("whoever waited was given up before another one was answered: %v", err)
	}
}
