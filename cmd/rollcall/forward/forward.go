package forward

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/reload"
	"rollcall/console"
	"rollcall/forwarder"
	"rollcall/internal/natsconn"
	"rollcall/internal/streak"
	"rollcall/internal/wait"
)

// Forwarding is everything that "rollcall forward" and its commands do. Prepare
// comes first.
type Forwarding struct {
	// Reload, Asked and Level are those of [reload.Follower], for Serve.
	Reload func(context.Context) (config.Config, error)
	Asked  <-chan struct{}
	Level  *zap.AtomicLevel

	Config    config.Config
	Since     time.Time // see [forwarder.Config]
	Log       *zap.Logger
	Registry  *prometheus.Registry // nil: nobody counts
	Conn      *nats.Conn
	Transport http.RoundTripper // nil: over the network

	settings forwarder.Config
	work     *forwarder.Forwarder
	opened   atomic.Bool // what is kept in NATS is there
}

// Prepare reads what can be read at once, and so refuses what cannot be. A secret that
// cannot be read is logged: it may be there before the first message.
func (f *Forwarding) Prepare() error {
	routes, targets, err := f.make(f.Config.Forward)
	f.settings = forwarder.Config{ID: instance(), Routes: routes, Targets: targets, Since: f.Since, Logger: f.Log}
	if f.Registry != nil {
		f.settings.Registry = f.Registry
	}
	return err
}

func (f *Forwarding) make(cfg config.Forward) (routes []forwarder.Route, targets []forwarder.Target, err error) {
	if targets, err = Targets(cfg, f.Transport); err != nil {
		return nil, nil, err
	}
	for _, t := range targets {
		if _, err := t.Open(); err != nil {
			f.Log.Error("target cannot be told", zap.String("target", t.Name), zap.Error(err))
		}
	}
	routes, err = Routes(cfg)
	return routes, targets, err
}

// attach reaches what is kept in NATS, whether it is there or not.
func (f *Forwarding) attach() error {
	js, err := natsconn.JetStream(f.Conn, f.Config.NATS.Domain, f.Config.NATS.JSPrefix)
	if err != nil {
		return err
	}
	kept := forwarder.Attach(f.Conn, js, f.Config.Stream.Names())
	f.settings.Ledger, f.settings.Source = kept, kept
	return nil
}

// Begin makes the forwarder. It comes before Run and Replace, and wants Conn.
func (f *Forwarding) Begin() (err error) {
	if err := f.attach(); err != nil {
		return err
	}
	f.work, err = forwarder.New(f.settings)
	return err
}

// Replace makes other targets and routes, and returns what puts them into force; nil:
// they are the same. The error holds what Prepare refuses.
func (f *Forwarding) Replace(next config.Forward) (apply func(), err error) {
	next.Listen = f.Config.Forward.Listen // which takes effect at a start
	if reflect.DeepEqual(f.Config.Forward, next) {
		return nil, nil
	}
	routes, targets, err := f.make(next)
	if err != nil {
		return nil, err
	}
	replace, err := f.work.Replace(routes, targets)
	if err != nil {
		return nil, err
	}
	return func() {
		replace()
		f.Config.Forward = next
		f.Log.Info("forwarder changed", zap.Int("routes", len(routes)), zap.Int("targets", len(targets)))
	}, nil
}

// Run tells until ctx ends. It waits for NATS and for the stream to be there.
func (f *Forwarding) Run(ctx context.Context) error {
	if !f.open(ctx) {
		return nil
	}
	f.opened.Store(true)
	f.Log.Info("forwarder started", zap.Int("routes", len(f.settings.Routes)), zap.Int("targets", len(f.settings.Targets)))
	f.work.Run(ctx)
	return nil
}

// Serve is Begin, and Run with health and metrics beside it, where the configuration wants them,
// and follows the configuration.
func (f *Forwarding) Serve(ctx context.Context) error {
	if err := f.Begin(); err != nil {
		return err
	}
	var following sync.WaitGroup
	defer following.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	follower, listen := f.follower(), f.Config.Forward.Listen
	following.Go(func() { follower.Run(ctx) })
	if listen == "" {
		return f.Run(ctx)
	}
	server, err := console.Listen(listen)
	if err != nil {
		return err
	}
	f.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	server.Health, server.Metrics, server.Logger, server.Hosts = f, f.Registry, f.Log, f.Config.HTTP.Hosts
	served := make(chan error, 1)
	go func() { defer cancel(); served <- server.Run(ctx) }()
	err = f.Run(ctx)
	cancel()
	return errors.Join(err, <-served)
}

func (f *Forwarding) follower() *reload.Follower {
	metrics := reload.NewMetrics(f.Registry)
	metrics.InForce(f.Config)
	prepare := func(next config.Config) (func(context.Context) error, error) {
		replace, err := f.Replace(next.Forward)
		if replace == nil {
			return nil, err
		}
		return func(context.Context) error { replace(); return nil }, nil
	}
	return &reload.Follower{
		Config: &f.Config, Read: f.Reload, Live: live, Prepare: prepare, Asked: f.Asked, Level: f.Level, Log: f.Log, Metrics: metrics,
	}
}

// live reports whether a key takes effect without a start, or is of no matter here.
func live(key string) bool {
	return !slices.ContainsFunc([]string{"nats.", "stream.", "log.", "http.hosts", "forward.listen"}, func(mine string) bool {
		return strings.HasPrefix(key, mine)
	})
}

// Health says whether NATS can be reached, and has been of use, for the console. What
// a target says is of no matter to it: another process could do no better.
func (f *Forwarding) Health() []console.Check {
	kept := console.Check{Name: "ledger", OK: f.opened.Load(), Detail: "what was told is kept in NATS"}
	if !kept.OK {
		kept.Detail = "what was told cannot be kept in NATS; see the log"
	}
	return []console.Check{{Name: "nats", OK: f.Conn.IsConnected(), Detail: "connection to NATS: " + f.Conn.Status().String()}, kept}
}

// open makes what is kept in NATS, as often as it takes; false: ctx has ended.
func (f *Forwarding) open(ctx context.Context) bool {
	trouble := streak.Log{Logger: f.Log, What: "opening what the forwarder keeps in NATS"}
	pauses := wait.Growth{First: 200 * time.Millisecond, Most: 10 * time.Second}.BackOff()
	for {
		err := f.tryOpen(ctx)
		if err == nil {
			trouble.Note(nil)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if f.Config.NATS.URL == "" {
			err = fmt.Errorf("%w (the server that a worker embeds has it where the worker's configuration has forward.targets)", err)
		}
		trouble.Note(err)
		wait.For(ctx, pauses.NextBackOff())
	}
}

func (f *Forwarding) tryOpen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if !f.Conn.IsConnected() {
		return errors.Join(nats.ErrDisconnected, f.Conn.LastError())
	}
	err := f.settings.Ledger.(*forwarder.NATS).Make(ctx, f.Config.Stream.Replicas)
	if err == nil {
		_, err = f.settings.Source.Head(ctx)
	}
	return err
}

// target finds one by its name.
func (f *Forwarding) target(name string) (*forwarder.Target, error) {
	var names []string
	for i := range f.settings.Targets {
		t := &f.settings.Targets[i]
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return nil, fmt.Errorf("there is no target %.40q; there are: %s", name, strings.Join(names, ", "))
}

// instance is an id that no other process has.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "rollcall"
	}
	return host + "-" + strings.ToLower(rand.Text()[:8])
}
