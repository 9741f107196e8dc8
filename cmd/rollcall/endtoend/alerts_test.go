//go:build unix

package endtoend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestLongEveryAlertFires has a Prometheus scrape workers with the rules that are
// shipped, causes the reason of each alert, and ends it: the alert fires, and stops.
// A minute of the rules is a second here; shortened says what else is changed. It
// wants the program prometheus, whose path is in ROLLCALL_PROMETHEUS: .ci/alerts.
func TestLongEveryAlertFires(t *testing.T) {
	program := os.Getenv("ROLLCALL_PROMETHEUS")
	if program == "" {
		t.Skip("long: run by .ci/alerts, which brings Prometheus")
	}
	rules := shortened(contents(t, "../../../deploy/observability/rules.yaml"))
	p := startPrometheus(t, program, rules)
	left := regexp.MustCompile(`(?m)- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	fired := map[string]bool{}
	all := true // reasons are caused, and not only some of them
	(&alarm{t: t, prometheus: p}).fires(func() { (&alarm{t: t, prometheus: p, namespace: "down"}).begin("", nil) }, "RollcallDown")
	t.Run("reasons", func(t *testing.T) {
		ran := 0
		for name, reason := range reasons() {
			t.Run(name, func(t *testing.T) {
				ran++
				t.Parallel()
				reason(&alarm{t: t, prometheus: p, namespace: name})
			})
		}
		all = ran == len(reasons())
	})
	for _, line := range p.lines {
		t.Log(line)
		fired[strings.Fields(line)[0]] = true
	}
	for _, alert := range left {
		if all && !fired[alert[1]] {
			t.Errorf("%s never fired", alert[1])
		}
	}
}

// shortened lets a minute be a second, except where commits are counted, which are tried
// ever more slowly; lowers what would take hours to reach: the age of what subscribers
// know, and the messages that a consumer is behind; and takes the end of the month, too.
func shortened(rules string) string {
	duration := func(text string) string {
		return regexp.MustCompile(`\d+[mhd]`).ReplaceAllStringFunc(text, func(d string) string {
			n, _ := strconv.Atoi(d[:len(d)-1])
			return fmt.Sprint(n*map[byte]int{'m': 1, 'h': 60, 'd': 24 * 60}[d[len(d)-1]], "s")
		})
	}
	rules = regexp.MustCompile(`(commits_total\{.*\})\[5m\]`).ReplaceAllString(rules, "$1[60s]")
	rules = regexp.MustCompile(`for: \w+|\[\w+\]`).ReplaceAllStringFunc(rules, duration)
	return strings.NewReplacer(
		"24 * 3600", "24 * 60", `le=~"60(\\.0)?"`, `le=~"5(\\.0)?"`, ") > 10000\n", ") > 100\n", "day_of_month() > 3", "day_of_month() > -1",
	).Replace(rules)
}

// prometheus scrapes whoever is added, every second.
type prometheus struct {
	url string
	dir string

	mu    sync.Mutex
	lines []string // what has fired
}

func startPrometheus(t *testing.T, program, rules string) *prometheus {
	t.Helper()
	p := &prometheus{dir: t.TempDir(), url: "http://" + freeAddress(t)}
	write(t, p.dir, "rules.yaml", rules)
	config := write(t, p.dir, "prometheus.yaml", `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: rollcall
    file_sd_configs: [{files: ["*.json"], refresh_interval: 1s}]
`)
	launch(t, "Prometheus", program, nil, "--config.file", config, "--storage.tsdb.path", filepath.Join(p.dir, "data"),
		"--web.listen-address", strings.TrimPrefix(p.url, "http://"), "--log.level", "warn")
	eventually(t, "Prometheus is ready", func() bool {
		answer, err := http.Get(p.url + "/-/ready")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
	return p
}

// freeAddress is one that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	return free.Addr().String()
}

// firing are the namespaces in which an alert fires.
func (p *prometheus) firing(alert string) (in []string) {
	answer, err := http.Get(p.url + "/api/v1/alerts")
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var body struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil
	}
	for _, a := range body.Data.Alerts {
		if a.State == "firing" && a.Labels["alertname"] == alert {
			in = append(in, a.Labels["namespace"])
		}
	}
	return in
}

// alarm is the reason of an alert, in a namespace of its own.
type alarm struct {
	t *testing.T
	*prometheus
	namespace string
	scraped   int
}

// scrape adds a target of this namespace.
func (a *alarm) scrape(address string) {
	a.t.Helper()
	a.scraped++
	file := filepath.Join(a.dir, fmt.Sprint(a.namespace, a.scraped, ".json"))
	a.t.Cleanup(func() { _ = os.Remove(file) })
	text := fmt.Sprintf(`[{"targets": [%q], "labels": {"namespace": %q}}]`, address, a.namespace)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		a.t.Fatal(err)
	}
}

// fires waits until alerts fire, and after end until they do so no more.
func (a *alarm) fires(end func(), alerts ...string) {
	a.t.Helper()
	began := time.Now()
	var lines []string
	for _, alert := range alerts {
		a.within(10*time.Minute, alert+" fires", func() bool { return slices.Contains(a.firing(alert), a.namespace) })
		lines = append(lines, fmt.Sprintf("%s (%s): after %s", alert, a.namespace, time.Since(began).Round(time.Second)))
		a.t.Log(lines[len(lines)-1])
	}
	end()
	began = time.Now()
	for i, alert := range alerts {
		a.within(10*time.Minute, alert+" fires no more", func() bool { return !slices.Contains(a.firing(alert), a.namespace) })
		lines[i] += fmt.Sprintf(", over after %s", time.Since(began).Round(time.Second))
		a.t.Log(lines[i])
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, lines...)
}

func (a *alarm) within(most time.Duration, what string, holds func() bool) {
	a.t.Helper()
	late, tick := time.After(most), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			a.t.Fatalf("waited %s in vain: %s", most, what)
		}
	}
}

// calm demands that alerts do not fire by themselves.
func (a *alarm) calm(alerts ...string) {
	a.t.Helper()
	for _, alert := range alerts {
		if slices.Contains(a.firing(alert), a.namespace) {
			a.t.Errorf("%s fires before its reason is there", alert)
		}
	}
}

// place is a worker with a forwarder, and a simulator of its own.
type place struct {
	*process
	a               *alarm
	sim             *simulated
	config, address string
}

// begin starts a simulator and a worker that is scraped; nats "": it brings its own.
// Each change is of the configuration, old and new.
func (a *alarm) begin(nats string, flags []string, changes ...string) *place {
	a.t.Helper()
	return a.beginAt(nats, flags, func(url string) string { return url }, changes...)
}

func (a *alarm) beginAt(nats string, flags []string, door func(string) string, changes ...string) *place {
	a.t.Helper()
	sim := startSimulator(a.t, "secret", append([]string{"--chat", "--meetings", "2"}, flags...)...)
	return a.worker(binary(a.t), sim, door(sim.url), nats, changes...)
}

// worker starts a worker that asks at door.
func (a *alarm) worker(program string, sim *simulated, door, nats string, changes ...string) *place {
	a.t.Helper()
	p := &place{a: a, sim: sim, address: freeAddress(a.t)}
	p.config = configure(a.t, a.namespace, "secret", door, nats, sim.ids)
	var slack []string
	eventually(a.t, "the simulator prints the address of Slack", func() bool {
		slack = regexp.MustCompile(`printf %s '([^']+)' >chat/slack\n`).FindStringSubmatch(sim.process.out.String())
		return slack != nil
	})
	p.change("http: {listen: \"127.0.0.1:0\"}", fmt.Sprintf(`
http: {listen: %q}
forward:
  targets: [{name: ops, kind: slack, url_file: %q}]
  routes: [{name: all, match: {types: ["*"]}, targets: [ops], group_wait: 0s, group_interval: 1s}]`,
		p.address, write(a.t, filepath.Dir(p.config), "slack", slack[1])))
	p.change(changes...)
	p.process = launch(a.t, "worker "+a.namespace, program, nil, "run", "--with-forwarder", "--config", p.config)
	a.scrape(p.address)
	return p
}

