package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/budget"
	"rollcall/poller/dingtalk"
	"rollcall/poller/discovery"
	"rollcall/poller/push"
	"rollcall/worker"
)

// tenant is one organization: what asks about its meetings, what looks for them,
// and what may be spent on both.
type tenant struct {
	cfg      config.Tenant
	schedule poller.Schedule
	client   *dingtalk.Client
	limit    *rate.Limiter // of the calls that this worker makes
	poller   *poller.Poller
	budget   *budget.Budget      // nil: unlimited
	finders  []*discovery.Finder // none: nobody looks for meetings
	listener *push.Listener      // nil: nobody hears pushes
	hints    *worker.Hints       // what is heard, here or by another worker
	pushes   *budget.Pushes      // nil: none are heard

	pseudonyms *rollcall.Pseudonyms // nil: ids are kept

	stopFinding context.CancelFunc // nil: nobody looks yet
	finding     sync.WaitGroup
}

// newTenant makes all of it but the finders. Its client is to be closed.
func newTenant(cfg config.Tenant, egress *poller.Egress, metrics *metrics, log *zap.Logger) (*tenant, error) {
	schedule, err := poller.ParseSchedule(cfg.Poll.Schedule, cfg.Poll.Timezone)
	if err = errors.Join(err, readable(cfg)); err != nil {
		return nil, err
	}
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: cfg.Endpoint, Auth: cfg.Auth.DingTalk(), Timeout: cfg.Poll.Timeout, Logger: log.With(zap.String("tenant", cfg.Name)),
		Skewed: metrics.skewed(cfg.Name),
	})
	if err != nil {
		return nil, err
	}
	t := &tenant{cfg: cfg, schedule: schedule.Of(cfg.Name), client: client, limit: poller.Evenly(cfg.Poll.QPS), hints: worker.NewHints()}
	t.poller = &poller.Poller{
		Source: client, Tenant: cfg.Name, Endpoint: client.Endpoint(), BatchSize: cfg.Poll.BatchSize,
		InFlight: cfg.Poll.InFlight, Limiter: t.limit, Egress: egress, Logger: log, Metrics: metrics.of(cfg.Name),
	}
	if cfg.Poll.MonthlyCalls != config.Unlimited {
		t.budget = budget.New(budget.Config{
			Tenant: cfg.Name, Calls: int64(cfg.Poll.MonthlyCalls), Finds: finds(cfg.Track), Pushed: t.hints.Healthy, Logger: log,
		})
		t.poller.Spend = t.spend
	}
	return t, nil
}

// watched is the tenant as the worker needs it.
func (t *tenant) watched() worker.Tenant {
	w := worker.Tenant{
		Name: t.cfg.Name, Schedule: t.schedule, Asker: t.poller, Decode: t.client.Decode,
		BatchSize: t.cfg.Poll.BatchSize, Shards: t.cfg.Poll.Shards, Conferences: t.cfg.Track.Conferences,
		MissingAfterPolls: t.cfg.Poll.MissingAfterPolls, ExpireUnstarted: t.cfg.Poll.ExpireUnstarted,
		Summaries: t.cfg.Members != config.MembersOff, Roles: t.cfg.Members == config.MembersOnChange,
		OmitNicks: t.cfg.Privacy.Nicks == "omit", Pseudonyms: t.pseudonyms, Holds: t.share, Hints: t.hints,
		Labels: t.cfg.Track.Labels, FoundLabels: map[string]rollcall.Labels{},
	}
	if o := t.cfg.Track.Organization; o.Enabled {
		w.FoundLabels[discovery.SourceOrganization] = o.Labels
	}
	if t.cfg.Push.Enabled {
		w.FoundLabels[push.Source] = t.cfg.Track.Organization.Labels
	}
	if t.budget != nil { // a nil *Budget in the interface would not be nil
		w.Budget = t.budget
	}
	return w
}

// share divides what the tenant allows among the workers that hold its shards.
func (t *tenant) share(held, shards int) {
	t.limit.SetLimit(rate.Limit(t.cfg.Poll.QPS * float64(max(held, 1)) / float64(shards)))
	if t.budget != nil {
		t.budget.Share(held, shards)
	}
}

