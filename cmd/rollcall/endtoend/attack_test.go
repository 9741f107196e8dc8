//go:build unix

package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.yaml.in/yaml/v4"

	"rollcall/internal/natstest"
)

// The bounds that the attack must not break.
const (
	// assault is how long all attackers are at it together.
	assault = 60 * time.Second
	// latest is how long after DingTalk's answer its events are stored. Two to
	// three seconds are usual, on a machine with other things to do.
	latest = 20 * time.Second
	// mostLines is how many lines the worker may write about all of it. Up to 400
	// tell of orders that were obeyed, each of which may have spent a call.
	mostLines = 600
)

// the meetings that strangers are in, beside those of whoever is well-behaved.
const (
	renamers = "renamers" // guests without an id, always under another name
	crowd    = "crowd"    // thousands of one name
)

// TestLongStrangers sets everybody on a worker with the embedded server at
// once: a reader, an operator, strangers in meetings, a client of the health
// port. Meanwhile a subscriber like any other reads along, and the health port
// is asked as Kubernetes does. Then the judge looks for what is lost, repeated,
// out of order, false or late.
func TestLongStrangers(t *testing.T) {
	long(t)
	began := time.Now()
	s := besiege(t)
	calm := s.claims()
	attackers := []*process{s.attacker("reader"), s.attacker("operator"), s.attacker("stranger"), s.attacker("client")}
	stopProbes := s.probe()
	select {
	case <-time.After(assault): // it is a length of time that is promised
	case <-s.worker.done:
		t.Fatalf("the worker is gone:\n%s", s.worker.err.tail(6000))
	}
	for _, a := range attackers {
		s.callOff(a)
	}
	stopProbes()
	s.w.polled(3)
	s.judge()
	if now := s.claims(); !reflect.DeepEqual(now, calm) {
		t.Errorf("the claims were\n%v\nand are\n%v", calm, now)
	}
	s.onlyOurStreams()
	s.withinMemory()
	s.comesBack()
	t.Logf("it took %s", time.Since(began).Round(time.Second))
}

// siege is a worker with the embedded server, and those around it.
type siege struct {
	t        *testing.T
	w        *world
	site     *site
	worker   *worker
	url      string // of the embedded server
	data     string // its data_dir
	manifest container
	live     *feed // plain core NATS
	durable  *feed
}

func besiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{t: t, manifest: shipped(t)}
	secret := "secret-besieged-4711"
	s.w = &world{t: t, secret: secret}
	s.w.sim = startSimulator(t, secret, "--meetings", "5", "--people", "12", "--rate", "10")
	for _, id := range []string{renamers, crowd} {
		s.w.sim.act("create", id, nil)
		s.w.sim.act("join", id, map[string]any{"userId": "host"})
		s.w.sim.ids = append(s.w.sim.ids, id)
	}
	s.w.witness = newWitness(t, s.w.sim.url)
	s.w.witness.swell = newCrowd().swell
	written := configure(t, "besieged", secret, s.w.witness.door("besieged"), "", s.w.sim.ids)
	config := written
	for old, fresh := range map[string]string{
		"level: debug":             "level: info",
		"monthly_calls: unlimited": "monthly_calls: 100000000",
	} {
		config = edited(t, config, old, fresh)
	}
	s.data = filepath.Join(filepath.Dir(written), "data")
	s.site = &site{w: s.w, name: "besieged", config: config}
	s.start()
	s.w.conn = natstest.Connect(t, s.url, nats.PingInterval(5*time.Second))
	js, err := jetstream.New(s.w.conn)
	if err != nil {
		t.Fatal(err)
	}
	s.w.js = js
	s.w.listen()
	s.live, s.durable = subscribe(t, s.w.conn), consume(t, js)
	s.w.polled(3)
	return s
}

// start runs the worker as the manifest does.
func (s *siege) start() {
	s.t.Helper()
	p := launch(s.t, "the worker", binary(s.t), s.manifest.environment(), "run", "--config", s.site.config)
	s.worker = &worker{p, s.site}
	s.w.workers = append(s.w.workers, s.worker)
	eventually(s.t, "it works", func() bool { return p.err.has("worker started") || !p.alive() })
	found := regexp.MustCompile(`"nats":"([^"]+)"`).FindStringSubmatch(p.err.String())
	if found == nil {
		s.t.Fatalf("start the worker: %s", p.err)
	}
	s.url = found[1]
}

