package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/wire"
)

// broker is the checks of NATS.
type broker struct {
	check   *Check
	machine *machine
	names   wire.Names

	encrypted *tls.ConnectionState // nil: not
	loginErr  error                // why there is no connection
	conn      *nats.Conn           // nil: none
	js        jetstream.JetStream
	missing   absent // what the ledger lacks; set by its check

	mu     sync.Mutex // guards what follows
	cancel context.CancelCauseFunc
	seen   error // the last violation that was judged
}

func newBroker(c *Check, m *machine) *broker {
	return &broker{check: c, machine: m, names: c.Config.Stream.Names()}
}

func (b *broker) close() {
	if b.conn != nil {
		b.conn.Close()
	}
}

// table is all that a worker needs of a NATS elsewhere. What runs inside a
// rollcall is looked at as a reader does, if it runs; its worker may do everything.
func (b *broker) table() table {
	steps := []step{
		{"name", "", "look up the hosts of nats.url", b.name},
		{"connect", "name", "connect to NATS", b.connect},
		{"tls", "connect", "encrypt the connection", b.tls},
		{"login", "tls", "log in", b.login},
		{"version", "login", "read the version of nats-server", b.version},
		{"jetstream", "login version", "ask JetStream for the account", b.jetstream},
		{"look", "jetstream", "look at the stream and the bucket", b.look},
		{"stream", "look", "compare the stream's settings with the configuration", b.stream},
		{"limits", "stream", "hold what is needed against the limits of the account", b.limits},
		{"create", "stream", "create what is absent", b.create},
		{"read", "jetstream", "read records", b.read},
		{"publish", "jetstream", "publish commits that are refused", b.publish},
		{"workers", "jetstream", "register a worker, refused", b.workers},
		{"budget", "jetstream", "write down what is spent, refused", b.budget},
		{"api", "jetstream", "listen for orders", b.api},
		{"consumers", "look", "count the consumers of the stream", b.consumers},
		{"downstream", "jetstream", "look for streams that capture what is republished", b.downstream},
	}
	if b.check.Config.NATS.URL != "" {
		if !b.counts() {
			steps = slices.DeleteFunc(steps, func(s step) bool { return s.name == "budget" })
		}
		return table{part: "nats", steps: steps}
	}
	if !b.machine.running {
		return table{part: "nats"}
	}
	return table{part: "nats", steps: []step{steps[1].without("name"), steps[2], steps[3], steps[4], steps[5], steps[6], steps[7], steps[len(steps)-2], steps[len(steps)-1]}}
}

// without gives the step as it is where nothing is needed before.
func (s step) without(need string) step {
	s.needs = strings.TrimSpace(strings.Replace(" "+s.needs+" ", " "+need+" ", " ", 1))
	return s
}

// peer is one address of nats.url.
type peer struct{ shown, host, address string }

func (b *broker) peers() []peer {
	var peers []peer
	for text := range strings.SplitSeq(b.check.Broker.URL, ",") {
		text = strings.TrimSpace(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil {
			continue // what the configuration's own check refuses
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
		}
		if port == "" {
			port = "4222"
		}
		peers = append(peers, peer{u.Redacted(), u.Hostname(), net.JoinHostPort(u.Hostname(), port)})
	}
	return peers
}

// name looks up each host of nats.url; one that is found is enough to go on.
func (b *broker) name(ctx context.Context) Result {
	return b.any(func(s peer) Result { return b.check.lookUp(ctx, s.host, "nats.url") })
}

// any tries all servers: one that works is enough, and the others are worth a look.
func (b *broker) any(try func(peer) Result) Result {
	var bad, good []Result
	for _, s := range b.peers() {
		if r := try(s); r.Verdict == Fail {
			bad = append(bad, r)
		} else {
			good = append(good, r)
		}
	}
	switch {
	case len(good) == 0 && len(bad) == 0:
		return fail("read nats.url", "it holds no address", "write for example nats://nats.example:4222")
	case len(good) == 0:
		return together(Fail, bad)
	case len(bad) == 0:
		return together(OK, good)
	}
	return together(Warn, append(bad, good...))
}

// together makes one result of several.
func together(verdict Verdict, of []Result) Result {
	if len(of) == 1 {
		of[0].Verdict = verdict
		return of[0]
	}
	var found, mends []string
	for _, r := range of {
		found = append(found, r.Tried+": "+r.Found)
		if r.Mend != "" {
			mends = append(mends, r.Mend)
		}
	}
	return Result{Verdict: verdict, Found: strings.Join(found, "; "), Mend: strings.Join(mends, "\n")}
}

// connect sees whether something answers, and whether it is a nats-server.
func (b *broker) connect(ctx context.Context) Result {
	return b.any(func(s peer) Result { return b.knock(ctx, s) })
}

func (b *broker) knock(ctx context.Context, s peer) Result {
	tried := "connect to " + s.shown
	if strings.HasPrefix(s.shown, "ws") { // where the client speaks first
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
		if err != nil {
			return fail(tried, b.check.why(ctx, err), mendReach)
		}
		_ = conn.Close() // nothing was written
		return ok(tried, "something listens there")
	}
	info, err := greet(ctx, s.address)
	switch {
	case err == nil:
		return ok(tried, "nats-server %s, %s", info.Version, info.Name)
	case errors.Is(err, errSilent):
		return ok(tried, "something listens there; it says nothing, as if it waited for TLS")
	case errors.Is(err, errNoNATS):
		return fail(tried, err.Error(), "check the port in nats.url: 4222 is the usual one for clients, 8222 is for monitoring, 6222 for the cluster itself")
	}
	return fail(tried, b.check.why(ctx, err), mendReach)
}

const mendReach = "start NATS there, check host and port in nats.url, or allow this machine to reach it through the firewall"

// watch ends the context when the server says that a permission is missing,
// which it does beside the answer that never comes.
func (b *broker) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	b.mu.Lock()
	b.cancel = cancel
	b.mu.Unlock()
	return ctx, func() {
		b.mu.Lock()
		b.cancel = nil
		b.mu.Unlock()
		cancel(nil)
	}
}

// violated is told what goes wrong beside the answers.
func (b *broker) violated(_ *nats.Conn, _ *nats.Subscription, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancel != nil && errors.Is(err, nats.ErrPermissionViolation) && err != b.seen {
		b.cancel(err)
	}
}

// judged notes a violation that was met already, whose news may still be on
// its way.
func (b *broker) judged(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = err
}

// denial gives the violation for which the context ended, if it did.
func denial(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, nats.ErrPermissionViolation) {
		return err
	}
	return nil
}

// shorter gives an error of the NATS client without its own name in front.
func shorter(err error) string {
	text := fmt.Sprint(err)
	for _, front := range []string{"connect to NATS: ", "nats: ", "permissions violation: "} {
		text = strings.TrimPrefix(text, front)
	}
	return withoutPasswords(text)
}
