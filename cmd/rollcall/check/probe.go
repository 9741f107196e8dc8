package check

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// probe asks for what a worker needs, and learns whether the permission is there.
type probe struct {
	check *Check
	link  *link

	mu     sync.Mutex // guards what follows
	cancel context.CancelCauseFunc
	seen   error // the last violation that was judged
}

// watch ends the context when the server says that a permission is missing,
// which it does beside the answer that never comes.
func (p *probe) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	p.mu.Lock()
	p.cancel = cancel
	p.mu.Unlock()
	return ctx, func() {
		p.mu.Lock()
		p.cancel = nil
		p.mu.Unlock()
		cancel(nil)
	}
}

// violated receives what goes wrong beside the answers.
func (p *probe) violated(_ *nats.Conn, _ *nats.Subscription, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil && errors.Is(err, nats.ErrPermissionViolation) && err != p.seen {
		p.cancel(err)
	}
}

// judged notes a violation that was met already, whose news may still be on
// its way.
func (p *probe) judged(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = err
}

// denial returns the violation for which the context ended, if it did.
func denial(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, nats.ErrPermissionViolation) {
		return err
	}
	return nil
}

// trial is a message that a worker must be allowed to publish. Whatever the
// server answers, also that it refuses it for what it holds, shows that the
// permission is there; when it is missing nothing comes back, and the
// connection receives a violation.
type trial struct {
	subject string
	header  nats.Header
	data    string
}

// answerError is the error of an answer of JetStream's API.
type answerError struct {
	Error *struct {
		Code        int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// refusal is what makes a trial's result other than fine.
type refusal struct {
	subject string
	denied  bool // for want of a permission
	err     error
}

// ask sends a trial. It returns the error code of JetStream's answer, 0 for none.
func (p *probe) ask(ctx context.Context, t trial) (code int, r *refusal) {
	ctx, stop := p.watch(ctx)
	defer stop()
	answer, err := p.request(ctx, &nats.Msg{Subject: t.subject, Header: t.header, Data: []byte(t.data)})
	if denied := denial(ctx); denied != nil {
		return 0, &refusal{judgedSubject(denied, t.subject), true, denied}
	}
	if errors.Is(err, nats.ErrNoResponders) {
		return 0, nil // there is no such stream, which another check says
	}
	if err != nil {
		return 0, &refusal{t.subject, false, err}
	}
	var body answerError
	if json.Unmarshal(answer.Data, &body) == nil && body.Error != nil {
		return body.Error.Code, nil
	}
	return 0, nil
}

// request asks again after a while: a replica that stands still keeps its share
// of the requests, and another one answers.
func (p *probe) request(ctx context.Context, m *nats.Msg) (answer *nats.Msg, err error) {
	for {
		limited, cancel := context.WithTimeout(ctx, p.check.Timeout/5)
		answer, err = p.link.conn.RequestMsgWithContext(limited, m)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return answer, err
		}
	}
}

// askAll sends trials until one is not answered at all: the others would not be either.
func (p *probe) askAll(ctx context.Context, trials []trial) (refused []refusal) {
	for _, t := range trials {
		_, r := p.ask(ctx, t)
		if r == nil {
			continue
		}
		refused = append(refused, *r)
		if !r.denied {
			break
		}
	}
	return refused
}

// judge makes a result of what was refused. wide is the subject with a
// wildcard that lets all of the trials through.
func (p *probe) judge(ctx context.Context, tried, allowed string, refused []refusal, wide string) Result {
	if len(refused) == 0 {
		return ok(tried, "%s", allowed)
	}
	var denied []string
	for _, r := range refused {
		if !r.denied {
			return fail(tried, fmt.Sprintf("no answer on %s: %s", r.subject, p.check.why(ctx, r.err)), "see whether nats-server is overloaded or has no leader; or give it more time with --timeout")
		}
		denied = append(denied, r.subject)
	}
	found := "the user may not publish to " + strings.Join(denied, ", ")
	if text := refused[0].err.Error(); strings.Contains(text, "Subscription") {
		return fail(tried, shorter(refused[0].err), p.inboxFix())
	}
	if strings.Contains(found, defaultAPI) {
		wide = strings.ReplaceAll(wide, p.asked(""), defaultAPI)
	}
	return fail(tried, found, "allow the user to publish to "+wide)
}

const defaultAPI = "$JS.API."

// asked is the subject of a request to JetStream, as a worker asks it.
func (p *probe) asked(request string) string {
	n := p.check.Config.NATS
	switch {
	case n.Domain != "":
		return "$JS." + n.Domain + ".API." + request
	case n.JSPrefix != "":
		return strings.TrimSuffix(n.JSPrefix, ".") + "." + request
	}
	return defaultAPI + request
}

// judgedSubject is the subject that the server judged: it takes its own domain
// out of it before.
func judgedSubject(denied error, asked string) string {
	if _, rest, found := strings.Cut(denied.Error(), `Publish to "`); found {
		subject, _, _ := strings.Cut(rest, `"`)
		return subject
	}
	return asked
}

func (p *probe) inboxFix() string {
	inbox := strings.TrimSuffix(cmp.Or(p.link.conn.Opts.InboxPrefix, nats.InboxPrefix), ".")
	return "allow the user to subscribe to " + inbox + ".>, or set nats.inbox_prefix to what it may subscribe to"
}

// subscribe listens for a moment, and returns the violation if that is denied.
func (p *probe) subscribe(ctx context.Context, subject string) error {
	before := p.link.conn.LastError()
	sub, err := p.link.conn.SubscribeSync(subject)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // where that fails the connection is gone
	if err := p.link.conn.FlushWithContext(ctx); err != nil {
		return err
	}
	after := p.link.conn.LastError()
	p.judged(after)
	if after != before {
		return after
	}
	return nil
}
