package service_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
	"rollcall/internal/natstest"
	"rollcall/simulator"
	"rollcall/wire"
)

const permissionDenied = "Forbidden.AccessDenied.AccessTokenPermissionDenied"

// finding changes a configuration to look for the organization's meetings
// every second, and to ask about them in an hour at the earliest.
func finding(cfg *config.Config) {
	tenant := &cfg.Tenants[0]
	tenant.Poll.Schedule, tenant.Track.Conferences = "@every 1h", nil
	tenant.Track.Organization = config.Organization{Enabled: true, Schedule: "@every 1s"}
}

// live is a service that runs.
type live struct {
	*service.Service
	t      *testing.T
	events chan rollcall.Event
	logs   *observer.ObservedLogs // errors
	stop   func()
}

func run(t *testing.T, cfg config.Config) *live {
	t.Helper()
	core, logs := observer.New(zap.ErrorLevel)
	s, err := service.New(cfg, "0.0.1", zap.New(zapcore.NewTee(core, zaptest.NewLogger(t).Core())))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	l := &live{Service: s, t: t, events: make(chan rollcall.Event, 10_000), logs: logs}
	if _, err := conn.Subscribe("meetings.event.>", func(m *nats.Msg) {
		if e, err := wire.DecodeEvent(m.Data); err == nil {
			l.events <- e
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	l.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it stopped with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	t.Cleanup(l.stop)
	<-s.Ready()
	return l
}

// started waits until a meeting is told as started.
func (l *live) started(id string) {
	l.t.Helper()
	await(l.t, l.events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted && e.ConferenceID == id })
}

// source tells why a meeting is tracked; "" when it is not.
func (l *live) source(id string) string {
	view, err := l.Worker().Show(l.t.Context(), "acme", id)
	if err != nil || !view.Tracked {
		return ""
	}
	return view.Source
}

// made reads how many calls of an operation and class the metrics count.
func (l *live) made(operation, class string) string {
	body := page(l.t, "http://"+l.HTTP().String()+"/metrics")
	found := regexp.MustCompile(fmt.Sprintf(`rollcall_calls_total\{class=%q,operation=%q,tenant="acme"\} (\S+)`, class, operation)).FindStringSubmatch(body)
	if found == nil {
		return "0"
	}
	return found[1]
}

// eventually waits, looking ten times a second, until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it did not come to this: %s", what)
		}
	}
}

// listed waits until the organization's list was read some times more.
func listed(t *testing.T, sim *simulator.Simulator, times int) {
	t.Helper()
	read := func() (n int) {
		for _, served := range sim.Served() {
			if served.Operation == simulator.OpOrganization {
				n++
			}
		}
		return n
	}
	from := read()
	eventually(t, "the list is read again", func() bool { return read() >= from+times })
}

func act(t *testing.T, sim *simulator.Simulator, act simulator.Act) simulator.Fact {
	t.Helper()
	facts, err := sim.Act(act)
	if err != nil {
		t.Fatal(err)
	}
	return facts[0]
}

