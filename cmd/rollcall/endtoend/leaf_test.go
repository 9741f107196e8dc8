//go:build unix

package endtoend_test

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serve runs a nats-server that ends with the test.
func serve(t *testing.T, options server.Options) *server.Server {
	t.Helper()
	options.Host, options.StoreDir, options.NoLog, options.NoSigs, options.MaxPayload = "127.0.0.1", t.TempDir(), true, true, 4<<20
	if options.Port == 0 {
		options.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not listen")
	}
	return s
}

// leafOf runs a leaf node of a hub.
func leafOf(t *testing.T, hub *server.Server, options server.Options) *server.Server {
	t.Helper()
	state, err := hub.Varz(nil)
	if err != nil {
		t.Fatal(err)
	}
	remote, err := url.Parse(fmt.Sprintf("nats://127.0.0.1:%d", state.LeafNode.Port))
	if err != nil {
		t.Fatal(err)
	}
	options.LeafNode.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{remote}}}
	leaf := serve(t, options)
	eventually(t, "the leaf is connected", func() bool { return leaf.NumLeafNodes() == 1 && hub.NumLeafNodes() == 1 })
	return leaf
}

// On the side of a leaf node, whose own JetStream, where it has one, is another, a worker
// stores in the hub's domain, and all that read and ask do so there, too.
func TestLongThroughALeafNode(t *testing.T) {
	long(t)
	for name, options := range map[string]server.Options{
		"without JetStream": {},
		"with its own":      {JetStream: true, JetStreamDomain: "edge"},
	} {
		t.Run(name, func(t *testing.T) {
			hub := serve(t, server.Options{ServerName: "hub", JetStream: true, JetStreamDomain: "hub", LeafNode: server.LeafNodeOpts{Host: "127.0.0.1", Port: server.RANDOM_PORT}})
			options.ServerName = "leaf"
			leaf := leafOf(t, hub, options)
			w := &world{t: t, secret: "secret"}
			w.sim = startSimulator(t, w.secret, "--chat", "--rate", "0", "--meetings", "2")
			config := configure(t, "leaf", w.secret, w.sim.url, leaf.ClientURL(), w.sim.ids)
			inDomain(t, config)
			work := launch(t, "worker", binary(t), nil, "run", "--config", config)
			eventually(t, "the worker works", func() bool { return work.err.has("shard claimed") || !work.alive() })

			w.broker = &broker{t: t, addr: strings.TrimPrefix(leaf.ClientURL(), "nats://")}
			routes := w.forwarders()
			inDomain(t, routes)
			forward := launch(t, "forwarder", binary(t), nil, "forward", "--config", routes, "--since", "1m")
			tail := launch(t, "tail", binary(t), nil, "tail", "--config", config, "--since", "1h")
			person := map[string]any{"userId": "guest", "nick": "Guest"}
			eventually(t, "tail shows the meeting", func() bool { return tail.out.has("started") })
			w.sim.act("join", w.sim.ids[0], person)
			eventually(t, "tail shows who joins", func() bool { return tail.out.has("Guest") })
			w.sim.act("kick", w.sim.ids[0], person)
			eventually(t, "the group is told of the kick", func() bool {
				for _, m := range groups(t, w.sim.url) {
					if m.Service == "dingtalk" && strings.Contains(m.Title+m.Text, "Guest") {
						return true
					}
				}
				return false
			})
			for _, args := range [][]string{{"list"}, {"show", w.sim.ids[0]}, {"untrack", w.sim.ids[1]}, {"workers"}, {"status"}, {"check", "--no-call"}} {
				p := launch(t, args[0], binary(t), nil, append(args, "--config", config)...)
				if code := p.exit(); code != 0 {
					t.Errorf("rollcall %s exits with %d:\n%s%s", args[0], code, p.out, p.err)
				}
			}
			for _, p := range []*process{tail, forward, work} {
				p.stop()
			}
			storedAtTheHub(t, hub, leaf, options.JetStream)
		})
	}
}

// inDomain lets a configuration use the JetStream of the hub.
func inDomain(t *testing.T, config string) {
	t.Helper()
	text := strings.Replace(contents(t, config), "nats: {url:", "nats: {domain: hub, url:", 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func storedAtTheHub(t *testing.T, hub, leaf *server.Server, own bool) {
	t.Helper()
	for s, want := range map[*server.Server]int{hub: 4, leaf: 0} {
		if s == leaf && !own {
			continue
		}
		conn, err := nats.Connect(s.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range js.StreamNames(t.Context()).Name() {
			names = append(names, name)
		}
		if len(names) != want {
			t.Errorf("%s has the streams %v", s.Name(), names)
		}
	}
}
