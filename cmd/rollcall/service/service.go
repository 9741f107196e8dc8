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
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/control"
	"rollcall/console"
	"rollcall/internal/embedded"
	"rollcall/internal/natsconn"
	"rollcall/internal/secret"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/poller/discovery"
	"rollcall/publisher"
	"rollcall/wire"
	"rollcall/worker"
	"rollcall/worker/backlog"
)

// Service is everything that `rollcall run` does. It is made by [New].
type Service struct {
	cfg      config.Config
	version  string
	log      *zap.Logger
	registry *prometheus.Registry
	health   *health
	console  *console.Server
	embedded *embedded.Server // nil: NATS is elsewhere
	disk     *disk            // of the embedded server; nil: there is none
	conn     *nats.Conn
	lock     *embedded.DirLock // nil: the embedded server holds the directory, or nobody
	backlog  *backlog.Backlog
	clients  []*dingtalk.Client
	tenants  []worker.Tenant
	budgets  budgets
	finders  []*discovery.Finder // of all tenants

	ready  chan struct{} // closed once worker is set
	worker *worker.Worker
}

// New takes what can be refused at once: files, ports, the data directory. It
// asks nothing of anybody; Run or Close gives everything back. The version is
// what it says of itself on the bus: a semantic version.
func New(cfg config.Config, version string, log *zap.Logger) (*Service, error) {
	s := &Service{cfg: cfg, version: version, log: log, registry: prometheus.NewRegistry(), ready: make(chan struct{})}
	s.health = &health{service: s}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range []func() error{s.openTenants, s.openBudgets, s.openFinders, s.openConsole, s.openNATS, s.openBacklog} {
		if err := step(); err != nil {
			s.Close()
			return nil, err
		}
	}
	for _, r := range cfg.Remarks() {
		log.Warn("the configuration is worth a look", zap.String("key", r.Key), zap.String("found", r.Found), zap.String("fix", r.Fix))
	}
	forewarn(cfg.Tenants, log)
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
	return wire.Names{Stream: s.cfg.Stream.Name, Prefix: s.cfg.Stream.Prefix}
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

// Close gives back what New has taken, in reverse order.
func (s *Service) Close() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.backlog != nil {
		if err := s.backlog.Close(); err != nil {
			s.log.Error("could not close the journal", zap.Error(err))
		}
	}
	if s.lock != nil {
		s.lock.Release()
	}
	if s.embedded != nil {
		s.embedded.Close()
	}
	if s.console != nil {
		_ = s.console.Close() // it was closed before, if it ran
	}
	for _, client := range s.clients {
		client.Close()
	}
}

// Run works until ctx ends, stops in order, and gives everything back. It
// returns nil after an orderly stop.
func (s *Service) Run(ctx context.Context) error {
	defer s.Close()
	watched, stopConsole := context.WithCancel(context.WithoutCancel(ctx))
	var serving sync.WaitGroup
	var consoleErr, diskErr error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	serving.Go(func() {
		consoleErr = s.console.Run(watched)
		cancel() // without its health nobody could tell how the worker does
	})
	if s.disk != nil {
		serving.Go(func() {
			diskErr = s.disk.run(ctx)
			cancel()
		})
	}
	err := s.work(ctx)
	cancel()
	stopConsole()
	serving.Wait()
	return errors.Join(diskErr, err, consoleErr)
}

func (s *Service) work(ctx context.Context) error {
	ledger, err := s.openLedger(ctx)
	if err != nil || ledger == nil {
		return err
	}
	committer := &publisher.Publisher{Conn: s.conn, Names: s.Names(), Reached: ledger.Reached, API: ledger.API}
	if s.embedded != nil {
		committer.Disk, committer.DataDir = s.embedded.Disk, s.cfg.DataDir
	}
	cfg := worker.Config{
		ID: instance(), Names: s.Names(), Ledger: ledger, Committer: committer,
		Tenants: s.tenants, Logger: s.log, Registry: s.registry, Backlog: s.backlog,
	}
	s.worker, err = worker.New(cfg)
	if err != nil {
		return err
	}
	api, err := control.Serve(s.conn, s.Names(), s.controlled(), s.worker, s.version, s.log)
	if err != nil {
		return fmt.Errorf("serve orders: %w", err)
	}
	defer api.Stop()
	// Others take the orders while this worker stores what it holds.
	defer context.AfterFunc(ctx, api.Stop)()
	close(s.ready)
	s.log.Info("the worker works", zap.String("nats", s.NATS()),
		zap.Stringer("http", s.HTTP()), zap.Int("tenants", len(s.tenants)))
	s.attachBudgets(ledger)
	defer s.closeBudgets(context.WithoutCancel(ctx))
	return s.workAndFind(ctx, api)
}

// controlled are the tenants that orders may be about.
func (s *Service) controlled() []control.Tenant {
	var all []control.Tenant
	for _, t := range s.tenants {
		all = append(all, control.Tenant{Name: t.Name, Divided: func() int { return s.worker.Shards(t.Name) }})
	}
	return all
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
	server.Health, server.Metrics, server.Logger = s.health, s.registry, s.log
	server.Profiles, server.Hosts = s.cfg.HTTP.Pprof, s.cfg.HTTP.Hosts
	s.console = server
	return nil
}

func (s *Service) openTenants() error {
	egress := &poller.Egress{Limiter: egressLimiter(s.cfg.EgressQPS)}
	metrics := newPollMetrics(s.registry)
	for _, t := range s.cfg.Tenants {
		tenant, client, err := openTenant(t, egress, metrics, s.log)
		if err != nil {
			return fmt.Errorf("tenant %s: %w", t.Name, err)
		}
		s.tenants = append(s.tenants, tenant)
		s.clients = append(s.clients, client)
	}
	return nil
}

func (s *Service) openNATS() error {
	n := s.cfg.NATS
	c := natsconn.Config{
		URL: n.URL, CredentialsFile: n.CredentialsFile, TokenFile: n.TokenFile, User: n.User, PasswordFile: n.PasswordFile,
		InboxPrefix: n.InboxPrefix,
		TLS:         natsconn.TLS{CA: n.TLS.CAFile, Cert: n.TLS.CertFile, Key: n.TLS.KeyFile},
	}
	if n.URL == "" {
		server, err := s.startEmbedded()
		if err != nil {
			return err
		}
		s.embedded = server
		s.disk = &disk{dir: s.cfg.DataDir, store: server, log: s.log}
		c = natsconn.Config{Options: server.Options()}
	}
	conn, err := natsconn.Connect(c, s.log)
	if err != nil {
		return err
	}
	s.conn = conn
	return nil
}

func (s *Service) startEmbedded() (*embedded.Server, error) {
	n := s.cfg.NATS
	c := embedded.Config{
		DataDir: s.cfg.DataDir, Listen: n.Embedded.Listen, SyncAlways: n.Embedded.Sync == "always",
		Names: s.Names(), User: n.User, Logger: s.log,
	}
	var err error
	if n.PasswordFile != "" {
		if c.Password, err = secret.ReadFile(n.PasswordFile); err != nil {
			return nil, fmt.Errorf("nats.password_file: %w", err)
		}
	}
	if n.TokenFile != "" {
		if c.Token, err = secret.ReadFile(n.TokenFile); err != nil {
			return nil, fmt.Errorf("nats.token_file: %w", err)
		}
	}
	if n.Embedded.OperatorTokenFile != "" {
		if c.Operator, err = secret.ReadFile(n.Embedded.OperatorTokenFile); err != nil {
			return nil, fmt.Errorf("nats.embedded.operator_token_file: %w", err)
		}
	}
	return embedded.Start(c)
}
