package dingtalk

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/internal/wait"
	"rollcall/poller"
)

// tokens keeps the client's token fresh. At most one request for a token is
// under way; it belongs to nobody, so that no caller that gives up ends it for
// the others. A caller that still holds a valid token never waits for it.
type tokens struct {
	fetch  func(context.Context) (token, error)
	now    func() time.Time
	log    *zap.Logger
	life   context.Context // the client's: requests end with it
	end    context.CancelFunc
	flying sync.WaitGroup

	mu         sync.Mutex
	current    token // zero: none, or it was refused
	generation uint64
	inflight   *inflightFetch // nil: none is under way
	outage     outage
	watch      secretWatcher
}

// inflightFetch is a request for a token; token and err may be read once done is closed.
type inflightFetch struct {
	done    chan struct{}
	changes uint64 // of the secrets, before it departed
	token   token
	err     error
}

// outage is what is known of token requests that fail; zero: they do not.
type outage struct {
	failures int
	fault    *Fault
	until    time.Time     // no request before
	logged   streak.Streak // of failures that no call has returned
}

// tokenPauses are the pauses between requests that fail.
func tokenPauses() wait.Growth { return wait.Growth{First: time.Second, Most: time.Minute} }

// get returns a valid token. refused is the generation of one that DingTalk did
// not take, 0: none; it is not given again.
func (t *tokens) get(ctx context.Context, refused uint64) (token, error) {
	if err := ctx.Err(); err != nil {
		return token{}, err
	}
	t.look()
	held, awaited, err := t.seek(refused)
	if awaited == nil {
		return held, err
	}
	select {
	case <-awaited.done:
		return awaited.token, awaited.err
	case <-ctx.Done():
		return token{}, ctx.Err()
	}
}

// seek returns the token that is held, or the fetch to wait for, or the fault of
// an outage.
func (t *tokens) seek(refused uint64) (token, *inflightFetch, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refused != 0 && t.current.generation == refused {
		t.current = token{}
	}
	now := t.now()
	if now.Before(t.current.renewAt) && !t.watch.pending() {
		return t.current, nil, nil
	}
	awaited, err := t.depart(now)
	if now.Before(t.current.expires) {
		return t.current, nil, nil
	}
	return token{}, awaited, err
}

// depart returns the fetch under way, or a new one unless an outage forbids it.
func (t *tokens) depart(now time.Time) (*inflightFetch, error) {
	if t.inflight != nil {
		return t.inflight, nil
	}
	if t.life.Err() != nil {
		return nil, closedFault()
	}
	if now.Before(t.outage.until) {
		return nil, t.outage.fault
	}
	f := &inflightFetch{done: make(chan struct{}), changes: t.watch.changes}
	t.inflight = f
	t.flying.Go(func() {
		f.token, f.err = t.fetch(t.life)
		t.land(f)
		close(f.done)
	})
	return f, nil
}

// land takes up what a fetch brought.
func (t *tokens) land(f *inflightFetch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inflight = nil
	if f.err == nil {
		t.generation++
		f.token.generation = t.generation
		t.current = f.token
		t.watch.honored = f.changes
		t.recovered()
		return
	}
	fault, ok := errors.AsType[*Fault](f.err)
	if !ok { // only the client's own end is no fault
		fault = closedFault()
		f.err = fault
	}
	t.failed(fault)
}

func closedFault() *Fault {
	return &Fault{Operation: string(opToken), Detail: "the client is closed", class: poller.ClassTransient}
}

// close ends the request under way and waits until it is over.
func (t *tokens) close() {
	t.mu.Lock()
	t.end() // under the lock: no further fetch starts
	t.mu.Unlock()
	t.flying.Wait()
}

// recovered and failed log changes, not repetition, and only while the token in
// hand is still good: after that every call fails with the same words.

func (t *tokens) recovered() {
	if change := t.outage.logged.Note(""); change.Kind == streak.Recovered {
		t.log.Info("dingtalk token renewed again", zap.Int("attempt", t.outage.failures+1), zap.Duration("took", change.Took))
	}
	t.outage = outage{}
}

func (t *tokens) failed(fault *Fault) {
	o := &t.outage
	o.fault, o.until = fault, t.now().Add(max(tokenPauses().Step(o.failures), fault.wait))
	o.failures++
	if t.life.Err() != nil || !t.now().Before(t.current.expires) {
		return
	}
	if o.logged.Note(fault.class.String()+" "+fault.Code).Kind != streak.Same {
		t.log.Warn("dingtalk token not renewed; the one in hand still serves", zap.Int("attempt", o.failures),
			zap.Time("until", t.current.expires), zap.String("request_id", fault.RequestID), zap.Error(fault))
	}
}
