//go:build unix

package endtoend_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsproxy"
)

// world is a simulator, a broker with a proxy before it, and whoever listens;
// workers are started in it.
type world struct {
	t       testing.TB
	secret  string // the AppSecret
	sim     *simulated
	witness *witness
	broker  *broker
	proxy   *natsproxy.Proxy // between worker a and the broker
	conn    *nats.Conn       // straight to the broker
	js      jetstream.JetStream
	live    *feed // all of the stream as it comes; from [world.listen] on
	workers []*worker
	pages   bytes.Buffer      // what the consoles showed
	apart   time.Duration     // how far apart the clocks may be
	others  map[string]string // the tenants of meetings that are not acme's
}

// newWorld starts everything but the workers.
func newWorld(t testing.TB, flags ...string) *world {
	t.Helper()
	w := &world{t: t, secret: "secret-" + rand.Text()}
	w.sim = startSimulator(t, w.secret, flags...)
	w.witness = newWitness(t, w.sim.url)
	w.broker = startBroker(t)
	w.proxy = natsproxy.Start(t, w.broker.addr)
	w.conn, w.js = w.broker.connect()
	return w
}

// listen begins to read the stream as soon as it is there.
func (w *world) listen() { w.live = follow(w.t, w.js) }

// site is what a worker keeps over its restarts.
type site struct {
	w      *world
	name   string
	config string
	env    []string // for its processes: NAME=value
}

// site writes the configuration of a worker that reaches NATS at the url.
func (w *world) site(name, nats string) *site {
	return &site{w: w, name: name, config: configure(w.t, name, w.secret, w.witness.door(name), nats, w.sim.ids)}
}

// storeIn has the worker keep what it stores there.
func (s *site) storeIn(dir string) {
	s.w.t.Helper()
	line := regexp.MustCompile(`(?m)^data_dir: .*$`).FindString(contents(s.w.t, s.config))
	s.config = edited(s.w.t, s.config, line, fmt.Sprintf("data_dir: %q", dir))
}

// configure writes a configuration and gives its path.
func configure(t testing.TB, name, secret, endpoint, nats string, ids []string) string {
	t.Helper()
	dir := t.TempDir()
	list, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, dir, name+".yaml", fmt.Sprintf(`
data_dir: %q
nats: {url: %q, embedded: {listen: "127.0.0.1:0"}}
tenants:
  - name: acme
    endpoint: %s
    auth: {kind: internal, client_id: dingsimulator, client_secret_file: %q}
    poll: {schedule: "@every 1s", monthly_calls: unlimited, timeout: 5s, qps: 100}
    track: {conferences: %s}
http: {listen: "127.0.0.1:0"}
log: {level: debug}
`, filepath.Join(dir, "data"), nats, endpoint, write(t, dir, "secret", secret), list))
}

// worker is `rollcall run` in a process of its own.
type worker struct {
	*process
	site *site
}

func (s *site) start() *worker {
	s.w.t.Helper()
	p := &worker{launch(s.w.t, "worker "+s.name, binary(s.w.t), s.env, "run", "--config", s.config), s}
	s.w.workers = append(s.w.workers, p)
	return p
}

// address is where the console listens; "" while it does not.
func (p *worker) address() string {
	found := regexp.MustCompile(`"http":"([^"]+)"`).FindStringSubmatch(p.err.String())
	if found == nil {
		return ""
	}
	return found[1]
}

// page reads a page of the worker's console; "" while there is none.
func (p *worker) page(path string) string {
	address := p.address()
	if address == "" {
		return ""
	}
	response, err := http.Get("http://" + address + path)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(page)
}

// showPages keeps what all pages of the console show, for the search for secrets.
func (p *worker) showPages() {
	for _, path := range []string{"/", "/livez", "/readyz", "/metrics"} {
		page := p.page(path)
		if page == "" {
			p.t.Errorf("%s shows no page %s", p.name, path)
		}
		p.site.w.pages.WriteString(page)
	}
}

// polled waits until DingTalk has answered n more batch queries.
func (w *world) polled(n int) {
	w.t.Helper()
	from := w.witness.asked("")
	eventually(w.t, fmt.Sprintf("%d more polls", n), func() bool { return w.witness.asked("") >= from+n })
}