// spend takes each call out of the share that it belongs to. A list that a pass
// reads serves to find meetings as well, where these are looked for in it.
func (t *tenant) spend(ctx context.Context, op string) error {
	switch {
	case op == poller.OpFind, op == poller.OpFindUser:
		return t.budget.SpendFind(ctx, op)
	case op == poller.OpOngoing && t.cfg.Track.Organization.Enabled:
		return t.budget.SpendOverheard(ctx, op)
	}
	return t.budget.Spend(ctx, op)
}

// resume ends the waiting for which a refusal is the reason.
func (t *tenant) resume() {
	t.poller.Resume()
	for _, f := range t.finders {
		f.Resume()
	}
}

// openFinders makes what looks for meetings, as far as it is wanted: one for the
// organization's list and one for those of users.
func (t *tenant) openFinders(log *zap.Logger) error {
	track := t.cfg.Track
	if track.Organization.Enabled {
		o := track.Organization
		f, err := t.finder(log, o.Schedule, discovery.Organization(t.poller, t.client))
		if err != nil {
			return err
		}
		f.Filter = t.filter()
		t.poller.Overheard = func(listed []poller.Listed) { f.Overhear(discovery.SourceOrganization, listed) }
	}
	if len(track.Users) == 0 {
		return nil
	}
	var lists []discovery.List
	for _, id := range track.Users {
		list := discovery.User(t.poller, t.client, id)
		if t.pseudonyms != nil {
			list.Source = discovery.SourceUser + ":" + t.pseudonyms.Of(id)
		}
		lists = append(lists, list)
	}
	_, err := t.finder(log, track.UsersSchedule, lists...)
	return err
}

// filter says which of the meetings that nobody named are tracked.
func (t *tenant) filter() discovery.Filter {
	o := t.cfg.Track.Organization
	return discovery.Filter{Include: discovery.Patterns(o.Include), Exclude: discovery.Patterns(o.Exclude)}
}

// openListener makes what hears pushes, where that is wanted.
func (t *tenant) openListener(metrics *metrics, log *zap.Logger) {
	if !t.cfg.Push.Enabled {
		return
	}
	clientID, _, from := t.cfg.PushApp()
	t.pushes = budget.NewPushes(t.cfg.Name, max(0, int64(t.cfg.Push.MonthlyPushes)), log)
	t.listener = &push.Listener{
		Tenant: t.cfg.Name, Takes: t.filter().Takes, Logger: log, Metrics: metrics.push.of(t.cfg.Name), Meter: t.pushes,
		Gateway: dingtalk.Gateway{Client: t.client, ClientID: clientID, Secret: from},
	}
}

func (t *tenant) finder(log *zap.Logger, schedule string, lists ...discovery.List) (*discovery.Finder, error) {
	at, err := poller.ParseSchedule(schedule, t.cfg.Poll.Timezone)
	if err != nil {
		return nil, fmt.Errorf("look for meetings: %w", err)
	}
	f := &discovery.Finder{Tenant: t.cfg.Name, Schedule: at.Of(t.cfg.Name), Lists: lists, Logger: log}
	if t.budget != nil { // a nil *Budget in the interface would not be nil
		f.Budget = t.budget
	}
	t.finders = append(t.finders, f)
	return f, nil
}

// finds reports whether a tenant looks for meetings to track.
func finds(t config.Track) bool { return t.Organization.Enabled || len(t.Users) > 0 }

// egressLimiter allows a second's calls at once where tenants begin together,
// and nowhere more than DingTalk takes from one address within 20 s. What was
// allowed may be made 0.2 s later.
func egressLimiter(qps float64) *rate.Limiter {
	const most, window, fastest = 10_000, 20.2, 490
	qps = min(qps, fastest)
	return rate.NewLimiter(rate.Limit(qps), max(1, int(min(math.Ceil(qps), most-window*qps))))
}

// readable reads each secret once, so that a start without one fails at once
// and not at the first call.
func readable(t config.Tenant) error {
	var problems []error
	for _, c := range t.Credentials() {
		if _, err := c.Read(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.Key, err))
		}
	}
	return errors.Join(problems...)
}
