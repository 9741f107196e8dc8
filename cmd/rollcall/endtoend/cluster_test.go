//go:build unix

package endtoend_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsproxy"
	"rollcall/internal/natstest"
)

// clustered makes a server one of a cluster; its own route is the first.
func clustered(o *server.Options, routes []string) {
	host, port, _ := strings.Cut(routes[0], ":")
	o.ServerName = "n" + port
	// Nobody reaches another by what it hears of it, past the way that can be attacked.
	o.Cluster = server.ClusterOpts{Name: "rollcall", Host: host, NoAdvertise: true, Advertise: "127.0.0.1:1"}
	o.Cluster.Port, _ = strconv.Atoi(port)
	for _, route := range routes[1:] {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: route})
	}
}

// free gives an address that nobody listens on, and that no connection is given by
// chance while its server is away.
func free(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// newCluster makes three servers that are still to be started, each of which reaches
// each other by a way of its own.
func newCluster(t testing.TB) (all []*broker) {
	t.Helper()
	var own []string
	for range 3 {
		own = append(own, free(t))
		all = append(all, &broker{t: t, dir: t.TempDir(), addr: free(t), ways: map[*broker]*natsproxy.Proxy{}})
	}
	for i, b := range all {
		routes := []string{own[i]}
		for j, other := range all {
			if j != i {
				b.ways[other] = natsproxy.StartRoute(t, own[j])
				routes = append(routes, b.ways[other].Addr())
			}
		}
		b.routes = strings.Join(routes, ",")
	}
	return all
}

// severed is how servers of a cluster do not reach each other.
type severed int

const (
	hungUp     severed = iota // connections are broken, and new ones hung up on
	unheard                   // what the first says does not arrive
	deaf                      // what is said to the first does not arrive
	speechless                // neither does
	ways                      // how many ways there are
)

// sever cuts a server off from another one, until it is healed.
func (b *broker) sever(how severed, other *broker) (heal func()) {
	there, back := b.ways[other], other.ways[b]
	if how == hungUp {
		there.Refuse()
		back.Refuse()
		return func() { there.Restore(); back.Restore() }
	}
	there.Silence(how != deaf, how != unheard)
	back.Silence(how != unheard, how != deaf)
	return func() { there.Silence(false, false); back.Silence(false, false) }
}

// clusterWorld is a world whose broker is a cluster of three, with replicas on each.
func clusterWorld(t testing.TB, flags ...string) (w *world, all []*broker, urls string) {
	t.Helper()
	all = newCluster(t)
	w, urls = worldOf(t, all, flags...)
	return w, all, urls
}

// worldOf starts servers, and a world around them.
func worldOf(t testing.TB, servers []*broker, flags ...string) (w *world, urls string) {
	t.Helper()
	w = &world{t: t, secret: "secret-of-a-cluster-0123456789", broker: servers[0]}
	w.sim = startSimulator(t, w.secret, flags...)
	w.witness = newWitness(t, w.sim.url)
	var addresses []string
	for _, b := range servers {
		b.start()
		addresses = append(addresses, b.url())
	}
	urls = strings.Join(addresses, ",")
	w.conn = natstest.Connect(t, urls, nats.PingInterval(2*time.Second))
	js, err := jetstream.New(w.conn)
	if err != nil {
		t.Fatal(err)
	}
	w.js = js
	return w, urls
}

// leader is the server that leads the stream.
func (w *world) leader(all []*broker) *broker {
	w.t.Helper()
	var found *broker
	eventually(w.t, "the stream has a leader", func() bool {
		stream, err := w.js.Stream(w.t.Context(), "MEETINGS")
		if err != nil || stream.CachedInfo().Cluster == nil {
			return false
		}
		for _, b := range all {
			if stream.CachedInfo().Cluster.Leader == b.name() {
				found = b
			}
		}
		return found != nil
	})
	return found
}

// name is what a server of a cluster calls itself.
func (b *broker) name() string {
	route, _, _ := strings.Cut(b.routes, ",")
	_, port, _ := strings.Cut(route, ":")
	return "n" + port
}

// everyStream reports whether something is so of each stream of the ledger that has
// replicas, as its leader tells.
func (w *world) everyStream(is func(*jetstream.ClusterInfo) bool) bool {
	return !slices.ContainsFunc([]string{"MEETINGS", "KV_MEETINGS_WORKERS"}, func(name string) bool {
		stream, err := w.js.Stream(w.t.Context(), name)
		return err != nil || stream.CachedInfo().Cluster == nil || !is(stream.CachedInfo().Cluster)
	})
}

// without waits until each stream is led by another server than one that is away.
func (w *world) without(away *broker) {
	w.t.Helper()
	eventually(w.t, "the others agree on other leaders", func() bool {
		return w.everyStream(func(c *jetstream.ClusterInfo) bool { return c.Leader != "" && c.Leader != away.name() })
	})
}

// whole waits until each server has all that is stored.
func (w *world) whole() {
	w.t.Helper()
	eventually(w.t, "each server has all that is stored", func() bool {
		return w.everyStream(func(c *jetstream.ClusterInfo) bool {
			return c.Leader != "" && len(c.Replicas) == 2 && !slices.ContainsFunc(c.Replicas, func(r *jetstream.PeerInfo) bool { return r.Offline || !r.Current })
		})
	})
}

// frozenFor lets servers stand still for a while, and then go on.
func frozenFor(d time.Duration, servers ...*broker) {
	for _, b := range servers {
		b.process.signal(syscall.SIGSTOP)
	}
	<-time.After(d)
	for _, b := range servers {
		b.process.signal(syscall.SIGCONT)
	}
}

// TestLongThreeServers has three workers on three servers, of which the leader
// freezes, a follower freezes, two are away, and one is killed: nothing that
// anybody saw is lost, twice or false, and everybody is asked about afterwards.
func TestLongThreeServers(t *testing.T) {
	long(t)
	w, all, urls := clusterWorld(t, "--meetings", "30", "--people", "10", "--rate", "20")
	for _, name := range []string{"a", "b", "c"} {
		s := w.site(name, urls)
		s.config = edited(t, s.config, `schedule: "@every 1s"`, `schedule: "@every 2s", shards: 30`)
		s.config = edited(t, s.config, "tenants:", "stream: {replicas: 3}\ntenants:")
		s.start()
	}
	w.listen()
	w.shared(t, 3)
	w.rounds(3)
	for name, harm := range map[string]func(){
		"the leader freezes":   func() { frozenFor(10*time.Second, w.leader(all)) },
		"a follower freezes":   func() { frozenFor(8*time.Second, w.follower(all)) },
		"two servers are away": func() { frozenFor(10*time.Second, all[0], all[1]) },
		"the leader is killed": func() { b := w.leader(all); b.kill(); <-time.After(3 * time.Second); b.start() },
	} {
		t.Log(name)
		harm()
		w.shared(t, 3)
		w.rounds(3)
	}
	w.verdict().report(t)
}

// follower is a server that does not lead the stream.
func (w *world) follower(all []*broker) *broker {
	leader := w.leader(all)
	return all[slices.IndexFunc(all, func(b *broker) bool { return b != leader })]
}