// change changes the configuration.
func (p *place) change(pairs ...string) {
	p.a.t.Helper()
	text := contents(p.a.t, p.config)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			p.a.t.Fatalf("the configuration has no %q:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	write(p.a.t, filepath.Dir(p.config), filepath.Base(p.config), text)
}

// reload changes the configuration of the running worker.
func (p *place) reload(pairs ...string) {
	p.a.t.Helper()
	p.change(pairs...)
	p.signal(syscall.SIGHUP)
}

// polls waits until the worker has stored what it was answered.
func (p *place) polls() {
	p.a.t.Helper()
	p.a.knows(`rollcall_commits_total{outcome="stored",namespace="` + p.a.namespace + `"}`)
}

// tells waits until the forwarder has told something.
func (p *place) tells() {
	p.a.t.Helper()
	p.a.knows(`rollcall_forward_messages_total{namespace="` + p.a.namespace + `"}`)
}

// knows waits until Prometheus has a series.
func (a *alarm) knows(series string) {
	a.t.Helper()
	a.within(2*time.Minute, "Prometheus knows "+series, func() bool { return len(a.query(series)) > 0 })
}

// query returns the values of an expression.
func (p *prometheus) query(expr string) (values []string) {
	answer, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var body struct {
		Data struct{ Result []struct{ Value []any } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil
	}
	for _, r := range body.Data.Result {
		values = append(values, fmt.Sprint(r.Value[1]))
	}
	return values
}

// post sends JSON to the simulator.
func (p *place) post(path, body string) {
	p.a.t.Helper()
	answer, err := http.Post(p.sim.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.a.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		p.a.t.Fatalf("%s %s: %s", path, body, answer.Status)
	}
}

// heal takes away the faults of the simulator, of its API or of its chat services.
func (p *place) heal(path string) func() {
	return func() {
		request, _ := http.NewRequest(http.MethodDelete, p.sim.url+path, http.NoBody)
		if answer, err := http.DefaultClient.Do(request); err != nil {
			p.a.t.Error(err)
		} else {
			_ = answer.Body.Close()
		}
	}
}

// healed also lets the worker call again, as an operator does.
func (p *place) healed() {
	p.heal("/_sim/fault")()
	p.signal(syscall.SIGHUP)
}

// alter changes the stream, as an administrator does.
func (b *broker) alter(change func(*jetstream.StreamConfig)) {
	b.t.Helper()
	conn, js := b.connect()
	defer conn.Close()
	stream, err := js.Stream(b.t.Context(), "MEETINGS")
	if err != nil {
		b.t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	change(&cfg)
	if _, err := js.UpdateStream(b.t.Context(), cfg); err != nil {
		b.t.Fatal(err)
	}
}

// reasons are those of the alerts, by namespace.
func reasons() map[string]func(*alarm) {
	busy := []string{"--rate", "20"}
	return map[string]func(*alarm){
		"blind": func(a *alarm) {
			p := a.begin("", busy)
			p.polls()
			a.knows(`rollcall_freshness_seconds_count{namespace="blind"}`)
			a.calm("RollcallBlind", "RollcallFreshnessBurnsFast", "RollcallFreshnessBurns", "RollcallFreshnessBurnsSlowly")
			p.post("/_sim/fault", `{"fault": "systemError"}`)
			a.fires(p.healed, "RollcallBlind", "RollcallFreshnessBurnsFast", "RollcallFreshnessBurns", "RollcallFreshnessBurnsSlowly")
		},
		"tokens": func(a *alarm) {
			p := a.begin("", nil)
			p.polls()
			a.calm("RollcallTokensFailing")
			p.post("/_sim/fault", `{"fault": "invalidClientIdOrSecret"}`)
			p.post("/_sim/revoke", ``)
			a.fires(p.healed, "RollcallTokensFailing")
		},
		"quota": func(a *alarm) {
			p := a.begin("", nil)
			p.polls()
			a.calm("RollcallQuotaUsedUp")
			p.post("/_sim/fault", `{"fault": "Forbidden.AccessDenied.ApiCountLimitForOrg"}`)
			a.fires(p.healed, "RollcallQuotaUsedUp")
		},
		"budget": func(a *alarm) {
			p := a.begin("", nil, "monthly_calls: unlimited", "monthly_calls: 1")
			a.fires(func() { p.reload("monthly_calls: 1", "monthly_calls: 40000000") }, "RollcallBudgetNearEnd")
		},
		"pushdown": func(a *alarm) {
			p := a.begin("", busy, "    track:", "    push: {enabled: true}\n    track:")
			a.knows(`rollcall_push_connected{namespace="pushdown"} == 1`)
			a.calm("RollcallPushDown")
			p.post("/_sim/fault", `{"fault": "systemError", "operation": "gateway"}`)
			p.post("/_sim/fault", `{"fault": "reset", "operation": "push", "times": 1}`)
			a.fires(p.heal("/_sim/fault"), "RollcallPushDown")
		},
		"pushes": func(a *alarm) {
			p := a.begin("", busy, "    track:", "    push: {enabled: true, monthly_pushes: 20}\n    track:")
			a.fires(func() { p.reload("monthly_pushes: 20", "monthly_pushes: 4000000") }, "RollcallPushesNearEnd")
		},
		"natsaway": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), busy)
			p.tells()
			a.calm("RollcallNATSAway", "RollcallJournalGrowing", "RollcallForwarderIdle")
			b.stop()
			a.fires(b.start, "RollcallNATSAway", "RollcallJournalGrowing", "RollcallForwarderIdle")
		},
		"journalfull": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), []string{"--rate", "200", "--people", "200"}, "log:", "journal: {max_bytes: 1048576}\nlog:")
			p.polls()
			a.calm("RollcallPollingPaused")
			b.stop()
			a.fires(b.start, "RollcallPollingPaused")
		},
		"changed": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), busy)
			p.polls()
			a.calm("RollcallCommitsFailing")
			b.alter(func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false })
			a.fires(func() { b.alter(func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = true }) }, "RollcallCommitsFailing")
		},
		"missing": func(a *alarm) { // and cannot be made again: another has its subjects
			b := startBroker(a.t)
			p := a.begin(b.url(), busy)
			p.polls()
			a.calm("RollcallStreamMissing")
			conn, js := b.connect()
			defer conn.Close()
			_, made := js.CreateStream(a.t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"somebody.elses"}})
			gone := js.DeleteStream(a.t.Context(), "MEETINGS")
			_, took := js.UpdateStream(a.t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"rollcall.MEETINGS.commit.>"}})
			if err := errors.Join(made, gone, took); err != nil {
				a.t.Fatal(err)
			}
			a.fires(func() {
				if err := js.DeleteStream(a.t.Context(), "OTHER"); err != nil {
					a.t.Error(err)
				}
			}, "RollcallStreamMissing")
		},
		"full": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), nil, "log:", "stream: {max_bytes: 33554432}\nlog:")
			p.polls()
			a.fires(func() { b.alter(func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 30 }) }, "RollcallStreamFull")
		},
		"refused": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), busy)
			p.polls()
			a.calm("RollcallMeetingsSetAside")
			b.alter(func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 })
			a.fires(func() { b.alter(func(c *jetstream.StreamConfig) { c.MaxMsgSize = -1 }) }, "RollcallMeetingsSetAside")
		},
		"damaged": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), busy)
			p.polls()
			a.calm("RollcallLedgerDamaged")
			conn, js := b.connect()
			defer conn.Close()
			a.fires(func() {}, damage(a, js, p.sim.ids[0])...)
		},
		"consumers": func(a *alarm) {
			b := startBroker(a.t)
			p := a.begin(b.url(), busy)
			p.polls()
			conn, js := b.connect()
			defer conn.Close()
			consumer, err := js.CreateConsumer(a.t.Context(), "MEETINGS", jetstream.ConsumerConfig{Durable: "billing", FilterSubject: "meetings.event.>"})
			if err != nil {
				a.t.Fatal(err)
			}
			a.scrape(exporter(a.t, consumer))
			a.fires(func() {
				a.within(time.Minute, "the consumer reads", func() bool {
					batch, err := consumer.FetchNoWait(10_000)
					n := 0
					for m := range batch.Messages() {
						_ = m.Ack()
						n++
					}
					return err == nil && n < 50
				})
			}, "RollcallConsumersBehind")
		},
		"versions": func(a *alarm) {
			p := a.begin("", nil)
			p.polls()
			a.calm("RollcallVersionSkew")
			other := filepath.Join(a.t.TempDir(), "rollcall")
			if out, err := exec.Command("go", "build", "-ldflags", "-X main.version=v0.0.1", "-o", other, "..").CombinedOutput(); err != nil {
				a.t.Fatalf("%v\n%s", err, out)
			}
			a.fires(a.worker(other, p.sim, p.sim.url, "").stop, "RollcallVersionSkew")
		},
		"clock": func(a *alarm) {
			var skew skewed
			p := a.beginAt("", nil, func(url string) string { return skew.before(a.t, url) })
			p.polls()
			a.calm("RollcallClockSkew")
			skew.set(95 * time.Second)
			a.fires(func() { skew.set(0) }, "RollcallClockSkew")
		},
		"config": func(a *alarm) {
			p := a.begin("", nil)
			p.polls()
			a.calm("RollcallConfigRefused")
			p.reload("qps: 100", "qps: none")
			a.fires(func() { p.reload("qps: none", "qps: 100") }, "RollcallConfigRefused")
		},
		"paused": func(a *alarm) {
			p := a.begin("", busy)
			p.tells()
			a.calm("RollcallForwarderPaused")
			p.post("/chat/fault", `{"fault": "throttle", "service": "slack"}`)
			a.fires(p.heal("/chat/fault"), "RollcallForwarderPaused")
		},
		"untold": func(a *alarm) {
			p := a.begin("", busy)
			p.tells()
			a.calm("RollcallForwarderFailing")
			p.post("/chat/fault", `{"fault": "hang_up", "service": "slack"}`)
			a.fires(p.heal("/chat/fault"), "RollcallForwarderFailing")
		},
		"dropped": func(a *alarm) {
			p := a.begin("", busy)
			p.tells()
			a.calm("RollcallForwarderDrops")
			p.post("/chat/fault", `{"fault": "too_large", "service": "slack", "times": 3}`)
			a.fires(p.heal("/chat/fault"), "RollcallForwarderDrops")
		},
	}
}

// skewed is a way to DingTalk whose clock is wrong.
type skewed struct {
	mu sync.Mutex
	by time.Duration
}

func (s *skewed) set(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by = by
}

func (s *skewed) before(t testing.TB, to string) string {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		r.Header.Set("Date", time.Now().Add(s.by).UTC().Format(http.TimeFormat))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// exporter shows a consumer as the exporter of NATS does.
func exporter(t testing.TB, consumer jetstream.Consumer) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, err := consumer.Info(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "jetstream_consumer_num_pending{stream_name=%q,consumer_name=%q} %d\n", info.Stream, info.Name, info.NumPending)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// damage writes over the record of a meeting, as nobody should.
func damage(a *alarm, js jetstream.JetStream, id string) []string {
	subject := "rollcall.MEETINGS.commit.state.acme." + token(id)
	if _, err := js.PublishMsg(a.t.Context(), &nats.Msg{Subject: subject, Data: bytes.Repeat([]byte("x"), 10)}); err != nil {
		a.t.Fatal(err)
	}
	return []string{"RollcallLedgerDamaged"}
}