// container is what the manifest says of the worker's.
type container struct {
	Env []struct{ Name, Value string }

	LivenessProbe, ReadinessProbe struct {
		TimeoutSeconds int
	}
	Resources struct {
		Limits struct{ Memory string }
	}
}

func shipped(t *testing.T) container {
	t.Helper()
	var manifest struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []map[string]any }
			}
		}
	}
	text := contents(t, "../../../deploy/kubernetes/base/deployment.yaml")
	if err := yaml.Unmarshal([]byte(text), &manifest); err != nil || len(manifest.Spec.Template.Spec.Containers) == 0 {
		t.Fatalf("read the manifest: %v", err)
	}
	part, err := json.Marshal(manifest.Spec.Template.Spec.Containers[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := decode[container](part)
	if err != nil || c.memory() == 0 || c.LivenessProbe.TimeoutSeconds == 0 || c.ReadinessProbe.TimeoutSeconds == 0 {
		t.Fatalf("read the manifest: %+v, %v", c, err)
	}
	return c
}

// memory is the limit in bytes.
func (c container) memory() int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(c.Resources.Limits.Memory, "Mi"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 20
}

func (c container) environment() (list []string) {
	for _, e := range c.Env {
		if strings.HasPrefix(e.Name, "GO") {
			list = append(list, e.Name+"="+e.Value)
		}
	}
	return list
}

// claims are the claims of shards as they are stored.
func (s *siege) claims() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	for _, subject := range []string{"meetings.claim.acme.0", "meetings.shards.acme"} {
		m, err := stream(s.t, s.w.js, "MEETINGS").GetLastMsgForSubject(s.t.Context(), subject)
		if err != nil {
			s.t.Fatalf("read %s: %v", subject, err)
		}
		found[subject] = fmt.Sprintf("%d %s", m.Sequence, m.Data)
	}
	return found
}

// probe asks the health port as Kubernetes does, until it is told to stop; then
// it says what it saw.
func (s *siege) probe() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	for path, patience := range map[string]time.Duration{
		"/livez":  time.Duration(s.manifest.LivenessProbe.TimeoutSeconds) * time.Second,
		"/readyz": time.Duration(s.manifest.ReadinessProbe.TimeoutSeconds) * time.Second,
	} {
		running.Go(func() { s.probePath(ctx, path, patience) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

func (s *siege) probePath(ctx context.Context, path string, patience time.Duration) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var longest time.Duration
	asked := 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Logf("%s was asked %d times and answered within %s", path, asked, longest.Round(time.Millisecond))
			return
		}
		began := time.Now()
		response, err := client.Get("http://" + s.worker.address() + path)
		asked, longest = asked+1, max(longest, time.Since(began))
		if err != nil {
			s.t.Errorf("%s: %v", path, err)
			continue
		}
		said, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			s.t.Errorf("%s: %s: %.300s", path, response.Status, said)
		}
	}
}

// judge holds everything that was stored against what was answered.
func (s *siege) judge() {
	t, w := s.t, s.w
	t.Helper()
	w.quiet()
	all := s.everything()
	events, answers := below(all, "meetings.event."), w.witness.seen()
	v := judge(evidence{stream: events, records: below(all, "meetings.state."), answers: answers})
	v.settled(answers)
	v.whole(answers, 0, len(answers))
	s.punctual(v, answers)
	eventually(t, "the subscribers have everything", func() bool {
		return len(s.durable.messages()) >= len(events) && len(s.live.messages()) >= len(events)
	})
	sameEvents(t, v, map[string][]stored{"the consumer": s.durable.messages(), "the plain subscriber": s.live.messages()})
	ours := regexp.MustCompile(`^meetings\.(event|state|tracked|status|claim|shards)\.acme(\.|$)`)
	for _, m := range all {
		if !ours.MatchString(m.subject) {
			v.complain("message %d is on %s", m.seq, m.subject)
		}
	}
	v.report(t)
	s.worker.showPages()
	w.keepSecrets(all)
	lines := strings.Count(s.worker.err.String(), "\n")
	t.Logf("the worker has written %d lines", lines)
	if lines > mostLines {
		t.Errorf("at most %d lines are right", mostLines)
	}
}

