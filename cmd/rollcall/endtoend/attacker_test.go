//go:build unix

package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// attackerVariable makes the test binary somebody who means harm; it holds the
// orders as JSON.
const attackerVariable = "ROLLCALL_ENDTOEND_ATTACKER"

// orders say who an attacker is, and where its victims are.
type orders struct {
	Who, NATS, HTTP, Simulator string
}

// attacker attacks until whoever started it closes its standard input; then it
// reports.
type attacker struct {
	orders

	mu    sync.Mutex
	Tried map[string]int // by kind
	Won   []string       // what it should not have got
}

func (s *siege) attacker(who string) *process {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(orders{Who: who, NATS: s.url, HTTP: s.worker.address(), Simulator: s.w.sim.url})
	if err != nil {
		s.t.Fatal(err)
	}
	return launch(s.t, "the "+who, self, []string{attackerVariable + "=" + string(text)})
}

// callOff ends an attacker, and says what it has tried and got.
func (s *siege) callOff(p *process) {
	s.t.Helper()
	_ = p.in.Close() // it may be gone, which is told next
	if code := p.exit(); code != 0 {
		s.t.Fatalf("%s: exit code %d: %s", p.name, code, p.err)
	}
	report, err := decode[attacker]([]byte(p.out.String()))
	if err != nil {
		s.t.Fatalf("%s reports %q: %v", p.name, p.out, err)
	}
	for _, kind := range slices.Sorted(maps.Keys(report.Tried)) {
		s.t.Logf("%s: %6d × %s", p.name, report.Tried[kind], kind)
	}
	for _, won := range report.Won[:min(len(report.Won), 10)] {
		s.t.Errorf("%s: %s", p.name, won)
	}
}

func beAttacker(text string) int {
	who, err := decode[orders]([]byte(text))
	attacks := map[string][]func(*attacker, context.Context){
		"reader":   readerAttacks(),
		"operator": operatorAttacks(),
		"stranger": strangerAttacks(),
		"client":   clientAttacks(),
	}[who.Who]
	if err != nil || attacks == nil {
		fmt.Fprintf(os.Stderr, "%s: no such attacker: %v\n", text, err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	a := &attacker{orders: who, Tried: map[string]int{}}
	var running sync.WaitGroup
	for _, attack := range attacks {
		running.Go(func() {
			for ctx.Err() == nil {
				attack(a, ctx)
			}
		})
	}
	running.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// tries counts an attempt of a kind.
func (a *attacker) tries(kind string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Tried[kind]++
}

// wins tells of something that should not be possible.
func (a *attacker) wins(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if won := fmt.Sprintf(format, args...); len(a.Won) < 100 && !slices.Contains(a.Won, won) {
		a.Won = append(a.Won, won)
	}
}

// connect gives a connection, or nil where none is to be had; every refusal is
// expected.
func (a *attacker) connect(ctx context.Context) *nats.Conn {
	conn, err := nats.Connect(a.NATS, nats.NoReconnect(), nats.Timeout(2*time.Second), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		pause(ctx, 200*time.Millisecond)
		return nil
	}
	return conn
}

// pause waits, or returns when the attack is called off.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
