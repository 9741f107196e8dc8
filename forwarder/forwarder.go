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
	lanes []*lane
}

// New makes a forwarder; it asks nobody anything. Its error names a route whose
// target is not there.
func New(c Config) (*Forwarder, error) {
	f, targets, metrics := &Forwarder{}, map[string]*Target{}, newMetrics(c.Registry)
	for i := range c.Targets {
		targets[c.Targets[i].Name] = &c.Targets[i]
	}
	for i := range c.Routes {
		route := &c.Routes[i]
		for _, name := range route.Targets {
			t := targets[name]
			if t == nil {
				return nil, fmt.Errorf("route %s names target %s, which is not there", route.Name, name)
			}
			log := c.Logger.With(zap.String("route", route.Name), zap.String("target", name))
			sender := &sender{Target: t, ledger: c.Ledger}
			f.lanes = append(f.lanes, &lane{
				metrics: metrics, source: c.Source, route: route, sender: sender, queue: newQueue(), log: log,
				tenure:    tenure{places: c.Ledger, source: c.Source, id: c.ID, slot: laneKey(route.Name, name), since: c.Since, log: log},
				health:    health{target: sender, other: targets[t.OnFailure], zone: route.Zone, log: log},
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
