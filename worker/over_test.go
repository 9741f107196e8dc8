package worker

import (
	"context"
	"errors"
	"testing"
)

// Whoever makes a request to a shard of an earlier division, which is let go of at
// that moment, does not wait for ever.
func TestAShardThatIsNoMoreAnswersNobody(t *testing.T) {
	s := &shard{own: &ownership{}, requests: newRequests()}
	s.own.current.Store(&lease{})
	close(s.requests.over)
	_, err := run(context.Background(), s, func(context.Context) (int, error) { return 1, nil })
	if !errors.Is(err, ErrNotHeld) {
		t.Errorf("it answers %v", err)
	}
}
