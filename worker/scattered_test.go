package worker_test

import (
	"context"
	"sync/atomic"
	"time"

	"rollcall/poller"
)

// scattered is a source far away, whose answers come in another order than the
// questions.
type scattered struct {
	poller.Source
	calls atomic.Int64
}

func (s *scattered) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	late := time.Duration(s.calls.Add(1)*5%7) * 40 * time.Millisecond
	answers, err := s.Source.Query(ctx, ids)
	select {
	case <-time.After(late):
	case <-ctx.Done():
		return poller.Answers{}, ctx.Err()
	}
	return answers, err
}
