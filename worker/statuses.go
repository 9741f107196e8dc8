package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/wire"
)

// statuses publishes the newest status of a tenant.
type statuses struct {
	committer Committer
	tenant    string
	log       *zap.Logger
	held      func() bool      // this worker holds some shard of the tenant
	newest    chan wire.Status // one may wait
}

func newStatuses(c Committer, tenant string, log *zap.Logger, held func() bool) *statuses {
	return &statuses{committer: c, tenant: tenant, log: log, held: held, newest: make(chan wire.Status, 1)}
}

// put leaves a status to be published, in the place of one that was not yet.
func (s *statuses) put(status wire.Status) {
	select {
	case <-s.newest:
	default:
	}
	s.newest <- status
}

// publish publishes the newest status until ctx ends. One that could not be is
// let go: the next pass brings a newer one.
func (s *statuses) publish(ctx context.Context) {
	trouble := streak.Log{Logger: s.log, What: "publishing the status"}
	last, at := "", time.Time{}
	for {
		status, ok := s.next(ctx, last, at)
		if !ok {
			return
		}
		err := s.committer.PutStatus(ctx, s.tenant, status)
		if ctx.Err() == nil {
			trouble.Note(err)
		}
		last, at = status.State, time.Now()
	}
}

// statusEvery is how often a status is published whose state is the one before:
// passes may follow one another at once.
const statusEvery = time.Second

// next waits for a status of another state than the last one, or for the newest
// one when that was long enough ago. ok is false when ctx ends.
func (s *statuses) next(ctx context.Context, last string, at time.Time) (status wire.Status, ok bool) {
	var due <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return status, false
		case <-due:
			if s.held() {
				return status, true
			}
			due = nil // another worker publishes now
			continue
		case status = <-s.newest:
		}
		rest := statusEvery - time.Since(at)
		if status.State != last || rest <= 0 {
			return status, true
		}
		if due == nil {
			due = time.After(rest)
		}
	}
}
