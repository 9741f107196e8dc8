// Package reload follows the configuration while a program works: what changes is put
// into force, or said to take effect at the next start.
package reload

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/streak"
)

// every is how often the configuration is read, to see whether it has changed.
const every = 30 * time.Second

// Follower follows the configuration of one program.
type Follower struct {
	// Config is the one in force. Only what Prepare returns, and the follower, change it.
	Config *config.Config
	// Read reads it anew; nil: the one of the start stays in force.
	Read func(context.Context) (config.Config, error)
	// Live reports whether a key that has changed takes effect now; the level of the
	// log always does.
	Live func(key string) bool
	// Prepare makes what another configuration needs, and changes nothing. It returns
	// what puts that into force; nil: there is nothing to change.
	Prepare func(next config.Config) (apply func(context.Context) error, err error)
	// Asked: an operator wants it read now.
	Asked   <-chan struct{}
	Level   *zap.AtomicLevel // the logger's; nil: it stays as it is
	Log     *zap.Logger
	Metrics *Metrics

	waiting []string // keys whose change takes effect at the next start
}

// Run reads the configuration anew now and then, and when asked, until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	trouble := &streak.Log{Logger: f.Log, What: "reloading the configuration (the one before stays in force)"}
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-f.Asked:
			asked = true
		}
		if f.Read == nil {
			continue
		}
		changed, err := f.reload(ctx)
		if ctx.Err() != nil {
			return
		}
		if trouble.Note(err); err != nil {
			f.Metrics.reloaded.Set(0)
		} else if f.Metrics.reloaded.Set(1); asked && !changed {
			f.Log.Info("configuration read; nothing has changed that takes effect now")
		}
	}
}

// reload reads the configuration and puts it into force. An error leaves the one
// before as it was, unless ctx has ended.
func (f *Follower) reload(ctx context.Context) (changed bool, err error) {
	next, err := f.Read(ctx)
	if err != nil {
		return false, err
	}
	apply, err := f.Prepare(next)
	if err != nil {
		return false, err
	}
	f.noteRestart(next)
	if apply == nil && next.Log.Level == f.Config.Log.Level {
		return false, nil
	}
	if apply != nil {
		if err := apply(ctx); err != nil {
			return true, err
		}
	}
	f.Config.Log.Level = next.Log.Level
	if level, err := zapcore.ParseLevel(next.Log.Level); err == nil && f.Level != nil {
		f.Level.SetLevel(level)
	}
	f.Metrics.InForce(*f.Config)
	f.Log.Info("configuration reloaded", zap.String("level", next.Log.Level))
	return true, nil
}

// noteRestart says which keys have changed that take effect at the next start.
func (f *Follower) noteRestart(next config.Config) {
	keys := f.Config.Differs(next, f.Live)
	f.Metrics.restart.Set(min(1, float64(len(keys))))
	if !slices.Equal(keys, f.waiting) && len(keys) > 0 {
		f.Log.Warn("configuration changed in keys that take effect at the next start", zap.Strings("keys", keys))
	}
	f.waiting = keys
}

// Metrics say which configuration is in force.
type Metrics struct {
	hash, since, reloaded, restart prometheus.Gauge
}

// NewMetrics registers the metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "rollcall", Subsystem: "config", Name: name, Help: help})
	}
	m := &Metrics{
		hash:     gauge("hash", "The configuration in force, as a number: processes that show the same one have the same."),
		since:    gauge("in_force_since_timestamp_seconds", "Since when this configuration is in force."),
		reloaded: gauge("last_reload_successful", "Whether the configuration could be read when it was last looked at (1), or the one before stays in force (0)."),
		restart:  gauge("restart_needed", "Whether keys were changed that take effect at the next start (1), or none (0)."),
	}
	registry.MustRegister(m.hash, m.since, m.reloaded, m.restart)
	return m
}

// InForce notes that this configuration is in force from now on.
func (m *Metrics) InForce(cfg config.Config) {
	m.hash.Set(cfg.Hash())
	m.since.SetToCurrentTime()
	m.reloaded.Set(1)
}
