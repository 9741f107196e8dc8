package forwarder

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/forwarder/target"
)

// replacing is a forwarder whose routes and targets change while it works.
type replacing struct {
	*Forwarder
	t    *testing.T
	stop func()
}

func begun(t *testing.T, m *memory, r prometheus.Registerer, routes []Route, targets ...Target) *replacing {
	t.Helper()
	f, err := New(Config{ID: "a", Routes: routes, Targets: targets, Ledger: m, Source: m, Logger: zap.NewNop(), Registry: r})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	synctest.Wait()
	return &replacing{f, t, func() { cancel(); <-done }}
}

func (r *replacing) replace(routes []Route, targets ...Target) {
	r.t.Helper()
	apply, err := r.Replace(routes, targets)
	if err != nil {
		r.t.Fatal(err)
	}
	apply()
	synctest.Wait()
}

// told counts the messages that name a meeting.
func (c *chat) told(meeting string) (n int) {
	for _, m := range c.messages() {
		if strings.Contains(m.Title+m.Body, "Meeting "+meeting+".") || strings.Contains(m.Title, "Meeting "+meeting) {
			n++
		}
	}
	return n
}

// However often the configuration changes, and whatever was waiting or under way then,
// each event is told once.
func TestRoutesAreReplacedWhileTheyAreWorked(t *testing.T) {
	changes := map[string]func(*Route){
		"nothing":        func(*Route) {},
		"group_by":       func(r *Route) { r.GroupBy = ByRoute },
		"group_by again": func(r *Route) { r.GroupBy = ByTenant },
		"group_wait":     func(r *Route) { r.Wait = 20 * time.Second },
		"match":          func(r *Route) { r.Match.Types = []string{"participant.*"} },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(t), newChat()
				route := everything("team")
				f := begun(t, m, nil, []Route{route}, c.team("team", 3))
				for i := range 12 {
					m.happen(fmt.Sprintf("m%02d", i), rollcall.ParticipantKickedOut)
					if i%3 == 2 {
						if next := everything("team"); i%2 == 1 {
							change(&next)
							route = next
						} else {
							route = next
						}
						f.replace([]Route{route}, c.team("team", 3))
					}
					time.Sleep(3 * time.Second)
				}
				time.Sleep(5 * time.Minute)
				f.stop()
				text := ""
				for _, shown := range c.messages() {
					text += shown.Title + "\n" + shown.Body + "\n"
				}
				for i := range 12 {
					if n := strings.Count(text, fmt.Sprintf("m%02d", i)); n == 0 {
						t.Errorf("m%02d was not told:\n%s", i, text)
					}
				}
				if p := m.place("lane.all.team"); p.Lane.Told+p.Lane.Digested != 12 || p.Lane.Repeated != 0 || p.Holder != "" {
					t.Errorf("the place is %+v", p)
				}
				accountedFor(t, m, "lane.all.team")
			})
		})
	}
}

// What was told beyond what waits is not told again where the groups are made otherwise.
func TestNothingIsToldTwiceInOtherGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		slow := everything("team")
		slow.Interval = time.Hour
		f := begun(t, m, nil, []Route{slow}, c.team("team", 1))
		m.happen("m1", rollcall.MeetingStarted)
		time.Sleep(10 * time.Second)
		m.happen("m1", rollcall.ParticipantJoined) // waits for the interval
		m.happen("m2", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		if c.told("m2") != 1 {
			t.Fatalf("told is %+v", c.messages())
		}
		for _, by := range []GroupBy{ByRoute, ByTenant, ByMeeting} {
			other := slow
			other.GroupBy, other.Interval = by, time.Minute
			f.replace([]Route{other}, c.team("team", 1))
			time.Sleep(2 * time.Minute)
		}
		f.stop()
		if c.told("m2") != 1 {
			t.Errorf("m2 was told again: %+v", c.messages())
		}
		accountedFor(t, m, "lane.all.team")
	})
}

// A route that goes away lets others have its lane, and is shown no more; when it comes
// back it goes on where it was.
func TestARouteGoesAwayAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c, registry := newMemory(t), newChat(), prometheus.NewRegistry()
		other := everything("team")
		other.Name = "other"
		both := []Route{everything("team"), other}
		f := begun(t, m, registry, both, c.team("team", 2))
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		f.replace([]Route{other}, c.team("team", 2))
		if p := m.place("lane.all.team"); p.Holder != "" {
			t.Errorf("the route that is no more is held by %q", p.Holder)
		}
		if held := series(t, registry, "rollcall_forward_route_held"); len(held) != 1 || held["other"] != 1 {
			t.Errorf("held is %v", held)
		}
		m.happen("m2", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		if c.told("m1") != 2 || c.told("m2") != 1 {
			t.Errorf("told is %+v", c.messages())
		}
		f.replace(nil)
		f.replace(both, c.team("team", 2))
		time.Sleep(10 * time.Second)
		f.stop()
		if c.told("m1") != 2 || c.told("m2") != 2 {
			t.Errorf("told is %+v", c.messages())
		}
		accountedFor(t, m, "lane.all.team")
		accountedFor(t, m, "lane.other.team")
	})
}

// A new route begins with what happens from then on, and not with the time of --since,
// which is about those of the start.
func TestARouteThatIsAddedBeginsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(time.Minute)
		f := begun(t, m, nil, nil)
		f.config.Since = time.Now().Add(-time.Hour)
		f.replace([]Route{everything("team")}, c.team("team", 1))
		m.happen("m2", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		f.stop()
		if c.told("m1") != 0 || c.told("m2") != 1 {
			t.Errorf("told is %+v", c.messages())
		}
	})
}

// A message under way when the routes change is waited for, and not sent again.
func TestAMessageUnderWayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		slow := c.team("team", 1)
		robots, _ := slow.Open()
		robots[0].Target = slowRobot{robots[0].Target}
		f := begun(t, m, nil, []Route{everything("team")}, slow)
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(6 * time.Second) // it was sent a second ago
		f.replace([]Route{everything("team")}, slow)
		time.Sleep(time.Minute)
		f.stop()
		if p := m.place("lane.all.team"); c.told("m1") != 1 || p.Lane.Repeated != 0 {
			t.Errorf("told %d times, the place is %+v", c.told("m1"), p)
		}
	})
}

// slowRobot takes eight seconds to answer.
type slowRobot struct{ target.Target }

func (r slowRobot) Send(ctx context.Context, m target.Message) target.Outcome {
	select {
	case <-time.After(8 * time.Second):
		return r.Target.Send(ctx, m)
	case <-ctx.Done():
		_ = r.Target.Send(ctx, m) // it has arrived
		return target.Outcome{Class: target.Unreachable, Unsure: true, Detail: "no answer", Requests: 1}
	}
}

func TestReplaceRefusesATargetThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		f := begun(t, m, nil, []Route{everything("team")}, c.team("team", 1))
		if _, err := f.Replace([]Route{everything("nobody")}, nil); err == nil || !strings.Contains(err.Error(), "nobody") {
			t.Errorf("it was replaced: %v", err)
		}
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		f.stop()
		if c.told("m1") != 1 {
			t.Errorf("the routes of before told %+v", c.messages())
		}
	})
}

// series are the values of a gauge by route.
func series(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "route" {
					all[l.GetValue()] = m.GetGauge().GetValue()
				}
			}
		}
	}
	return all
}
