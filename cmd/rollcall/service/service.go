// Package service puts the rooms together: NATS, the ledger, the clients, the
// worker and the console, as one thing that starts, runs and stops in order.
package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/cmd/rollcall/forward"
	"rollcall/cmd/rollcall/page"
	"rollcall/console"
	"rollcall/internal/embedded"
	"rollcall/poller"
	"rollcall/publisher"
	"rollcall/store"
	"rollcall/wire"
	"rollcall/worker"
	"rollcall/worker/backlog"
)

// Service is everything that `rollcall run` does. It is made by [New].
type Service struct {
	// Reload reads the configuration anew; nil: the one of the start stays in force.
	// It is called every 30 s and at [Service.Hangup], one call at a time.
	Reload func(context.Context) (config.Config, error)
	// Level is the logger's; nil: it stays as it is.
	Level *zap.AtomicLevel
	// Commit is what the program was built of, for the metrics.
	Commit string

	cfg      config.Config
	version  string
	log      *zap.Logger
	registry *prometheus.Registry
	metrics  *metrics
	tenants  *tenants
	hangups  chan struct{} // an operator wants the configuration read now
	console  *console.Server
	embedded *embedded.Server // nil: NATS is elsewhere
	disk     *disk            // of the embedded server; nil: there is none
	conn     *nats.Conn
	ownsDir  bool // data_dir belongs to this process alone
	backlog  *backlog.Backlog
	// What commits; set before worker is, and read after.
	committer *publisher.Publisher
	teardown  teardown

	forwarding *forward.Forwarding // nil: nobody is told

	ready  chan struct{} // closed once what follows is set
	worker *worker.Worker
	ledger *store.JetStream
}

// New takes what can be refused at once: files, ports, the data directory. It
// sends no request; Run or Close releases everything. The version is what it
// says of itself on the bus: a semantic version.
func New(cfg config.Config, version string, log *zap.Logger) (*Service, error) {
	s := &Service{
		cfg: cfg, version: version, log: log, registry: prometheus.NewRegistry(), hangups: make(chan struct{}, 1), ready: make(chan struct{}),
	}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, open := range []func() error{s.openTenants, s.openConsole, s.openNATS, s.openPage, s.openBacklog} {
		if err := open(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	for _, r := range cfg.Remarks() {
		log.Warn("configuration worth a look", zap.String("key", r.Key), zap.String("found", r.Found), zap.String("fix", r.Fix))
	}
	warnIfOverBudget(cfg.Tenants, log)
	return s, nil
}

// NATS is where readers connect.
func (s *Service) NATS() string {
	if s.embedded != nil {
		return s.embedded.URL()
	}
	return s.cfg.NATS.URL
}

// HTTP is where the console listens.
func (s *Service) HTTP() net.Addr { return s.console.Addr() }

// Conn is the service's own connection to NATS.
func (s *Service) Conn() *nats.Conn { return s.conn }

// Names are the names on the bus.
func (s *Service) Names() wire.Names {
	return s.cfg.Stream.Names()
}

// Ready is closed once the ledger is open and orders are taken.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Worker is the worker; nil before [Service.Ready].
func (s *Service) Worker() *worker.Worker {
	select {
	case <-s.ready:
		return s.worker
	default:
		return nil
	}
}

// Close releases what was taken, in reverse order, and returns what failed. It
// may be called again, and after Run, which calls it.
func (s *Service) Close() error { return s.teardown.run() }

// Run works until ctx ends, stops in order, and releases everything. It
// returns nil after an orderly stop.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.registry.MustRegister(buildInfo(s.version, s.Commit))
	// Without its health nobody could see how the worker is doing.
	s.beside(context.WithoutCancel(ctx), "console", s.console.Run, cancel)
	if s.disk != nil {
		s.beside(ctx, "watching the disk", s.disk.run, cancel)
	}
	err := s.work(ctx)
	cancel()
	return errors.Join(err, s.Close())
}

// beside runs something beside the worker, until the teardown or ctx ends it.
// Whenever it has ended, ended is called.
func (s *Service) beside(ctx context.Context, name string, run func(context.Context) error, ended func()) {
	ctx, stop := context.WithCancel(ctx)
	outcome := make(chan error, 1)
	go func() {
		defer ended()
		outcome <- run(ctx)
	}()
	s.teardown.push(name, func() error {
		stop()
		return <-outcome
	})
}

func (s *Service) work(ctx context.Context) error {
	ledger, err := s.openLedger(ctx)
	if err != nil || ledger == nil {
		return err
	}
	s.ledger = ledger
	s.worker, err = worker.New(s.workerConfig())
	if err != nil {
		return err
	}
	api, err := control.Serve(s.conn, s.Names(), s.controlled(), served{s.worker, worker.PrivacyOf(s.worker)}, s.version, s.log)
	if err != nil {
		return fmt.Errorf("serve requests: %w", err)
	}
	s.teardown.push("serving requests", quietly(api.Stop))
	// Others take the requests while this worker stores what it holds.
	defer context.AfterFunc(ctx, api.Stop)()
	// NATS knows whom to ask from now on; if it is away, the next connection tells it.
	_ = s.conn.FlushTimeout(2 * time.Second)
	close(s.ready)
	s.log.Info("worker started", zap.String("nats", s.NATS()),
		zap.Stringer("http", s.HTTP()), zap.Int("tenants", len(s.tenants.current())))
	if err := s.beginForwarding(ctx); err != nil {
		return err
	}
	for _, t := range s.tenants.current() {
		t.spendFrom(ledger, s.ownDir())
	}
	s.teardown.push("budgets", quietly(s.tenants.returnCalls))
	return s.workAndFind(ctx, api)
}

func (s *Service) workerConfig() worker.Config {
	s.committer = &publisher.Publisher{Conn: s.conn, Names: s.Names(), Reached: s.ledger.Reached, API: s.ledger.API}
	if s.embedded != nil {
		s.committer.Disk, s.committer.DataDir = s.embedded.Disk, s.cfg.DataDir
	}
	cfg := worker.Config{
		ID: instance(), Version: s.version, Names: s.Names(), Ledger: s.ledger, Committer: s.committer,
		Logger: s.log, Registry: s.registry, Backlog: s.backlog, StopTimeout: storing, Eraser: store.Eraser{Ledger: s.ledger},
	}
	if s.embedded != nil {
		cfg.Overwrite = s.embedded.Scrub
	}
	for _, t := range s.tenants.current() {
		cfg.Tenants = append(cfg.Tenants, t.watched())
	}
	return cfg
}

// served is all that operators may ask for.
type served struct {
	*worker.Worker
	worker.Privacy
}

// storing bounds how long a stop waits until what is held is stored. With what comes
// after it (a second to leave, half a second each for the budgets and the console) a
// stop takes less than five seconds, whatever NATS does.
const storing = 2500 * time.Millisecond

// controlled are the tenants that orders may be about.
func (s *Service) controlled() []control.Tenant {
	var all []control.Tenant
	for _, t := range s.tenants.current() {
		all = append(all, controlledAs(t.cfg.Name, s.worker, s.tenants))
	}
	return all
}

func controlledAs(name string, w *worker.Worker, all *tenants) control.Tenant {
	return control.Tenant{Name: name, Divided: func() int { return w.Shards(name) }, Hinted: all.hinted(name)}
}

// instance is an id that no other worker has.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "rollcall"
	}
	return host + "-" + strings.ToLower(rand.Text()[:8])
}

