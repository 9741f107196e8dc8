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
	id      string
	source  Source
	since   time.Time
	metrics *metrics
	targets map[string]*Target
	lanes   []*lane
}

// New makes a forwarder; it asks nobody anything. Its error names a route whose
// target is not there.
func New(c Config) (*Forwarder, error) {
	f := &Forwarder{id: c.ID, source: c.Source, since: c.Since, targets: map[string]*Target{}}
	for i := range c.Targets {
		f.targets[c.Targets[i].Name] = &c.Targets[i]
	}
	f.metrics = newMetrics(c.Registry)
	for i := range c.Routes {
		route := &c.Routes[i]
		for _, name := range route.Targets {
			t := f.targets[name]
			if t == nil {
				return nil, fmt.Errorf("route %s names target %s, which is not there", route.Name, name)
			}
			log := c.Logger.With(zap.String("route", route.Name), zap.String("target", name))
			f.lanes = append(f.lanes, &lane{
				Forwarder: f, route: route, sender: &sender{Target: t, ledger: c.Ledger}, key: laneKey(route.Name, name), queue: newQueue(), log: log,
				templates: streak.Log{Logger: log, What: "writing messages by the target's own templates"},
			})
		}
	}
	return f, nil
}

func laneKey(route, target string) string { return "lane." + route + "." + target }

// Run tells until ctx ends, and leaves the lanes to others then.
func (f *Forwarder) Run(ctx context.Context) {
	var working sync.WaitGroup
	for _, l := range f.lanes {
		working.Go(func() { l.run(ctx) })
	}
	working.Wait()
}
