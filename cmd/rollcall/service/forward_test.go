package service_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
	"rollcall/simulator"
	"rollcall/simulator/chat"
)

// telling is a service that tells robots, whose configuration changes.
type telling struct {
	*service.Service
	t    *testing.T
	sim  *simulator.Simulator
	logs *observer.ObservedLogs
	next atomic.Pointer[config.Config]
	seen chan chat.Message
	url  string // of the chat services
	dir  string
	base config.Config
}

func beginTelling(t *testing.T, forward func(*telling) config.Forward) *telling {
	t.Helper()
	s := &telling{t: t, seen: make(chan chat.Message, 1000), dir: t.TempDir()}
	services, err := chat.New(chat.Config{
		Robots:  []chat.Robot{{Service: "dingtalk", Name: "one"}, {Service: "dingtalk", Name: "two"}, {Service: "slack", Name: "ops"}},
		Arrived: func(m chat.Message) { s.seen <- m },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(services.Handler())
	t.Cleanup(server.Close)
	s.url = server.URL
	s.sim, s.base = simulated(t)
	s.base.Forward = forward(s)
	core, logs := observer.New(zap.InfoLevel)
	s.logs = logs
	if s.Service, err = service.New(s.base, "0.0.1", zap.New(core)); err != nil {
		t.Fatal(err)
	}
	s.Reload = func(context.Context) (config.Config, error) {
		if cfg := s.next.Load(); cfg != nil {
			return *cfg, nil
		}
		return config.Config{}, errors.New("line 3: a mistake")
	}
	if err := s.Forward(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it stopped with %v", err)
		}
	})
	return s
}

// address writes the address of a robot into a file.
func (s *telling) address(file, service, name string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, file)
	if err := os.WriteFile(path, []byte(s.url+chat.Robot{Service: service, Name: name}.Path()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func targetOf(kind, file string) config.ForwardTarget {
	t := config.TargetDefaults()
	t.Name, t.Kind, t.URLFile = kind, kind, file
	return t
}

func routeOf(name, kind string, types ...string) config.ForwardRoute {
	r := config.RouteDefaults()
	r.Name, r.Targets, r.GroupWait, r.GroupInterval, r.Match.Types = name, []string{kind}, 0, 0, types
	return r
}

// shows waits until the metrics hold a line.
func (s *telling) shows(line string) { s.t.Helper(); s.until(line, true) }

// until waits until the metrics hold a line, or no more.
func (s *telling) until(line string, shown bool) {
	s.t.Helper()
	late, tick := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for strings.Contains(page(s.t, "http://"+s.HTTP().String()+"/metrics"), line) != shown {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("in vain is waited for %q in the metrics to be there (%t): %v", line, shown, s.logs.All())
		}
	}
}

// reload lets a changed configuration be read.
func (s *telling) reload(forward config.Forward) {
	cfg := s.base
	cfg.Forward = forward
	s.next.Store(&cfg)
	s.Hangup()
}

// tells lets something happen to somebody, and waits until a robot tells of it.
func (s *telling) tells(want chat.Robot, nick string, verbs ...string) {
	s.t.Helper()
	for _, v := range verbs {
		if _, err := s.sim.Act(simulator.Act{Verb: v, ConferenceID: s.sim.ConferenceIDs()[0], UserID: nick, Nick: nick}); err != nil {
			s.t.Fatal(err)
		}
	}
	late := time.After(time.Minute)
	for {
		select {
		case m := <-s.seen:
			if !strings.Contains(m.Title+m.Text, nick) {
				continue
			}
			if m.Service != want.Service || m.Robot != want.Name {
				s.t.Errorf("%s was told of to %s/%s", nick, m.Service, m.Robot)
			}
			return
		case <-late:
			s.t.Fatalf("%s was not told of: %v", nick, s.logs.All())
		}
	}
}

// TestRoutesAreReloaded changes routes, targets, addresses and groups of a running
// service, and refuses mistakes.
func TestRoutesAreReloaded(t *testing.T) {
	one, two, slack := chat.Robot{Service: "dingtalk", Name: "one"}, chat.Robot{Service: "dingtalk", Name: "two"}, chat.Robot{Service: "slack", Name: "ops"}
	s := beginTelling(t, func(s *telling) config.Forward {
		return config.Forward{
			Targets: []config.ForwardTarget{targetOf("dingtalk", s.address("robot", "dingtalk", "one"))},
			Routes:  []config.ForwardRoute{routeOf("all", "dingtalk", "participant.kicked_out")},
		}
	})
	s.shows(`rollcall_forward_route_held{route="all",target="dingtalk"} 1`)
	s.shows(`rollcall_calls_total{class="none"`) // whoever is gone in the first answer is nobody's news
	s.tells(one, "Guest-1", "join", "kick")
	everyMetricIsExplained(t, page(t, "http://"+s.HTTP().String()+"/metrics"))

	// A secret that changes counts at the next message, without a reload.
	s.address("robot", "dingtalk", "two")
	s.tells(two, "Guest-2", "join", "kick")

	// Another target, and another route; the one of before has other groups.
	changed := s.base.Forward
	byRoute := routeOf("all", "dingtalk", "participant.kicked_out")
	byRoute.GroupBy = "route"
	changed.Targets = append(changed.Targets, targetOf("slack", s.address("hook", "slack", "ops")))
	changed.Routes = []config.ForwardRoute{byRoute, routeOf("joins", "slack", "participant.joined")}
	s.reload(changed)
	s.shows(`rollcall_forward_route_held{route="joins",target="slack"} 1`)
	s.tells(slack, "Guest-3", "join")
	s.shows("rollcall_config_last_reload_successful 1")
	s.shows("rollcall_config_restart_needed 0")

	// Mistakes change nothing.
	broken := changed
	broken.Targets = append([]config.ForwardTarget{}, changed.Targets...)
	broken.Targets[0].Templates = filepath.Join(s.dir, "absent")
	broken.Routes = nil
	s.reload(broken)
	s.shows("rollcall_config_last_reload_successful 0")
	s.tells(slack, "Guest-4", "join")

	// A route that goes away tells no more.
	alone := changed
	alone.Routes = changed.Routes[:1]
	s.reload(alone)
	s.shows("rollcall_config_last_reload_successful 1")
	s.until(`rollcall_forward_route_held{route="joins"`, false)
	s.tells(two, "Guest-5", "join", "kick")
	close(s.seen)
	for m := range s.seen {
		t.Errorf("told besides: %s/%s %s %s", m.Service, m.Robot, m.Title, m.Text)
	}
}
