package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"rollcall"
	"rollcall/wire"
	"rollcall/worker"
)

// Worker obeys the orders; see [worker.Worker].
type Worker interface {
	TrackAs(ctx context.Context, tenant, conferenceID, source string, labels rollcall.Labels) (worker.View, error)
	Untrack(ctx context.Context, tenant, conferenceID string) (worker.View, error)
	Show(ctx context.Context, tenant, conferenceID string) (worker.View, error)
	List(ctx context.Context, tenant string) (views []worker.View, shards []int, err error)
	Found(ctx context.Context, tenant, source string, listed, gone []string, restarted bool) error
	Busy(tenant string) (tracked int, looks bool)
	Traces(ctx context.Context, tenant, userID string) ([]worker.Trace, error)
	Forget(ctx context.Context, tenant, conferenceID, userID string) (worker.Trace, error)
	OverwriteFiles(ctx context.Context) (messages int, reached bool, err error)
}

// Tenant is an organization that the worker knows.
type Tenant struct {
	Name   string
	Shards int // how many shards its meetings form; 0: one
	// Divided returns their number where it may change; nil: it is Shards.
	Divided func() int
	// Hinted takes what pushes say; nil: nobody wants to know.
	Hinted func(ids []string, healthy bool)
}

// Service answers requests until it is stopped.
type Service struct {
	conn   *nats.Conn
	names  wire.Names
	worker Worker
	log    *zap.Logger

	presence presence
	inboxes  []string // what the subject of an answer begins with
	refused  refusals

	ctx    context.Context // of what runs; ends with the service
	cancel context.CancelCauseFunc

	mu      sync.Mutex // guards what follows
	stopped bool
	// What operators may ask, and what is subscribed to, by tenant; "": NATS's discovery.
	endpoints []*endpoint
	subs      map[string][]*nats.Subscription

	running sync.WaitGroup  // what was admitted
	passed  map[string]bool // what others passed on and is in hand, by its inbox
}

// Serve answers requests about the tenants from now on. The version is shown
// in NATS's discovery. A connection that does not stand yet is waited for.
func Serve(conn *nats.Conn, names wire.Names, tenants []Tenant, w Worker, version string, logger *zap.Logger) (*Service, error) {
	s := &Service{
		conn: conn, names: names, worker: w, log: logger, passed: map[string]bool{}, subs: map[string][]*nats.Subscription{},
		presence: newPresence(names, version), inboxes: inboxes(conn), refused: refusals{log: logger},
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	for _, t := range tenants {
		if err := s.Add(t); err != nil {
			s.Stop()
			return nil, err
		}
	}
	if err := s.present(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("serve requests: %w", err)
	}
	return s, nil
}

// Add answers requests about one more tenant.
func (s *Service) Add(t Tenant) error {
	t.Shards = max(t.Shards, 1)
	orders := rate.NewLimiter(ordersASecond, ordersAtOnce)
	for _, verb := range verbs() {
		if err := s.openVerb(t, verb, orders); err != nil {
			return fmt.Errorf("serve requests: tenant %s, %s: %w", t.Name, verb, err)
		}
	}
	if err := errors.Join(s.hear(t), s.hearHints(t)); err != nil {
		return fmt.Errorf("serve requests: %w", err)
	}
	return nil
}

// Remove answers no more requests about a tenant.
func (s *Service) Remove(tenant string) {
	s.mu.Lock()
	gone := s.subs[tenant]
	delete(s.subs, tenant)
	s.endpoints = slices.DeleteFunc(slices.Clone(s.endpoints), func(e *endpoint) bool { return e.tenant.Name == tenant })
	s.mu.Unlock()
	for _, sub := range gone {
		_ = sub.Drain() // the connection may be gone, and they with it
	}
}

// asked are the endpoints now.
func (s *Service) asked() []*endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoints
}

func (s *Service) openVerb(t Tenant, verb string, orders *rate.Limiter) error {
	asked, passed := newEndpoint(s, t, verb), newEndpoint(s, t, verb)
	if verb == verbTrack || verb == verbUntrack || verb == verbForget {
		asked.orders = orders
	}
	s.mu.Lock()
	s.endpoints = append(slices.Clone(s.endpoints), asked)
	s.mu.Unlock()
	return errors.Join(
		s.subscribe(t.Name, s.names.API(t.Name, verb), queue, asked.handle),
		s.subscribe(t.Name, s.names.Shard(t.Name, verb), "", passed.handleForwarded),
	)
}

// subscribe hears requests that can be answered, about a tenant or in NATS's
// discovery; a group shares them.
func (s *Service) subscribe(tenant, name, group string, handle nats.MsgHandler) error {
	sub, err := s.conn.QueueSubscribe(name, group, func(m *nats.Msg) {
		if !s.answers(m.Reply) {
			s.refused.note(m)
			return
		}
		handle(m)
	})
	if err == nil {
		s.mu.Lock()
		s.subs[tenant] = append(s.subs[tenant], sub)
		s.mu.Unlock()
	}
	return err
}

// goodbye is how long a stop waits for the server to hear of it.
const goodbye = time.Second / 2

// Stop takes no more requests, ends what is in hand with an answer that says
// so, and returns when all of it is over. It may be called more than once.
func (s *Service) Stop() {
	if !s.silence() {
		// Once the server knows, no request comes here that another could answer.
		_ = s.conn.FlushTimeout(goodbye)
	}
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.cancel(errStopping)
	s.running.Wait()
}

// silence ends what is subscribed to, and reports whether nothing was.
func (s *Service) silence() (already bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	already = len(s.subs) == 0
	for _, subs := range s.subs {
		for _, sub := range subs {
			_ = sub.Drain() // it is gone already with the connection
		}
	}
	clear(s.subs)
	return already
}