func TestMeetingsAreFoundAndTheirEndsToldAtOnce(t *testing.T) {
	sim, cfg := simulated(t)
	finding(&cfg)
	cfg.Tenants[0].Track.Organization.Include = config.Patterns{Titles: []string{"*plan*"}}
	cfg.Tenants[0].Track.Organization.Exclude = config.Patterns{Titles: []string{"secret*"}}
	l := run(t, cfg)
	listed(t, sim, 2)
	secret := act(t, sim, simulator.Act{Verb: "create", Title: "Secret plan"}).ConferenceID
	act(t, sim, simulator.Act{Verb: "join", ConferenceID: secret, UserID: "u1", Nick: "Ann"})
	id := act(t, sim, simulator.Act{Verb: "create", Title: "The plan"}).ConferenceID
	act(t, sim, simulator.Act{Verb: "join", ConferenceID: id, UserID: "u1", Nick: "Ann"})
	await(t, l.events, func(e rollcall.Event) bool {
		return e.Type == rollcall.ParticipantJoined && e.ConferenceID == id && e.Participant.UserID == "u1"
	})
	if got := l.source(id); got != "organization" {
		t.Errorf("the meeting is tracked because of %q", got)
	}
	sim.StepTo(time.Now()) // it ends now, and not when the world stood still
	end := act(t, sim, simulator.Act{Verb: "end", ConferenceID: id, EndStyle: simulator.EndOmitted})
	e := await(t, l.events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingEnded })
	if e.ConferenceID != id || !e.Time.Equal(end.At.Truncate(time.Millisecond)) {
		t.Errorf("%s is told to have ended at %v, and %s did at %v", e.ConferenceID, e.Time, id, end.At)
	}
	listed(t, sim, 3)
	l.stop()
	close(l.events)
	for e := range l.events {
		if e.Type == rollcall.MeetingEnded || e.ConferenceID != id {
			t.Errorf("after that %s is told of %s", e.Type, e.ConferenceID)
		}
	}
}

// ongoing counts the meetings that go on.
func ongoing(t *testing.T, sim *simulator.Simulator) (n int) {
	t.Helper()
	for _, id := range sim.ConferenceIDs() {
		truth, err := sim.Truth(id, sim.Now())
		if err != nil {
			t.Fatal(err)
		}
		if truth.Meeting.Status == rollcall.StatusStarted {
			n++
		}
	}
	return n
}

func TestAListOfSeveralPagesIsReadWhole(t *testing.T) {
	sim, cfg := simulatedWith(t, simulator.Config{Seed: 1, Meetings: 700, People: 1})
	finding(&cfg)
	all := ongoing(t, sim)
	if all <= 2*128 {
		t.Fatalf("%d meetings go on, which are no three pages", all)
	}
	l := run(t, cfg)
	eventually(t, "all meetings are tracked", func() bool {
		tracked, _ := l.Worker().Busy("acme")
		return tracked == all
	})
}

func TestWhatMayNotBeListedStopsNothingElse(t *testing.T) {
	sim, cfg := simulated(t)
	ids := sim.ConferenceIDs()
	finding(&cfg)
	cfg.Tenants[0].Poll.Schedule, cfg.Tenants[0].Track.Conferences = "@every 1s", ids[:1]
	if err := sim.Arm(simulator.Fault{Name: permissionDenied, Operation: simulator.OpOrganization}); err != nil {
		t.Fatal(err)
	}
	l := run(t, cfg)
	l.started(ids[0])
	eventually(t, "that it is not permitted is counted", func() bool { return l.made("find", "permission") == "1" })
	act(t, sim, simulator.Act{Verb: "join", ConferenceID: ids[0], UserID: "newcomer", Nick: "Newcomer"})
	await(t, l.events, func(e rollcall.Event) bool {
		return e.Type == rollcall.ParticipantJoined && e.Participant.UserID == "newcomer"
	})
	said := l.logs.All()
	if len(said) != 1 {
		t.Fatalf("%d errors are logged: %v", len(said), said)
	}
	line := fmt.Sprint(said[0].Message, said[0].ContextMap())
	for _, want := range []string{"not permitted", "VideoConference.Conference.Read", "developer console", "organization"} {
		if !strings.Contains(line, want) {
			t.Errorf("the error does not say %q: %s", want, line)
		}
	}
	sim.Disarm()
	l.Resume()
	l.started(ids[1])
	if got := l.source(ids[1]); got != "organization" {
		t.Errorf("the meeting is tracked because of %q", got)
	}
}

