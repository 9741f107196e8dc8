// Package check finds out why things do not work: it tries what a worker needs
// of DingTalk, of this machine and of NATS, one thing after the other, and says
// of each what was tried, what came back, and the fix.
//
// It promises to store nothing and to stand in nobody's way: what it publishes
// is guarded so that NATS refuses it, files that it makes are gone at the end,
// and it may run next to a working worker. It makes one metered call of
// DingTalk a tenant, and one for each kind of list in which meetings are looked
// for, or none. Every step has a deadline. No result holds a
// secret, or anything that a terminal could choke on.
package check

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natsconn"
)

// DefaultTimeout bounds one step where [Check] does not say.
const DefaultTimeout = 10 * time.Second

// patience is how long a step may take before it is said what is going on.
const patience = 2 * time.Second

// grace is how long a step that does not heed its deadline is waited for.
const grace = time.Second

// errSlow is why a step ends that takes too long.
var errSlow = errors.New("the step took too long")

// Check is what to check, and how.
type Check struct {
	Config config.Config
	// Broker is where NATS is: that of nats.url, or where readers reach the
	// embedded one.
	Broker  natsconn.Config
	NoCall  bool          // make no metered call of DingTalk
	Timeout time.Duration // of one step; 0: [DefaultTimeout]
	// Report receives each result once it is there, one at a time.
	Report func(Result)
	// Slow receives, after two seconds, what is still being tried; nil: nobody.
	// It may be called while Report is.
	Slow func(doing string)

	// Transport carries what is asked of DingTalk; nil: one of its own.
	Transport *http.Transport
	// Resolve looks up a host's addresses; nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]string, error)
	// Now returns the time; nil: time.Now.
	Now func() time.Time
}

// Run tries everything, and counts the results. Its error says that ctx ended
// before all was tried.
func (c Check) Run(ctx context.Context) (Count, error) {
	c.complete()
	defer c.Transport.CloseIdleConnections()
	w := walker{check: &c, count: Count{}}
	m := &machine{check: &c}
	w.walk(ctx, m.first())
	for _, cfg := range c.Config.Tenants {
		t := newTenant(&c, cfg)
		w.walk(ctx, t.table())
		t.close()
	}
	w.walk(ctx, c.forwarded())
	w.walk(ctx, m.table())
	b := newBroker(&c, m)
	defer b.link.close()
	w.walk(ctx, b.table())
	if ctx.Err() != nil {
		return w.count, errors.New("interrupted: not everything was tried")
	}
	return w.count, nil
}

func (c *Check) complete() {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Slow == nil {
		c.Slow = func(string) {}
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	if c.Resolve == nil {
		c.Resolve = net.DefaultResolver.LookupHost
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}
