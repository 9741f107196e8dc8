package control

import (
	"context"
	"encoding/json"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/zap"
)

// atOnce is how many requests of one verb and tenant run at a time.
const atOnce = 64

// endpoint answers one verb for one tenant.
type endpoint struct {
	service *Service
	tenant  Tenant
	verb    string
	slots   chan struct{}
}

func newEndpoint(s *Service, t Tenant, verb string) *endpoint {
	return &endpoint{service: s, tenant: t, verb: verb, slots: make(chan struct{}, atOnce)}
}

// Handle takes a request. What is refused is refused at once; the rest is
// answered beside, so that a slow request holds up no other.
func (e *endpoint) Handle(r micro.Request) {
	wanted, err := decodeRequest(e.verb, r.Data())
	if err != nil {
		e.refuse(r, problem(BadRequest, "%v", err))
		return
	}
	to := r.Reply()
	if refused := e.admit(func(ctx context.Context) {
		e.service.send(to, e.answer(ctx, wanted, r.Data()))
	}); refused != nil {
		e.refuse(r, refused)
	}
}

func (e *endpoint) refuse(r micro.Request, p *Error) {
	answer := p.reply()
	if err := r.Error(p.Code.text(), p.Message, answer.body); err != nil {
		e.service.log.Debug("could not refuse a request", zap.String("subject", r.Subject()), zap.Error(err))
	}
}

// admit runs do beside, within the bounds, or says why it does not.
func (e *endpoint) admit(do func(ctx context.Context)) *Error {
	select {
	case e.slots <- struct{}{}:
	default:
		return problem(Unavailable, "%d requests to %s for tenant %s are in hand already: ask again in a moment", atOnce, e.verb, e.tenant.Name)
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
	answer, held := e.here(ctx, wanted.ConferenceID)
	if held {
		return answer
	}
	return e.passOn(ctx, wanted.ConferenceID, data)
}

// send answers a request. What is too large for one message is answered with
// where else to find it.
func (s *Service) send(to string, answer reply) {
	if to == "" {
		return // nobody wants to know
	}
	if most := s.conn.MaxPayload() - headroom; most > 0 && int64(len(answer.body)) > most {
		answer = problem(Unavailable, "the answer has %d bytes, more than NATS takes in one message (max_payload %d): "+
			"read the record on %s.state instead, or raise max_payload", len(answer.body), s.conn.MaxPayload(), s.names.Prefix).reply()
	}
	if err := s.conn.PublishMsg(&nats.Msg{Subject: to, Header: answer.header, Data: answer.body}); err != nil {
		s.log.Warn("could not answer a request", zap.Error(err))
	}
}

// headroom is left in a message for its headers.
const headroom = 1024

// encoded is the reply that holds an answer.
func encoded(answer any) reply {
	body, err := json.Marshal(answer)
	if err != nil {
		return problem(Unavailable, "write the answer: %v", err).reply()
	}
	return reply{body: body}
}
