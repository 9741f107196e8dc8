//go:build unix

package endtoend_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// untilAnswered is how long a command may take beside an ill cluster. A check
// bounds each of its steps by a flag.
func untilAnswered(command string) time.Duration {
	switch verb, _, _ := strings.Cut(command, " "); verb {
	case "check":
		return 75 * time.Second
	case "track", "untrack": // a request that the leader keeps is made again
		return 40 * time.Second
	}
	return 15 * time.Second
}

// TestCommandsBesideAnIllClusterLong asks everything of a cluster of which one
// server is down, the leader stands still, and two are away: each command ends,
// and either tells what is so or names what is wrong.
func TestCommandsBesideAnIllClusterLong(t *testing.T) {
	long(t)
	w, all, urls := clusterWorld(t, "--meetings", "3", "--people", "4", "--rate", "20")
	s := w.site("a", urls)
	s.config = edited(t, s.config, "tenants:", "stream: {replicas: 3}\ntenants:")
	s.start()
	w.listen()
	w.rounds(3)
	for _, ill := range []struct {
		name     string
		down, up func()
		works    bool
	}{
		{"one server is down", all[0].kill, all[0].start, true},
		{"the leader stands still", nil, nil, true},
		{"two servers are away", func() { all[0].kill(); all[1].kill() }, func() { all[0].start(); all[1].start() }, false},
	} {
		if ill.down == nil {
			leader := w.leader(all)
			ill.up = func() { leader.process.signal(syscall.SIGCONT) }
			ill.down = func() {
				leader.process.signal(syscall.SIGSTOP)
				w.without(leader)
			}
		}
		t.Run(ill.name, func(t *testing.T) {
			ill.down()
			<-time.After(12 * time.Second) // the worker finds those that are well
			for _, command := range []string{
				"list --tenant acme", "show --tenant acme " + w.sim.ids[0], "track --tenant acme " + w.sim.ids[0], "untrack --tenant acme nobody-knows", "workers", "budget", "tail --tenant acme --since 1h", "check --no-call --timeout 5s",
			} {
				args := append(strings.Fields(command), "--config", s.config)
				began := time.Now()
				p := launch(t, "command", binary(t), nil, args...)
				done := make(chan int, 1)
				go func() { done <- p.exit() }()
				select {
				case code := <-done:
					said := p.out.String() + p.err.String()
					t.Logf("%s: %d after %s:\n%s", command, code, time.Since(began).Round(time.Millisecond), said)
					if ill.works && code != 0 && !strings.HasPrefix(command, "check") && !strings.HasPrefix(command, "untrack") {
						t.Errorf("%s fails though two servers are well: %s", command, said)
					}
					if code != 0 && strings.TrimSpace(said) == "" {
						t.Errorf("%s fails and says nothing", command)
					}
					if code != 0 && !ill.works && (!strings.Contains(said, "NATS") || strings.Contains(said, "DingTalk told nothing")) {
						t.Errorf("%s does not say that NATS is what does not answer: %s", command, said)
					}
				case <-time.After(untilAnswered(command)):
					p.kill()
					said := p.out.String() + p.err.String()
					t.Logf("%s: still runs after %s:\n%.500s", command, untilAnswered(command), said)
					if !strings.HasPrefix(command, "tail") || strings.TrimSpace(said) == "" {
						t.Errorf("%s does not end", command)
					}
				}
			}
			ill.up()
			w.whole() // one thing is wrong at a time
			w.rounds(1)
		})
	}
}
