package service

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"rollcall/poller/discovery"
)

// workAndFind runs the worker, and what looks for meetings beside it, until ctx
// ends or the worker does. The finders stop first: what they bring is stored with
// what the worker holds.
func (s *Service) workAndFind(ctx context.Context, tracker discovery.Tracker) error {
	looking, stopLooking := context.WithCancel(ctx)
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	worked := make(chan error, 1)
	go func() {
		defer stopLooking() // nobody would track what is found
		worked <- s.worker.Run(working)
	}()
	s.find(looking, tracker)
	stopWorking()
	return <-worked
}

// find looks for meetings, for those who want it, until ctx ends.
func (s *Service) find(ctx context.Context, tracker discovery.Tracker) {
	var finding sync.WaitGroup
	for _, t := range s.tenants {
		for _, f := range t.finders {
			f.Tracker = tracker
			finding.Go(func() {
				if err := f.Run(ctx); err != nil {
					s.log.Error("meeting discovery stopped", zap.String("tenant", f.Tenant), zap.Error(err))
				}
			})
		}
	}
	finding.Wait()
	<-ctx.Done()
}
