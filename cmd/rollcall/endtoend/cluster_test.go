//go:build unix

package endtoend_test

import (
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

	"rollcall/internal/natstest"
)

// clustered makes a server one of a cluster; its own route is the first.
func clustered(o *server.Options, routes []string) {
	host, port, _ := strings.Cut(routes[0], ":")
	o.ServerName = "n" + port
	o.Cluster = server.ClusterOpts{Name: "rollcall", Host: host, NoAdvertise: true}
	o.Cluster.Port, _ = strconv.Atoi(port)
	for _, route := range routes[1:] {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: route})
	}
}

// free gives an address that nobody listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startCluster starts three servers that know each other.
func startCluster(t testing.TB) (all []*broker, urls string) {
	t.Helper()
	var routes, addresses []string
	for range 3 {
		routes = append(routes, free(t))
	}
	for i := range routes {
		others := slices.DeleteFunc(slices.Clone(routes), func(r string) bool { return r == routes[i] })
		b := &broker{t: t, dir: t.TempDir(), addr: free(t), routes: strings.Join(append([]string{routes[i]}, others...), ",")}
		b.start()
		all, addresses = append(all, b), append(addresses, b.url())
	}
	return all, strings.Join(addresses, ",")
}

// clusterWorld is a world whose broker is a cluster of three, with replicas on each.
func clusterWorld(t testing.TB, flags ...string) (w *world, all []*broker, urls string) {
	t.Helper()
	w = &world{t: t, secret: "secret-of-a-cluster-0123456789"}
	w.sim = startSimulator(t, w.secret, flags...)
	w.witness = newWitness(t, w.sim.url)
	all, urls = startCluster(t)
	w.broker = all[0]
	w.conn = natstest.Connect(t, urls, nats.PingInterval(2*time.Second))
	js, err := jetstream.New(w.conn)
	if err != nil {
		t.Fatal(err)
	}
	w.js = js
	return w, all, urls
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
			route, _, _ := strings.Cut(b.routes, ",")
			if _, port, _ := strings.Cut(route, ":"); stream.CachedInfo().Cluster.Leader == "n"+port {
				found = b
			}
		}
		return found != nil
	})
	return found
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
