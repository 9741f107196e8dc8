package push_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/secret"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/poller/push"
	"rollcall/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ear is a tracker that notes what it is told.
type ear struct {
	mu      sync.Mutex
	found   []string
	due     []string
	healthy bool
	away    bool // another worker is to hear
	err     error
}

func (e *ear) Found(_ context.Context, _, source string, listed, gone []string, restarted bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	if source != push.Source || len(gone) > 0 || restarted {
		return fmt.Errorf("found by %s, %v gone, restarted %v", source, gone, restarted)
	}
	e.found = append(e.found, listed...)
	return nil
}

func (e *ear) Hinted(_ string, ids []string, healthy bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.due, e.healthy = append(e.due, ids...), healthy
}

func (e *ear) Busy(string) (int, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return 0, !e.away
}

func (e *ear) set(do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	do()
}

// told returns what was heard since the last time, sorted.
func (e *ear) told() (found, due []string, healthy bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, due = e.found, e.due
	e.found, e.due = nil, nil
	slices.Sort(found)
	slices.Sort(due)
	return found, due, e.healthy
}

func (e *ear) wants(t *testing.T, found, due []string, healthy bool) {
	t.Helper()
	f, d, h := e.told()
	if !slices.Equal(f, found) || !slices.Equal(d, due) || h != healthy {
		t.Errorf("found %v, due %v, healthy %v; want %v, %v, %v", f, d, h, found, due, healthy)
	}
}

// office is a simulated DingTalk that somebody listens to.
type office struct {
	*ear
	t     *testing.T
	sim   *simulator.Simulator
	logs  *observer.ObservedLogs
	heard map[string]int
	mu    sync.Mutex // guards heard
}

const appSecret = "the secret of the app"

// listen starts a listener on an office in which nothing happens by itself.
func listen(t *testing.T, change func(*push.Listener)) *office {
	t.Helper()
	sim, err := simulator.New(simulator.Config{Meetings: -1, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	wire := simulator.NewWire(sim.Handler())
	o := &office{ear: &ear{}, t: t, sim: sim, heard: map[string]int{}}
	core, logs := observer.New(zap.DebugLevel)
	o.logs = logs
	held := func(value string) dingtalk.Secret {
		return func() (secret.String, error) { return secret.New(value), nil }
	}
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: "http://127.0.0.1", Transport: wire.Client().Transport, Logger: zap.New(core),
		Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: simulator.DefaultAppKey, ClientSecret: held(appSecret)},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &push.Listener{
		Tenant: "acme", Tracker: o.ear, Client: wire.Client(), Logger: zap.New(core),
		Gateway: dingtalk.Gateway{Client: client, ClientID: simulator.DefaultAppKey, Secret: held(appSecret)},
		Metrics: push.Metrics{Heard: o.count},
	}
	if change != nil {
		change(l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		client.Close()
		wire.Close()
		o.keepsSecrets()
	})
	elapse(2 * time.Second)
	return o
}

func (o *office) count(outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard[outcome]++
}

func (o *office) wantsHeard(want map[string]int) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, outcome := range push.Outcomes() {
		if o.heard[outcome] != want[outcome] {
			o.t.Errorf("%s: %d, want %d", outcome, o.heard[outcome], want[outcome])
		}
	}
}

func (o *office) keepsSecrets() {
	o.t.Helper()
	for _, entry := range o.logs.All() {
		text := fmt.Sprint(entry.Message, entry.ContextMap())
		if strings.Contains(text, appSecret) || strings.Contains(text, "ticket=") {
			o.t.Errorf("the log shows a secret: %s", text)
		}
	}
}

func (o *office) act(acts ...simulator.Act) {
	o.t.Helper()
	for _, act := range acts {
		if _, err := o.sim.Act(act); err != nil {
			o.t.Fatal(err)
		}
	}
	synctest.Wait()
}

func (o *office) arm(f simulator.Fault) {
	o.t.Helper()
	f.Operation = simulator.OpPush
	if err := o.sim.Arm(f); err != nil {
		o.t.Fatal(err)
	}
}

func create(id string) simulator.Act { return simulator.Act{Verb: "create", ConferenceID: id} }
func join(id, user string) simulator.Act {
	return simulator.Act{Verb: "join", ConferenceID: id, UserID: user}
}

