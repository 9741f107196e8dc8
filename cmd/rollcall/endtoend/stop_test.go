//go:build unix

package endtoend_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"rollcall/internal/natsproxy"
)

// alone writes a configuration with the embedded server, of a worker whose
// DingTalk is not there.
func alone(t *testing.T) string {
	t.Helper()
	return configure(t, "alone", "secret", "http://127.0.0.1:9", "", []string{"c1"})
}

func run(t *testing.T, config string) *process {
	t.Helper()
	return launch(t, "the worker", binary(t), nil, "run", "--config", config)
}

func TestSignalsStopInOrder(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := run(t, alone(t))
			eventually(t, "it works", func() bool { return p.err.has("worker started") || !p.alive() })
			p.signal(signal)
			if code := p.exit(); code != 0 {
				t.Errorf("exit code %d after %s, want 0:\n%s", code, signal, p.err)
			}
		})
	}
}

// TestLongStopStoresWhatIsHeld stops a worker while its commit is on the way,
// and sees what it holds stored before it ends.
func TestLongStopStoresWhatIsHeld(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "3", "--people", "12", "--rate", "20")
	held, release := make(chan struct{}, 10), make(chan struct{})
	p := w.site("a", w.proxy.URL()).start()
	w.listen()
	w.polled(2)
	w.proxy.SetHook(func(ctx context.Context, m natsproxy.Moment) natsproxy.Verdict {
		if m.Kind == natsproxy.Committing && m.Messages > 1 {
			held <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return natsproxy.Pass
	})
	await(t, held, "a batch is held")
	w.witness.rest() // what is answered after the signal need not be stored
	p.signal(syscall.SIGTERM)
	eventually(t, "it stops", func() bool { return p.err.has("stopping") })
	if !p.alive() {
		t.Error("it left with a batch on the way")
	}
	close(release)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	w.verdict().report(t)
}

// TestLongJournal ends a worker while NATS is away; the next one with the same
// configuration stores what it held, each poll for itself.
func TestLongJournal(t *testing.T) {
	long(t)
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, w *world, p *worker){
		"stopped": func(t *testing.T, w *world, p *worker) {
			w.witness.rest()
			p.signal(syscall.SIGTERM)
			if code := p.exit(); code != 0 {
				t.Errorf("exit code %d, want 0: what it holds is in the journal", code)
			}
			w.witness.resume()
		},
		// It dies asking: what was answered before is known to it.
		"killed": func(t *testing.T, w *world, p *worker) {
			k := &killer{killed: make(chan spot, 1)}
			k.next(p.process, asking, 0)
			w.witness.hooks(func(string) bool { return k.comes(asking) }, nil)
			p.exit()
			w.witness.hooks(nil, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "--meetings", "3", "--people", "12", "--rate", "20")
			site := w.site("a", w.proxy.URL())
			p := site.start()
			w.listen()
			w.polled(2)
			from := len(w.witness.seen())
			w.proxy.Refuse()
			eventually(t, "it knows that NATS is away", func() bool { return p.err.has("storing what was observed fails") })
			w.polled(3)
			end(t, w, p)
			site.start()
			w.proxy.Restore()
			w.polled(3)
			to := len(w.witness.seen())
			v := w.verdict()
			v.whole(w.witness.seen(), from, to)
			v.report(t)
		})
	}
}

// TestLongSecondSignalLeaves stops a worker that cannot store what it holds;
// the second signal does not wait for it.
func TestLongSecondSignalLeaves(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "3", "--people", "12", "--rate", "20")
	p := w.site("a", w.proxy.URL()).start()
	w.listen()
	w.polled(2)
	w.proxy.Refuse()
	w.polled(2)
	p.signal(syscall.SIGTERM)
	eventually(t, "it stops", func() bool { return p.err.has("stopping") })
	p.signal(syscall.SIGINT)
	if code := p.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if p.err.has("could not be stored") || p.err.has("wait in the journal") {
		t.Error("it waited until it had given up on what it holds")
	}
}

func TestPlacesThatAreTaken(t *testing.T) {
	config := alone(t)
	first := run(t, config)
	eventually(t, "the first works", func() bool { return first.err.has("worker started") || !first.alive() })

	second := run(t, config) // the same data_dir; its ports are free ones
	refused(t, second, 1, "data")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for key, old := range map[string]string{"http.listen": `http: {listen: "127.0.0.1:0"}`, "nats.embedded.listen": `embedded: {listen: "127.0.0.1:0"}`} {
		third := run(t, edited(t, alone(t), old, strings.Replace(old, "127.0.0.1:0", listener.Addr().String(), 1)))
		refused(t, third, 1, key)
		refused(t, third, 1, listener.Addr().String())
	}
	if !first.alive() {
		t.Error("the first one is gone")
	}
}

// refused waits for the end and expects its exit code and a reason that holds the words.
func refused(t *testing.T, p *process, code int, words string) {
	t.Helper()
	if got := p.exit(); got != code {
		t.Errorf("exit code %d, want %d:\n%s", got, code, p.err)
	}
	lines := strings.Split(strings.TrimSpace(p.err.String()), "\n")
	if complaint := lines[len(lines)-1]; !strings.HasPrefix(complaint, "rollcall: ") || !strings.Contains(complaint, words) {
		t.Errorf("its last words are %q, they should be a complaint that holds %q", complaint, words)
	}
}

func edited(t testing.TB, config, old, fresh string) string {
	t.Helper()
	text := contents(t, config)
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in the configuration:\n%s", old, text)
	}
	return write(t, t.TempDir(), "edited.yaml", strings.Replace(text, old, fresh, 1))
}

// TestServerThatIsTooOld is greeted by a nats-server of an old version.
func TestServerThatIsTooOld(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go beOld(conn)
		}
	}()
	p := run(t, configure(t, "old", "secret", "http://127.0.0.1:9", "nats://"+listener.Addr().String(), []string{"c1"}))
	refused(t, p, 1, "2.10.29 is too old")
	refused(t, p, 1, "2.14.4")
}

// beOld says hello as nats-server 2.10 does, and answers pings.
func beOld(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, `INFO {"server_id":"OLD","server_name":"old","version":"2.10.29","proto":1,"headers":true,"max_payload":1048576,"jetstream":true}`+"\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if strings.HasPrefix(strings.ToUpper(lines.Text()), "PING") {
			fmt.Fprint(conn, "PONG\r\n")
		}
	}
}

func TestMistakesAreMisuse(t *testing.T) {
	secret := "in-the-wrong-place"
	p := run(t, edited(t, alone(t), "client_secret_file:", "client_secret: "+secret+", client_secret_file:"))
	if code := p.exit(); code != 2 || !p.err.has("client_secret") || p.err.has(secret) {
		t.Errorf("exit code %d, want 2 and a complaint about client_secret without its value:\n%s", code, p.err)
	}
}
