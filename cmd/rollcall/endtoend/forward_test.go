//go:build unix

package endtoend_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// shownMessage is a message as a chat group sees it.
type shownMessage struct {
	ID, Service, Title, Text string
}

// groups asks the simulator what its chat groups were shown.
func groups(t testing.TB, url string) (all []shownMessage) {
	t.Helper()
	response, err := http.Get(url + "/chat/messages")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m shownMessage
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// forwarders writes a configuration that tells a DingTalk group and a Slack channel
// of the simulator, as it prints them.
func (w *world) forwarders() string {
	w.t.Helper()
	dir := w.t.TempDir()
	file := func(service, what string) string {
		pattern := fmt.Sprintf(`printf %%s '([^']+)' >chat/%s%s\n`, service, what)
		found := regexp.MustCompile(pattern).FindStringSubmatch(w.sim.process.out.String())
		if found == nil {
			w.t.Fatalf("the simulator prints no file chat/%s%s:\n%s", service, what, w.sim.process.out)
		}
		return write(w.t, dir, service+what, found[1])
	}
	return write(w.t, dir, "forward.yaml", fmt.Sprintf(`
nats: {url: %q}
forward:
  targets:
    - {name: team, kind: dingtalk, url_file: %q, secret_file: %q}
    - {name: ops, kind: slack, url_file: %q}
  routes: [{name: all, match: {types: ["*"]}, targets: [team, ops], group_wait: 1s, group_interval: 3s}]
`, w.broker.url(), file("dingtalk", ""), file("dingtalk", "-secret"), file("slack", "")))
}

// Simulator, worker, NATS, two forwarders of which one is killed, and chat robots that
// refuse what the real ones refuse: every kick is told once.
func TestLongForwardersTellOnceThoughOneIsKilled(t *testing.T) {
	long(t)
	w := newWorld(t, "--chat", "--rate", "0", "--meetings", "2")
	w.site("a", w.broker.url()).start()
	config := w.forwarders()
	first := launch(t, "forwarder 1", binary(t), nil, "forward", "--config", config)
	eventually(t, "the first forwarder works", func() bool { return first.err.has("forwarder started") })
	kick := func(n int) {
		id := w.sim.ids[n%2]
		person := map[string]any{"userId": fmt.Sprint("user", n), "nick": fmt.Sprintf("Guest %d.", n)}
		w.sim.act("join", id, person)
		w.sim.act("kick", id, person)
	}
	told := func(service string, n int) (ids map[string]bool) {
		ids = map[string]bool{}
		for _, m := range groups(t, w.sim.url) {
			if m.Service == service && strings.Contains(m.Title+m.Text, fmt.Sprintf("Guest %d.", n)) {
				ids[m.ID+m.Text] = true
			}
		}
		return ids
	}
	begun := func() bool { // what was found is told: the routes have begun
		for _, service := range []string{"dingtalk", "slack"} {
			if len(told(service, 0)) == 0 {
				return false
			}
		}
		return true
	}
	kick(0)
	eventually(t, "the first kick is told", begun)
	second := launch(t, "forwarder 2", binary(t), nil, "forward", "--config", config)
	eventually(t, "the second forwarder stands by", func() bool { return second.err.has("forwarder started") })
	for n := 1; n <= 3; n++ {
		kick(n)
	}
	first.kill()
	for n := 4; n <= 6; n++ {
		kick(n)
	}
	for n := range 7 {
		for _, service := range []string{"dingtalk", "slack"} {
			eventually(t, fmt.Sprintf("kick %d is told to %s", n, service), func() bool { return len(told(service, n)) > 0 })
			if got := told(service, n); len(got) > 1 {
				t.Errorf("kick %d is in %d messages to %s", n, len(got), service)
			}
		}
	}
	status := launch(t, "status", binary(t), nil, "forward", "status", "--config", config)
	if code := status.exit(); code != 0 || !status.out.has("team") || !status.out.has("ops") {
		t.Errorf("status exits with %d: %s%s", code, status.out, status.err)
	}
	for _, p := range []*process{second, status} {
		if p.err.has("access_token") || p.err.has("/services/") || p.out.has("access_token") {
			t.Errorf("%s shows an address:\n%s%s", p.name, p.out, p.err)
		}
	}
	second.stop()
}