func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestWhatHappensIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := listen(t, func(l *push.Listener) {
			l.Takes = func(m poller.Listed) bool { return m.ConferenceID != "private" }
		})
		o.wants(t, nil, nil, false)
		o.act(create("a"), create("private"))
		o.wants(t, []string{"a"}, nil, false)
		elapse(6 * time.Second)
		o.wants(t, nil, nil, true) // an event has proved it
		for _, verb := range []string{"join", "mic_on", "leave", "join", "kick", "invite"} {
			o.act(simulator.Act{Verb: verb, ConferenceID: "a", UserID: "u"})
		}
		o.wants(t, nil, []string{"a", "a", "a", "a"}, true)
		o.act(simulator.Act{Verb: "end", ConferenceID: "a"})
		o.wants(t, nil, []string{"a"}, true)
		elapse(5 * time.Minute) // pings in between
		if c := o.sim.Pushes(); c.Made != 8 || c.Sent != 8 || c.Acked != 8 || c.Late != 0 || c.Opened != 1 || c.Lost != 0 {
			t.Errorf("pushes are %+v", c)
		}
		o.wantsHeard(map[string]int{push.Taken: 7, push.Unneeded: 1})
	})
}

func TestASilentSubscriptionIsNotHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := listen(t, nil)
		o.act(create("a"))
		elapse(6 * time.Second)
		o.wants(t, []string{"a"}, nil, true)
		o.set(func() { o.away = true })
		elapse(73 * time.Hour)
		o.set(func() { o.away = false })
		elapse(10 * time.Second)
		if o.sim.Listening() != 1 {
			t.Error("nobody listens again")
		}
		o.wants(t, nil, nil, false)
	})
}

// TestFaultsOfPushes has each fault strike a push among others that arrive.
func TestFaultsOfPushes(t *testing.T) {
	for name, c := range map[string]struct {
		due    int // that are told, of four
		heard  map[string]int
		opened int
		says   string
	}{
		simulator.FaultDrop:       {3, map[string]int{push.Taken: 4}, 1, ""},
		simulator.FaultDouble:     {4, map[string]int{push.Taken: 5, push.Repeated: 1}, 1, ""},
		simulator.FaultLatency:    {4, map[string]int{push.Taken: 5}, 1, ""},
		simulator.FaultReorder:    {3, map[string]int{push.Taken: 4, push.Outdated: 1}, 1, ""},
		simulator.FaultGarbage:    {3, map[string]int{push.Taken: 4, push.Garbage: 1}, 1, ""},
		simulator.FaultTruncated:  {3, map[string]int{push.Taken: 4, push.Garbage: 1}, 1, ""},
		simulator.FaultHuge:       {3, map[string]int{push.Taken: 4, push.Overlarge: 1}, 2, "hearing DingTalk's pushes fails"},
		simulator.FaultReset:      {3, map[string]int{push.Taken: 4}, 2, "hearing DingTalk's pushes fails"},
		simulator.FaultDisconnect: {3, map[string]int{push.Taken: 4}, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := listen(t, nil)
				o.act(create("a"))
				o.act(join("a", "u"))
				o.arm(simulator.Fault{Name: name, Times: 1})
				o.act(simulator.Act{Verb: "leave", ConferenceID: "a", UserID: "u"})
				if name != simulator.FaultReorder {
					elapse(time.Minute)
				}
				o.act(join("a", "u"))
				o.act(join("a", "v"))
				elapse(time.Minute)
				if _, due, healthy := o.told(); len(due) != c.due || !healthy {
					t.Errorf("due were %v, healthy %v", due, healthy)
				}
				o.wantsHeard(c.heard)
				if opened := o.sim.Pushes().Opened; opened != c.opened {
					t.Errorf("%d tickets were had", opened)
				}
				var said []string
				for _, e := range o.logs.FilterLevelExact(zap.WarnLevel).All() {
					said = append(said, e.Message)
					t.Log(e.ContextMap(), e.Time)
				}
				if strings.Join(said, "; ") != c.says {
					t.Errorf("it said %q", said)
				}
			})
		})
	}
}

func TestItReconnectsWithPausesThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := listen(t, nil)
		gateway := simulator.Fault{Name: "systemError", Operation: simulator.OpGateway}
		if err := o.sim.Arm(gateway); err != nil {
			t.Fatal(err)
		}
		o.sim.HangUp()
		elapse(time.Hour)
		asked := 0
		for _, served := range o.sim.Served() {
			if served.Operation == simulator.OpGateway {
				asked++
			}
		}
		if asked < 50 || asked > 90 {
			t.Errorf("in an hour the gateway was asked %d times", asked)
		}
		o.wants(t, nil, nil, false)
		o.sim.Disarm()
		elapse(6 * time.Minute)
		o.act(create("a"))
		elapse(6 * time.Second)
		o.wants(t, []string{"a"}, nil, true)
		if o.logs.FilterMessage("hearing DingTalk's pushes works again").Len() != 1 {
			t.Error("that it works again is not said")
		}
		elapse(time.Hour)
		o.sim.HangUp()
		elapse(3 * time.Second)
		if o.sim.Listening() != 1 {
			t.Error("after an hour of work the first pause is long")
		}
	})
}

func TestOneWorkerHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := listen(t, nil)
		if o.sim.Listening() != 1 {
			t.Fatal("nobody listens")
		}
		o.set(func() { o.away = true })
		elapse(6 * time.Second)
		if o.sim.Listening() != 0 {
			t.Error("two workers would hear a part each")
		}
		o.set(func() { o.away = false })
		elapse(3 * time.Second)
		if o.sim.Listening() != 1 {
			t.Error("nobody listens again")
		}
	})
}

func TestNewMeetingsThatCannotBeTrackedYetAreLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := listen(t, nil)
		o.set(func() { o.err = context.DeadlineExceeded })
		o.act(create("a"))
		elapse(12 * time.Second)
		o.set(func() { o.err = nil })
		elapse(6 * time.Second)
		o.wants(t, []string{"a"}, nil, true)
	})
}

// doors is a gateway that names where to go.
type doors struct {
	mu     sync.Mutex
	open   func(n int) (string, error)
	opened int
}

func (d *doors) Open(context.Context) (string, secret.String, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	endpoint, err := d.open(d.opened)
	return endpoint, secret.New("tick et/17"), err
}

// TestTicketsStayOffTheNetworkAndTheLog has the gateway name places that must not
// be gone to, and such that refuse.
func TestTicketsStayOffTheNetworkAndTheLog(t *testing.T) {
	for endpoint, want := range map[string]string{
		"ws://dingtalk.example/connect":    "is not wss://",
		"http://dingtalk.example/connect":  "is not wss://",
		"ftp://127.0.0.1/":                 "is not wss://",
		"//":                               "is no address",
		"wss://%zz":                        "is no address",
		"":                                 "is no address",
		"ws://127.0.0.1/refused?keep=this": "expected handshake response status code 101 but got 404",
		"ws://127.0.0.1/elsewhere":         "expected handshake response status code 101 but got 302",
		"ws://127.0.0.1/silent":            "context deadline exceeded",
	} {
		synctest.Test(t, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("/refused", http.NotFoundHandler())
			mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://elsewhere.example/?"+r.URL.RawQuery, http.StatusFound)
			})
			mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { t.Error("the ticket went elsewhere") })
			wire := simulator.NewWire(mux)
			core, logs := observer.New(zap.DebugLevel)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			l := push.Listener{
				Tenant: "acme", Tracker: &ear{}, Client: wire.Client(), Logger: zap.New(core),
				Gateway: &doors{open: func(int) (string, error) { return endpoint, nil }},
			}
			if err := l.Run(ctx); err != nil {
				t.Error(err)
			}
			wire.Close()
			all := logs.All()
			if len(all) == 0 {
				t.Fatalf("%q: nothing was said", endpoint)
			}
			for _, e := range all {
				text := fmt.Sprint(e.ContextMap()["error"])
				if !strings.Contains(text, want) || strings.Contains(text, "tick") && strings.Contains(text, "17") {
					t.Errorf("%q: it said %q", endpoint, text)
				}
			}
		})
	}
}

// meter allows so many pushes.
type meter struct {
	mu   sync.Mutex
	left int64
}

func (m *meter) Take(_ context.Context, heard int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left -= heard
	if m.left <= 0 {
		return errors.New("the pushes are used up")
	}
	return nil
}

func (m *meter) allow(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = n
}

// TestItHearsNoMoreThanIsAllowed counts all events, also such that are of no use.
func TestItHearsNoMoreThanIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{left: 5}
		o := listen(t, func(l *push.Listener) { l.Meter = m })
		for n := range 10 {
			o.act(create(fmt.Sprint("m", n)))
			elapse(time.Second)
		}
		if c := o.sim.Pushes(); c.Sent != 5 || o.sim.Listening() != 0 {
			t.Errorf("pushes are %+v", c)
		}
		elapse(time.Hour)
		if c := o.sim.Pushes(); c.Opened != 1 {
			t.Errorf("%d tickets were had", c.Opened)
		}
		m.allow(100)
		elapse(6 * time.Minute)
		o.act(create("later"))
		elapse(time.Second)
		if found, _, _ := o.told(); !slices.Contains(found, "later") {
			t.Errorf("found %v", found)
		}
	})
}
