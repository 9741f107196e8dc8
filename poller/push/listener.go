package push

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/secret"
	"rollcall/internal/streak"
	"rollcall/internal/wait"
	"rollcall/poller"
)

// Source is what stands as their source with the meetings that a push brings.
const Source = "push"

// Tracker takes what was heard.
type Tracker interface {
	// Found tracks those of the listed meetings that are not tracked yet.
	Found(ctx context.Context, tenant, source string, listed, gone []string, restarted bool) error
	// Hinted makes these meetings due, as far as they are tracked; none says only
	// how pushes are. Healthy says that what happens is heard of.
	Hinted(tenant string, ids []string, healthy bool)
	// Busy reports, besides how many meetings are tracked, whether this worker is
	// the one to hear pushes.
	Busy(tenant string) (tracked int, looks bool)
}

// Gateway opens connections; each ticket is good for one of them.
type Gateway interface {
	Open(ctx context.Context) (endpoint string, ticket secret.String, err error)
}

// Meter counts pushes, which DingTalk allows so many of in a month.
type Meter interface {
	// Take counts pushes that were heard; none asks whether any may be. An error
	// says that no more may be heard for now.
	Take(ctx context.Context, heard int64) error
}

// What became of a message, as [Metrics] counts them.
const (
	Taken     = "taken"     // it was a hint
	Repeated  = "repeated"  // it was one, and came before
	Outdated  = "outdated"  // it was one, and a newer one came before
	Unneeded  = "unneeded"  // an event that is no hint
	Garbage   = "garbage"   // no frame, or an event of meetings that cannot be read
	Overlarge = "overlarge" // too large, which ends the connection
)

// Outcomes lists what may become of a message.
func Outcomes() []string {
	return []string{Taken, Repeated, Outdated, Unneeded, Garbage, Overlarge}
}

// Metrics are told what is heard; each may be nil.
type Metrics struct {
	Heard     func(outcome string)
	Connected func(bool)
}

// Listener hears the pushes of one tenant. Tenant, Gateway and Tracker are required.
type Listener struct {
	Tenant  string
	Gateway Gateway
	Tracker Tracker
	Takes   func(poller.Listed) bool // whether a new meeting is tracked; nil: each is
	Meter   Meter                    // nil: they are not counted
	Client  *http.Client             // makes connections; nil: one with the proxy of the environment
	Logger  *zap.Logger              // nil: silent
	Metrics Metrics

	dialer http.Client // belongs to Run, like seen and order
	seen   recent      // the ids of events
	order  recent      // the last number, by what it numbers
	inbox  inbox
	events atomic.Int64  // that were not counted yet
	came   chan struct{} // holds one when there are any
	heard  atomic.Int64  // when the last event of meetings was, in Unix ms; 0: there was none
}

const (
	// settled is after how long a connection counts as one that works.
	settled = time.Minute
	// proven is for how long an event proves that the app is subscribed to those
	// of meetings: a connection alone does not.
	proven = 72 * time.Hour
)

// betweenConnections are the pauses between two connections.
func betweenConnections() wait.Growth { return wait.Growth{First: time.Second, Most: time.Minute} }

// errElsewhere ends a connection: it is another worker's to hear.
var errElsewhere = errors.New("another worker hears the pushes")

// errMoved ends a connection because DingTalk says so, before it does.
var errMoved = errors.New("DingTalk ends the connection, to be made anew")

// Run hears until ctx ends, and then returns nil.
func (l *Listener) Run(ctx context.Context) error {
	l.open()
	var passing sync.WaitGroup
	defer passing.Wait()
	passing.Go(func() { l.pass(ctx) })
	trouble := streak.Log{Logger: l.Logger, What: "hearing DingTalk's pushes"}
	pause := betweenConnections().BackOff()
	for ctx.Err() == nil {
		if _, looks := l.Tracker.Busy(l.Tenant); !looks {
			wait.For(ctx, betweenConnections().First)
			continue
		}
		began := time.Now()
		err := l.count(ctx)
		if err == nil {
			err = l.connected(ctx, func() { trouble.Note(nil) })
		}
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) >= settled {
			pause.Reset()
		}
		if !errors.Is(err, errElsewhere) && !errors.Is(err, errMoved) {
			trouble.Note(err)
		}
		wait.For(ctx, pause.NextBackOff())
	}
	return nil
}

func (l *Listener) open() {
	if l.Logger == nil {
		l.Logger = zap.NewNop()
	}
	l.Logger = l.Logger.With(zap.String("tenant", l.Tenant))
	l.inbox.wake, l.came = make(chan struct{}, 1), make(chan struct{}, 1)
	l.dialer = newDialer(l.Client)
}

// healthy reports whether a connection that stands tells what happens.
func (l *Listener) healthy() bool {
	at := l.heard.Load()
	return at > 0 && time.Since(time.UnixMilli(at)) < proven
}

// count counts the events that were heard since the last time.
func (l *Listener) count(ctx context.Context) error {
	if l.Meter == nil {
		return nil
	}
	return l.Meter.Take(ctx, l.events.Swap(0))
}

// note notes what became of a message.
func (l *Listener) note(outcome string) {
	if l.Metrics.Heard != nil {
		l.Metrics.Heard(outcome)
	}
}