// everything is all that was ever in the stream, as the subscriber has read it;
// no event may have left it since.
func (s *siege) everything() []stored {
	s.t.Helper()
	info, err := stream(s.t, s.w.js, "MEETINGS").Info(s.t.Context(), jetstream.WithSubjectFilter("meetings.event.>"))
	if err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the subscriber has read to the end", func() bool {
		got := s.w.live.messages()
		return len(got) > 0 && got[len(got)-1].seq >= info.State.LastSeq
	})
	all := s.w.live.messages()
	kept := uint64(0)
	for _, n := range info.State.Subjects {
		kept += n
	}
	if events := len(below(all, "meetings.event.")); uint64(events) != kept {
		s.t.Errorf("%d events were stored, %d are there", events, kept)
	}
	return all
}

// punctual checks how long after an answer its events were stored.
func (s *siege) punctual(v *verdict, answers []answer) {
	longest := map[string]time.Duration{}
	for id, c := range v.courses {
		for _, l := range c.looks {
			if l.answer < 0 || l.has("meeting.untracked") {
				continue
			}
			late := l.stored[len(l.stored)-1].at.Sub(answers[l.answer].served)
			longest[id] = max(longest[id], late)
			if late > latest {
				v.complain("%s: was stored %s after the answer", l.events[0].ID, late)
			}
		}
	}
	for _, id := range s.w.sim.ids {
		s.t.Logf("the events of %s were stored within %s", id, longest[id].Round(time.Millisecond))
	}
}

// onlyOurStreams checks that the attack has left none of its own.
func (s *siege) onlyOurStreams() {
	s.t.Helper()
	var names []string
	listing := s.w.js.StreamNames(s.t.Context())
	for name := range listing.Name() {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"KV_MEETINGS_BUDGET", "KV_MEETINGS_WORKERS", "MEETINGS"}; listing.Err() != nil || !slices.Equal(names, want) {
		s.t.Errorf("the streams are %v (%v), want %v", names, listing.Err(), want)
	}
	// The month's account and the clock; one worker.
	for bucket, want := range map[string]int{"MEETINGS_BUDGET": 2, "MEETINGS_WORKERS": 1} {
		info, err := stream(s.t, s.w.js, "KV_"+bucket).Info(s.t.Context(), jetstream.WithSubjectFilter(">"))
		if err != nil || len(info.State.Subjects) != want {
			s.t.Errorf("bucket %s holds %v (%v), want %d keys", bucket, info.State.Subjects, err, want)
		}
	}
}

// withinMemory checks that the worker has stayed below the manifest's limit.
func (s *siege) withinMemory() {
	s.t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	text := contents(s.t, fmt.Sprintf("/proc/%d/status", s.worker.cmd.Process.Pid))
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(text)
	if found == nil {
		s.t.Fatal("the kernel does not say how much memory the worker had")
	}
	kib, _ := strconv.ParseInt(found[1], 10, 64)
	s.t.Logf("the worker had at most %d MiB of memory", kib>>10)
	if kib<<10 > s.manifest.memory() {
		s.t.Errorf("the manifest gives it %s", s.manifest.Resources.Limits.Memory)
	}
}

// comesBack ends the worker and starts it again: what the attack has left
// behind may not keep it from claiming and asking. The account of the month
// then tells of all calls before.
func (s *siege) comesBack() {
	s.t.Helper()
	s.w.conn.Close()
	s.w.witness.resume()
	s.worker.stop()
	before := s.w.witness.metered()
	s.start()
	s.w.polled(3)
	out := launch(s.t, "budget", binary(s.t), nil, "budget", "--json", "--tenant", "acme", "--nats", s.url)
	if code := out.exit(); code != 0 {
		s.t.Fatalf("rollcall budget: exit code %d: %s", code, out.err)
	}
	accounts, err := decode[[]struct {
		Account struct{ Spent int64 }
	}]([]byte(out.out.String()))
	if err != nil || len(accounts) != 1 {
		s.t.Fatalf("rollcall budget says %s: %v", out.out, err)
	}
	if spent, after := accounts[0].Account.Spent, s.w.witness.metered(); spent < before || spent > after {
		s.t.Errorf("the account says that %d calls are spent; they were %d, then %d", spent, before, after)
	}
	s.worker.stop()
	s.noSecretIsKept()
}

// noSecretIsKept looks for secrets and links for joining on the disk.
func (s *siege) noSecretIsKept() {
	s.t.Helper()
	secrets := append(s.w.witness.forbidden(), s.w.secret)
	err := filepath.WalkDir(s.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text := contents(s.t, path)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				s.t.Errorf("the secret %q stands in %s", secret, path)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
}
