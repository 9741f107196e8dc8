package service

import (
	"context"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/budget"
	"rollcall/poller/dingtalk"
	"rollcall/poller/discovery"
)

// finds reports whether a tenant looks for meetings to track.
func finds(t config.Track) bool { return t.Organization.Enabled || len(t.Users) > 0 }

// openFinders makes what looks for meetings: for each tenant one for the
// organization's list and one for those of users, as far as they are wanted.
func (s *Service) openFinders() error {
	for i, t := range s.cfg.Tenants {
		if !finds(t.Track) {
			continue
		}
		asker, ok := s.tenants[i].Asker.(*poller.Poller)
		if !ok {
			return fmt.Errorf("tenant %s: looking for meetings needs a poller that makes its calls", t.Name)
		}
		if t.Track.Organization.Enabled {
			f, err := s.finder(t, t.Track.Organization.Schedule, discovery.Organization(asker, s.clients[i]))
			if err != nil {
				return err
			}
			o := t.Track.Organization
			f.Filter = discovery.Filter{Include: discovery.Patterns(o.Include), Exclude: discovery.Patterns(o.Exclude)}
			asker.Overheard = func(listed []poller.Listed) { f.Overhear(discovery.SourceOrganization, listed) }
		}
		if len(t.Track.Users) > 0 {
			if _, err := s.finder(t, t.Track.UsersSchedule, users(asker, s.clients[i], t.Track.Users)...); err != nil {
				return err
			}
		}
	}
	return nil
}

func users(asker *poller.Poller, client *dingtalk.Client, unionIDs []string) (lists []discovery.List) {
	for _, id := range unionIDs {
		lists = append(lists, discovery.User(asker, client, id))
	}
	return lists
}

func (s *Service) finder(t config.Tenant, schedule string, lists ...discovery.List) (*discovery.Finder, error) {
	at, err := poller.ParseSchedule(schedule, t.Poll.Timezone)
	if err != nil {
		return nil, fmt.Errorf("tenant %s: look for meetings: %w", t.Name, err)
	}
	f := &discovery.Finder{Tenant: t.Name, Schedule: at, Lists: lists, Logger: s.log}
	if b := s.budgets[t.Name]; b != nil { // a nil *Budget in the interface would not be nil
		f.Budget = b
	}
	s.finders = append(s.finders, f)
	return f, nil
}

// spend takes each call out of the share that it belongs to. A list that a pass
// reads serves to find meetings as well, where these are looked for in it.
func spend(b *budget.Budget, t config.Track) func(ctx context.Context, op string) error {
	return func(ctx context.Context, op string) error {
		switch {
		case op == poller.OpFind, op == poller.OpFindUser:
			return b.SpendFind(ctx, op)
		case op == poller.OpOngoing && t.Organization.Enabled:
			return b.SpendOverheard(ctx, op)
		}
		return b.Spend(ctx, op)
	}
}

// workAndFind lets the worker work, and beside it whoever looks for meetings
// for the tracker, until ctx ends. These stop first: what they bring is stored
// with what the worker holds.
func (s *Service) workAndFind(ctx context.Context, tracker discovery.Tracker) error {
	looking, stopLooking := context.WithCancel(ctx)
	defer stopLooking()
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var finding sync.WaitGroup
	for _, f := range s.finders {
		f.Tracker = tracker
		finding.Go(func() {
			if err := f.Run(looking); err != nil {
				s.log.Error("no more meetings are looked for", zap.String("tenant", f.Tenant), zap.Error(err))
			}
		})
	}
	defer context.AfterFunc(ctx, func() {
		finding.Wait()
		stopWorking()
	})()
	err := s.worker.Run(working)
	stopLooking()
	finding.Wait()
	return err
}
