package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/zap"

	"rollcall/wire"
	"rollcall/worker"
)

// Worker obeys the orders; see [worker.Worker].
type Worker interface {
	Track(ctx context.Context, tenant, conferenceID, source string) (worker.View, error)
	Untrack(ctx context.Context, tenant, conferenceID string) (worker.View, error)
	Show(ctx context.Context, tenant, conferenceID string) (worker.View, error)
	List(ctx context.Context, tenant string) (views []worker.View, shards []int, err error)
	Found(ctx context.Context, tenant, source string, listed, gone []string, restarted bool) error
	Busy(tenant string) (tracked int, looks bool)
}

// Tenant is an organization that the worker knows.
type Tenant struct {
	Name   string
	Shards int // how many shards its meetings form; 0: one
}

// Service answers requests until it is stopped.
type Service struct {
	conn   *nats.Conn
	names  wire.Names
	worker Worker
	log    *zap.Logger

	micro micro.Service
	subs  []*nats.Subscription // on the subjects between workers

	ctx    context.Context // of what runs; ends with the service
	cancel context.CancelCauseFunc

	mu      sync.Mutex // guards what follows
	stopped bool
	running sync.WaitGroup  // what was admitted
	passed  map[string]bool // what others passed on and is in hand, by its inbox
}

// Serve answers requests about the tenants from now on. The version is shown
// in NATS's discovery. A connection that does not stand yet is waited for.
func Serve(conn *nats.Conn, names wire.Names, tenants []Tenant, w Worker, version string, logger *zap.Logger) (*Service, error) {
	s := &Service{conn: conn, names: names, worker: w, log: logger, passed: map[string]bool{}}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	err := s.register(version)
	if err == nil {
		err = s.open(tenants)
	}
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("serve requests: %w", err)
	}
	return s, nil
}

// register enters the service into NATS's discovery, which takes semantic
// versions only; any other stands in the metadata alone.
func (s *Service) register(version string) (err error) {
	cfg := micro.Config{
		Name: ServiceName, Version: strings.TrimPrefix(version, "v"),
		Description:  "tracks DingTalk meetings at run time, and tells what is known of them",
		Metadata:     map[string]string{"stream": s.names.Stream, "version": version},
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) { s.troubled(err) },
	}
	s.micro, err = micro.AddService(s.conn, cfg)
	if errors.Is(err, micro.ErrConfigValidation) {
		cfg.Version = "0.0.0"
		s.micro, err = micro.AddService(s.conn, cfg)
	}
	return err
}

func (s *Service) open(tenants []Tenant) error {
	for _, t := range tenants {
		t.Shards = max(t.Shards, 1)
		for _, verb := range verbs() {
			if err := s.openVerb(t, verb); err != nil {
				return fmt.Errorf("tenant %s, %s: %w", t.Name, verb, err)
			}
		}
		if err := s.hear(t); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) openVerb(t Tenant, verb string) error {
	asked := newEndpoint(s, t, verb)
	err := s.micro.AddEndpoint(t.Name+"-"+verb, asked,
		micro.WithEndpointSubject(s.names.API(t.Name, verb)),
		micro.WithEndpointMetadata(map[string]string{"tenant": t.Name, "verb": verb}))
	if err != nil {
		return err
	}
	passed := newEndpoint(s, t, verb)
	sub, err := s.conn.Subscribe(s.names.Shard(t.Name, verb), passed.takeOver)
	if err != nil {
		return err
	}
	s.subs = append(s.subs, sub)
	return nil
}

// goodbye is how long a stop waits for the server to hear of it.
const goodbye = time.Second

// Stop takes no more requests, ends what is in hand with an answer that says
// so, and returns when all of it is over. It may be called more than once.
func (s *Service) Stop() {
	if s.micro != nil {
		if err := s.micro.Stop(); err != nil {
			s.log.Warn("could not leave NATS's discovery in order", zap.Error(err))
		}
	}
	for _, sub := range s.subs {
		_ = sub.Unsubscribe() // it is gone already when stopped twice, or with the connection
	}
	// Once the server knows, no request comes here that another could answer.
	_ = s.conn.FlushTimeout(goodbye)
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.cancel(errStopping)
	s.running.Wait()
}

func (s *Service) troubled(err *micro.NATSError) {
	s.log.Warn("requests to track and list meetings have trouble", zap.String("subject", err.Subject), zap.Error(err))
}