// quiet lets nobody look any more, and waits until what was answered last is
// stored.
func (w *world) quiet() {
	w.t.Helper()
	w.witness.pause()
	for _, id := range w.sim.ids {
		want, ok := last(id, w.witness.seen())
		if !ok {
			continue
		}
		eventually(w.t, "the last answer about "+id+" is stored: "+want.String(), func() bool {
			return reflect.DeepEqual(w.recorded(id), want)
		})
	}
}

func (w *world) tenant(id string) string { return cmp.Or(w.others[id], "acme") }

// recorded is how a meeting stands by its record.
func (w *world) recorded(id string) state {
	s, err := w.js.Stream(w.t.Context(), "MEETINGS")
	if err != nil {
		return state{}
	}
	m, err := s.GetLastMsgForSubject(w.t.Context(), "meetings.state."+w.tenant(id)+"."+token(id))
	if err != nil {
		return state{}
	}
	r, err := decode[record](m.Data)
	if err != nil {
		w.t.Errorf("read the record of %q: %v", id, err)
	}
	if r.Meeting.Status == "ended" {
		return over()
	}
	shown := state{Title: r.Meeting.Title, Status: r.Meeting.Status, Media: r.Meeting.Media.Code, People: bare(r.Roster)}
	if r.Meeting.StartTime != nil {
		shown.Start = r.Meeting.StartTime.UnixMilli()
	}
	return shown
}

// verdict stops every worker in order and has everything judged.
func (w *world) verdict() *verdict {
	w.t.Helper()
	w.quiet()
	for _, p := range w.workers {
		if p.alive() {
			p.showPages()
			p.stop()
		}
	}
	v, all := w.judged()
	w.keepSecrets(all)
	return v
}

// judged has the whole stream judged when nobody looks any more, and returns it too.
func (w *world) judged() (*verdict, []stored) {
	w.t.Helper()
	all := whole(w.t, w.js, "MEETINGS")
	end := uint64(0)
	for _, m := range below(all, "meetings.state.") {
		end = m.seq
	}
	eventually(w.t, "the subscriber has read to the last record", func() bool { return w.live.reached() >= end })
	v := judge(evidence{
		stream: below(all, "meetings.event."), records: below(w.live.messages(), "meetings.state."), answers: w.witness.seen(), apart: w.apart,
	})
	v.settled(w.witness.seen())
	return v, all
}

// counts returns the polls with changes, and the events that they made.
func (v *verdict) counts() (looks, events int) {
	for _, c := range v.courses {
		looks += len(c.looks)
		for _, l := range c.looks {
			events += len(l.events)
		}
	}
	return looks, events
}

// report fails the test with what the judge found.
func (v *verdict) report(t testing.TB) {
	t.Helper()
	looks, events := v.counts()
	t.Logf("the judge saw %d meetings, %d polls with changes, %d events", len(v.courses), looks, events)
	if events == 0 {
		t.Error("the judge saw no events at all")
	}
	for _, complaint := range v.complaints[:min(len(v.complaints), 12)] {
		t.Error(complaint)
	}
	if n := len(v.complaints); n > 12 {
		t.Errorf("and %d complaints more", n-12)
	}
}

// keepSecrets looks for what must never be seen in all that anybody can see.
func (w *world) keepSecrets(messages []stored) {
	w.t.Helper()
	tokens := w.witness.forbidden()
	if len(tokens) == 0 {
		w.t.Error("no token was ever given out: the search for secrets searches for nothing")
	}
	secrets := newNeedles(append(tokens, w.secret))
	search := func(where string, texts ...[]byte) {
		for _, text := range texts {
			for _, secret := range secrets.in(text) {
				w.t.Errorf("the secret %q stands in %s", secret, where)
			}
		}
	}
	search("a page of the console", w.pages.Bytes())
	search("what the simulator complained of", []byte(w.sim.process.err.String()))
	for _, p := range w.workers {
		search("what "+p.name+" wrote", []byte(p.out.String()), []byte(p.err.String()))
	}
	for _, m := range messages {
		search("the stream", []byte(m.subject), m.data)
		for name, values := range m.header {
			search("the stream", []byte(name), []byte(strings.Join(values, "\n")))
		}
	}
}
