package service

import (
	"context"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/control"
	"rollcall/poller/push"
)

// workAndFind runs the worker, and what looks for meetings beside it, until ctx
// ends or the worker does. The finders stop first: what they bring is stored with
// what the worker holds.
func (s *Service) workAndFind(ctx context.Context, api *control.Service) error {
	looking, stopLooking := context.WithCancel(ctx)
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	worked := make(chan error, 1)
	go func() {
		defer stopLooking() // nobody would track what is found
		worked <- s.worker.Run(working)
	}()
	s.find(looking, api)
	stopWorking()
	return <-worked
}

// find looks for meetings, for those who want it, and follows the configuration,
// until ctx ends.
func (s *Service) find(ctx context.Context, api *control.Service) {
	for _, t := range s.tenants.current() {
		t.find(ctx, api, s.log)
	}
	(&reloading{Service: s, api: api}).follow(ctx)
	for _, t := range s.tenants.current() {
		t.finding.Wait()
	}
}

// find starts to look for the tenant's meetings, and to hear of them.
func (t *tenant) find(ctx context.Context, tracker push.Tracker, log *zap.Logger) {
	ctx, t.stopFinding = context.WithCancel(ctx)
	if t.listener != nil {
		t.listener.Tracker = tracker
		t.finding.Go(func() {
			if err := t.listener.Run(ctx); err != nil {
				log.Error("hearing pushes stopped", zap.String("tenant", t.cfg.Name), zap.Error(err))
			}
		})
	}
	for _, f := range t.finders {
		f.Tracker = tracker
		t.finding.Go(func() {
			if err := f.Run(ctx); err != nil {
				log.Error("meeting discovery stopped", zap.String("tenant", f.Tenant), zap.Error(err))
			}
		})
	}
}

// findNoMore stops it, and returns once nobody looks.
func (t *tenant) findNoMore() {
	if t.stopFinding != nil {
		t.stopFinding()
		t.finding.Wait()
	}
}
