package control

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// atOnce is how many requests of one verb and tenant run at a time.
const atOnce = 64

// Each order may spend a call: of a tenant's, so many are obeyed at once, and
// so many a second after them.
const (
	ordersAtOnce  = 100
	ordersASecond = 5
)

// endpoint answers one verb for one tenant.
type endpoint struct {
	service *Service
	orders  *rate.Limiter // nil: they spend nothing
	tenant  Tenant
	verb    string
	slots   chan struct{}
	tally   tally
}

func newEndpoint(s *Service, t Tenant, verb string) *endpoint {
	return &endpoint{service: s, tenant: t, verb: verb, slots: make(chan struct{}, atOnce)}
}

func (e *endpoint) name() string { return e.tenant.Name + "-" + e.verb }

// handle takes a request. What is refused is refused at once; the rest is
// answered beside, so that a slow request holds up no other.
func (e *endpoint) handle(m *nats.Msg) {
	begun := time.Now()
	wanted, err := decodeRequest(e.verb, m.Data)
	if err != nil {
		e.finish(m, begun, apiError(BadRequest, "%v", err).reply())
		return
	}
	if e.orders != nil && !e.orders.Allow() {
		e.finish(m, begun, apiError(TooMany, "tenant %s is given more than %d orders a second: ask again in a second",
			e.tenant.Name, ordersASecond).reply())
		return
	}
	if refused := e.admit(func(ctx context.Context) {
		e.finish(m, begun, e.answer(ctx, wanted, m.Data))
	}); refused != nil {
		e.finish(m, begun, refused.reply())
	}
}

func (e *endpoint) finish(m *nats.Msg, begun time.Time, answer reply) {
	e.tally.note(begun, answer)
	e.service.send(m, answer)
}

// admit runs do beside, within the bounds, or says why it does not.
func (e *endpoint) admit(do func(ctx context.Context)) *Error {
	select {
	case e.slots <- struct{}{}:
	default:
		return apiError(Unavailable, "%d requests to %s for tenant %s are in hand already: ask again in a moment", atOnce, e.verb, e.tenant.Name)
	}
	s := e.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		<-e.slots
		return problemOf(errStopping, e.tenant.Name, e.verb, "")
	}
	s.running.Go(func() {
		defer func() { <-e.slots }()
		do(s.ctx)
	})
	return nil
}

// answer does what is wanted, here or where the meeting's shard is held.
func (e *endpoint) answer(ctx context.Context, wanted request, data []byte) reply {
	if e.verb == verbList {
		return e.list(ctx, wanted.After)
	}
	answer, held := e.localShare(ctx, wanted)
	if held {
		return answer
	}
	return e.forward(ctx, wanted.ConferenceID, data)
}

// send answers a request. What is too large for one message is answered with
// where else to find it.
func (s *Service) send(to *nats.Msg, answer reply) {
	if to.Reply == "" {
		return // nobody wants to know
	}
	if most := s.conn.MaxPayload() - headroom; most > 0 && int64(len(answer.body)) > most {
		answer = apiError(Unavailable, "the answer has %d bytes, more than NATS takes in one message (max_payload %d): "+
			"read the record on %s.state instead, or raise max_payload", len(answer.body), s.conn.MaxPayload(), s.names.Prefix).reply()
	}
	if err := s.conn.PublishMsg(&nats.Msg{Subject: to.Reply, Header: answer.header, Data: answer.body}); err != nil {
		s.log.Warn("answer to a request not sent", zap.Error(err))
	}
}

// headroom is left in a message for its headers.
const headroom = 1024

// encoded is the reply that holds an answer.
func encoded(answer any) reply {
	body, err := json.Marshal(answer)
	if err != nil {
		return apiError(Unavailable, "write the answer: %v", err).reply()
	}
	return reply{body: body}
}