func TestMeetingsOfUsersAreFound(t *testing.T) {
	sim, cfg := simulated(t)
	ids := sim.ConferenceIDs()
	finding(&cfg)
	cfg.Tenants[0].Track = config.Track{Users: []string{"u1", "u2"}, UsersSchedule: "@every 1s"}
	l := run(t, cfg)
	act(t, sim, simulator.Act{Verb: "join", ConferenceID: ids[1], UserID: "u2", Nick: "Bob"})
	l.started(ids[1])
	if one, two := l.source(ids[0]), l.source(ids[1]); one != "" || two != "user:u2" {
		t.Errorf("the meetings are tracked because of %q and %q", one, two)
	}
	act(t, sim, simulator.Act{Verb: "end", ConferenceID: ids[1]})
	await(t, l.events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingEnded && e.ConferenceID == ids[1] })
}

// TestWhatIsUntrackedStaysSo takes a meeting off the tracked set that goes on
// being listed, also by the next process; the others stay with their source.
func TestWhatIsUntrackedStaysSo(t *testing.T) {
	sim, cfg := simulated(t)
	ids := sim.ConferenceIDs()
	finding(&cfg)
	l := run(t, cfg)
	for _, id := range ids {
		eventually(t, "the meeting is found", func() bool { return l.source(id) == "organization" })
	}
	for range ids {
		await(t, l.events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted })
	}
	if _, err := l.Worker().Untrack(t.Context(), "acme", ids[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		listed(t, sim, 3)
		if one, two := l.source(ids[0]), l.source(ids[1]); one != "" || two != "organization" {
			t.Errorf("the meetings are tracked because of %q and %q", one, two)
		}
		l.stop()
		l = run(t, cfg)
		eventually(t, "the shard is held", func() bool { _, looks := l.Worker().Busy("acme"); return looks })
	}
}

// TestOneOfSeveralWorkersLooks has two workers share the shards.
func TestOneOfSeveralWorkersLooks(t *testing.T) {
	sim, cfg := simulatedWith(t, simulator.Config{Seed: 1, Meetings: 40, People: 1})
	finding(&cfg)
	cfg.NATS.URL, cfg.Tenants[0].Poll.Shards = natstest.Start(t).URL(), 32
	one := run(t, cfg)
	cfg.DataDir = t.TempDir()
	two := run(t, cfg)
	all := ongoing(t, sim)
	held := func(l *live) (tracked int) { tracked, _ = l.Worker().Busy("acme"); return tracked }
	eventually(t, "both hold meetings", func() bool { return held(one) > 0 && held(two) > 0 })
	fresh := make([]string, 0, 20)
	for n := range cap(fresh) {
		id := act(t, sim, simulator.Act{Verb: "create", Title: fmt.Sprint("meeting ", n)}).ConferenceID
		act(t, sim, simulator.Act{Verb: "join", ConferenceID: id, UserID: "u1", Nick: "Ann"})
		fresh = append(fresh, id)
	}
	eventually(t, "all meetings are tracked by their holders", func() bool {
		return !slices.ContainsFunc(fresh, func(id string) bool { return one.source(id) == "" && two.source(id) == "" }) &&
			held(one)+held(two) == all+len(fresh)
	})
	before := []string{one.made("find", "none"), two.made("find", "none")}
	listed(t, sim, 4)
	after := []string{one.made("find", "none"), two.made("find", "none")}
	if (before[0] == after[0]) == (before[1] == after[1]) {
		t.Errorf("the workers have read the list %v times, and then %v", before, after)
	}
}

// TestAListThatHangsHoldsUpNoStop stops while the list does not come.
func TestAListThatHangsHoldsUpNoStop(t *testing.T) {
	sim, cfg := simulated(t)
	finding(&cfg)
	cfg.Tenants[0].Poll.Timeout = time.Minute
	if err := sim.Arm(simulator.Fault{Name: simulator.FaultHang, Operation: simulator.OpOrganization}); err != nil {
		t.Fatal(err)
	}
	l := run(t, cfg)
	listed(t, sim, 1)
	began := time.Now()
	l.stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the stop took %s", took)
	}
}
