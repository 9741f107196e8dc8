package forwarder

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"rollcall/internal/streak"
)

// Config is what a forwarder is made of.
type Config struct {
	ID      string // of this process, unlike any other's
	Routes  []Route
	Targets []Target
	Ledger  Ledger
	Source  Source
	// Since is where a route begins that was never worked before; zero: with what
	// happens from now on.
	Since    time.Time
	Logger   *zap.Logger
	Registry prometheus.Registerer
}

// Forwarder works the lanes that other processes do not. It is made by [New].
type Forwarder struct {
	config  Config
	metrics *metrics
	lanes   chan lanes // to be worked from now on
}

// lanes are the routes with their targets.
type lanes []*lane

// New makes a forwarder; it asks nobody anything. Its error names a route whose
// target is not there.
func New(c Config) (*Forwarder, error) {
	f := &Forwarder{config: c, metrics: newMetrics(c.Registry), lanes: make(chan lanes, 1)}
	apply, err := f.Replace(c.Routes, c.Targets)
	if err != nil {
		return nil, err
	}
	apply()
	return f, nil
}

// Replace returns what lets other routes and targets take the place of those before,
// now or when [Forwarder.Run] begins. Each message under way is waited for; a route
// and a target that were there before go on where they were, whatever else of them
// has changed. Calls of apply do not overlap. The error is that of [New].
func (f *Forwarder) Replace(routes []Route, targets []Target) (apply func(), err error) {
	c := f.config
	c.Routes, c.Targets = routes, targets
	next, err := c.lanes(f.metrics)
	if err != nil {
		return nil, err
	}
	return func() {
		select {
		case <-f.lanes: // they were not begun
		default:
		}
		f.lanes <- next
	}, nil
}

func (c *Config) lanes(m *metrics) (all lanes, err error) {
	targets := map[string]*Target{}
	for i := range c.Targets {
		targets[c.Targets[i].Name] = &c.Targets[i]
	}
	for i := range c.Routes {
		for _, name := range c.Routes[i].Targets {
			t := targets[name]
			if t == nil {
				return nil, fmt.Errorf("route %s names target %s, which is not there", c.Routes[i].Name, name)
			}
			l := c.lane(&c.Routes[i], t, targets[t.OnFailure])
			l.metrics = m
			all = append(all, l)
		}
	}
	return all, nil
}

func (c *Config) lane(route *Route, t, onFailure *Target) *lane {
	log := c.Logger.With(zap.String("route", route.Name), zap.String("target", t.Name))
	sender := &sender{Target: t, ledger: c.Ledger}
	return &lane{
		source: c.Source, route: route, sender: sender, queue: newQueue(), log: log,
		tenure:    tenure{places: c.Ledger, source: c.Source, id: c.ID, slot: laneKey(route.Name, t.Name), log: log},
		health:    health{target: sender, other: onFailure, zone: route.Zone, log: log},
		templates: streak.Log{Logger: log, What: "writing messages by the target's own templates"},
	}
}

func laneKey(route, target string) string { return "lane." + route + "." + target }

// Run tells until ctx ends, and leaves the lanes to others then.
func (f *Forwarder) Run(ctx context.Context) {
	work := <-f.lanes
	for _, l := range work {
		l.since = f.config.Since
	}
	for ctx.Err() == nil {
		work = f.work(ctx, work)
	}
}

// work works lanes until ctx ends, or others take their place, which it returns.
func (f *Forwarder) work(ctx context.Context, now lanes) (next lanes) {
	turn, end := context.WithCancel(ctx)
	defer end()
	var working sync.WaitGroup
	for _, l := range now {
		working.Go(func() { l.run(ctx, turn) })
	}
	select {
	case next = <-f.lanes:
		now.yield(next)
	case <-ctx.Done():
	}
	end()
	working.Wait()
	return next
}

// yield notes which lanes go on among the next ones.
func (now lanes) yield(next lanes) {
	same := map[string]*lane{}
	for _, l := range now {
		same[l.slot] = l
	}
	for _, l := range next {
		if before := same[l.slot]; before != nil {
			before.goesOn, l.since = true, before.since
		}
	}
}
