package worker

import (
	"context"
	"errors"
	"testing"
)

// Whoever gave an order to a shard of an earlier division, which is let go of at
// that moment, does not wait for ever.
func TestAShardThatIsNoMoreObeysNobody(t *testing.T) {
	s := &shard{orders: make(chan order), over: make(chan struct{})}
	s.held.Store(&hold{})
	close(s.over)
	_, err := obey(context.Background(), s, func(context.Context) (int, error) { return 1, nil })
	if !errors.Is(err, ErrNotHeld) {
		t.Errorf("it answers %v", err)
	}
}
