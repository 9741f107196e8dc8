//go:build unix

package endtoend_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/poller/push"
	"rollcall/simulator"
	rooms "rollcall/worker"
)

// heeds is a worker that takes hints, as the service wires it.
type heeds struct {
	*rooms.Worker
	hints *rooms.Hints
}

func (h heeds) Hinted(_ string, ids []string, healthy bool) { h.hints.Take(ids, healthy) }

// listen has the sky's first tenant hear pushes until the sky is cleared.
func (s *sky) listen(sim *simulator.Simulator) {
	s.t.Helper()
	wire := simulator.NewWire(sim.Handler())
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: "http://127.0.0.1", Transport: wire.Client().Transport,
		Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: simulator.DefaultAppKey, ClientSecret: kept(simulator.DefaultAppSecret)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	l := &push.Listener{
		Tenant: "acme", Tracker: heeds{s.worker, s.cfg.Tenants[0].Hints}, Client: wire.Client(), Logger: s.cfg.Logger,
		Gateway: dingtalk.Gateway{Client: client, ClientID: simulator.DefaultAppKey, Secret: kept(simulator.DefaultAppSecret)},
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- l.Run(ctx) }()
	s.closed = append([]func(){func() {
		stop()
		if err := <-over; err != nil {
			s.t.Error(err)
		}
		client.Close()
		wire.Close()
	}}, s.closed...)
	letPass(2 * time.Second)
}

// TestPushesInEveryTrouble cuts, doubles, reorders, delays and spoils pushes for
// an hour: no event is wrong or missing, and what is told in the end is the truth.
func TestPushesInEveryTrouble(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("ROLLCALL_LONG") != "" {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inSky(t, func(s *sky) { troubled(t, s, seed) })
		})
	}
}

func troubled(t *testing.T, s *sky, seed uint64) {
	const latency, mortal = 80 * time.Millisecond, 9
	sim := s.organization("acme", simulator.Config{Seed: seed, Meetings: 2 * mortal, People: 8, Rate: 0.3, Latency: latency})
	schedule, err := poller.ParseSchedule("@every 60s", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.Tenants[0].Schedule, s.cfg.Tenants[0].Hints = schedule, rooms.NewHints()
	s.start()
	s.listen(sim)
	for _, name := range simulator.PushFaultNames() {
		if err := sim.Arm(simulator.Fault{Name: name, Operation: simulator.OpPush, Probability: 0.03, Delay: 20 * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range sim.ConferenceIDs()[:mortal] {
		letPass(4 * time.Minute)
		end(t, sim, id, endStyles()[i%3])
		letPass(10 * time.Second)
		fresh := fmt.Sprint("fresh-", i)
		for _, act := range []simulator.Act{
			{Verb: "create", ConferenceID: fresh, Title: "Fresh"},
			{Verb: "join", ConferenceID: fresh, UserID: "u1"},
			{Verb: "join", ConferenceID: fresh, UserID: "u2"},
			{Verb: "kick", ConferenceID: fresh, UserID: "u1"},
		} {
			if _, err := sim.Act(act); err != nil {
				t.Fatal(err)
			}
			letPass(7 * time.Second)
		}
	}
	counts := sim.Pushes()
	sim.Disarm()
	letPass(10 * time.Minute)
	s.clear()

	answers := s.heard(sim, latency)
	v := judge(evidence{stream: s.below("meetings.event."), records: s.below("meetings.state."), answers: answers})
	v.whole(answers, 0, len(answers))
	v.settled(answers)
	v.report(t)
	demandTruth(t, sim, v, answers, latency)
	queries, fresh := 0, 0
	for _, served := range sim.Served() {
		if served.Operation == simulator.OpQuery {
			queries++
		}
	}
	for i := range mortal {
		if v.courses[fmt.Sprint("fresh-", i)] != nil {
			fresh++
		}
	}
	t.Logf("pushes were %+v; %d queries; %d of %d new meetings are told of", counts, queries, fresh, mortal)
	if counts.Lost == 0 || counts.Opened < 3 || queries < 60 || fresh == 0 {
		t.Error("pushes were not troubled, or of no use")
	}
}

// demandTruth holds who is told to be there in the end against who was, when
// DingTalk was asked last.
func demandTruth(t *testing.T, sim *simulator.Simulator, v *verdict, answers []answer, latency time.Duration) {
	t.Helper()
	asked := map[string]time.Time{}
	for _, a := range answers {
		for id := range a.says {
			asked[id] = a.asked.Add(latency)
		}
	}
	for id, c := range v.courses {
		truth, err := sim.Truth(id, asked[id])
		if err != nil {
			t.Fatal(err)
		}
		told := c.looks[len(c.looks)-1].state
		if told.Status != truth.Meeting.Status.String() || len(told.People) != len(truth.Roster) {
			t.Errorf("meeting %s ends as %s with %d people, and is told as %s with %d", id,
				truth.Meeting.Status, len(truth.Roster), told.Status, len(told.People))
		}
	}
}