func (s *Service) openConsole() error {
	server, err := console.Listen(s.cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	s.teardown.push("listening for health and metrics", server.Close)
	server.Health, server.Metrics, server.Logger = &health{service: s}, s.registry, s.log
	server.Stuck = s.stuck
	server.Profiles, server.Hosts = s.cfg.HTTP.Pprof, s.cfg.HTTP.Hosts
	s.console = server
	return nil
}

// openPage lets the console show the live page, where its address allows that.
func (s *Service) openPage() (err error) {
	if s.cfg.HTTP.Page.Served(s.cfg.HTTP.Listen) {
		s.console.Page, err = page.New(s.cfg, s.conn, false, s.log)
	}
	return err
}

func (s *Service) openTenants() error {
	s.metrics = newMetrics(s.registry)
	s.metrics.config.InForce(s.cfg)
	s.tenants = &tenants{dataDir: s.cfg.DataDir, egress: &poller.Egress{Limiter: egressLimiter(s.cfg.EgressQPS)}, metrics: s.metrics, log: s.log}
	s.teardown.push("the clients of the tenants", quietly(s.tenants.close))
	for _, cfg := range s.cfg.Tenants {
		t, err := s.tenants.make(cfg)
		if err != nil {
			return err
		}
		s.tenants.exchange(nil, t)
	}
	s.registry.MustRegister(budgetMetrics{s.tenants.current}, newPushMonths(s.tenants.current), newHealthMetrics(s))
	return nil
}

// ownDir is data_dir where it belongs to this process alone, otherwise empty.
func (s *Service) ownDir() string {
	if !s.ownsDir {
		return ""
	}
	return s.cfg.DataDir
}

// Hangup is what an operator says with SIGHUP: it is [Service.Resume], and the
// configuration is read anew.
func (s *Service) Hangup() {
	s.Resume()
	select {
	case s.hangups <- struct{}{}:
	default: // it is about to be read
	}
}

// Resume lets every tenant call again that is kept from it by a refusal, such as
// a used up quota, and looks for meetings where that was not permitted, because
// an operator says so.
func (s *Service) Resume() {
	for _, t := range s.tenants.current() {
		t.resume()
	}
}
