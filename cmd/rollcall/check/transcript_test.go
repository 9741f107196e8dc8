package check

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"

	"rollcall/simulator"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// oldServer says and does what a client needs of a nats-server of a version
// until it has read that version.
func oldServer(t *testing.T, name, version string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serveOld(conn, name, version)
		}
	}()
	return "nats://" + listener.Addr().String()
}

func serveOld(conn net.Conn, name, version string) {
	defer conn.Close()
	info, err := json.Marshal(map[string]any{
		"server_id": "OLD", "server_name": name, "version": version, "proto": 1, "headers": true, "max_payload": 1 << 20, "jetstream": true,
	})
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(conn, "INFO %s\r\n", info)
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "PING") {
			fmt.Fprint(conn, "PONG\r\n")
		}
	}
}

// TestTranscripts holds all that is printed for the four classic mistakes.
func TestTranscripts(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *world, *Check){
		"wrong-secret": func(t *testing.T, w *world, _ *Check) { w.file(t, "acme", "another secret") },
		"wrong-host": func(_ *testing.T, w *world, c *Check) {
			w.tenant().Endpoint = "https://api.dingtalk.example"
			c.Resolve = func(_ context.Context, host string) ([]string, error) {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
		},
		"old-nats": func(t *testing.T, w *world, c *Check) {
			c.Config.NATS.URL = oldServer(t, "nats-1", "2.10.22")
			c.Broker.URL = c.Config.NATS.URL
		},
		"missing-permission": func(t *testing.T, w *world, _ *Check) {
			if err := w.sim.Arm(simulator.Fault{Name: "Forbidden.AccessDenied.AccessTokenPermissionDenied", Operation: simulator.OpQuery}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).on(startNATS(t, nil).URL()).as(t, "w")
			c := w.check()
			spoil(t, w, &c)
			text := run(t, c).text
			text = strings.NewReplacer("nats-server "+server.VERSION, "nats-server 2.15.x", "nats-server: "+server.VERSION, "nats-server: 2.15.x", w.dir, "/etc/rollcall", w.url, "http://127.0.0.1:9099", strings.TrimPrefix(w.url, "http://"), "127.0.0.1:9099",
				c.Config.NATS.URL, "nats://127.0.0.1:4222", w.sim.ConferenceIDs()[0], "CONFERENCE").Replace(text)
			compare(t, filepath.Join("testdata", name+".txt"), text)
		})
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", file, diff)
	}
}
