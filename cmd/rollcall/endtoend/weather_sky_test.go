//go:build unix

package endtoend_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/ledgertest"
	"rollcall/internal/secret"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/simulator"
	"rollcall/wire"
	rooms "rollcall/worker"
)

// sky is a worker with everything that is between it and DingTalk, in one
// process and one bubble of time.
type sky struct {
	t      *testing.T
	ledger *ledgertest.Memory
	logs   *observer.ObservedLogs // from info on
	egress *poller.Egress
	cfg    rooms.Config
	worker *rooms.Worker // from [sky.start] on
	closed []func()
	ended  chan error
	kill   context.CancelFunc
}

var skyNames = wire.Names{Stream: "MEETINGS", Prefix: "meetings"}

// inSky runs a test in a bubble, some days after its beginning: meetings that
// began before the year 2000 are none.
func inSky(t *testing.T, test func(*sky)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		letPass(48 * time.Hour)
		core, logs := observer.New(zapcore.InfoLevel)
		ledger := ledgertest.NewMemory(skyNames)
		s := &sky{t: t, ledger: ledger, logs: logs, egress: &poller.Egress{}, ended: make(chan error, 1)}
		s.cfg = rooms.Config{ID: "w1", Names: skyNames, Ledger: ledger, Committer: ledger, Logger: zap.New(core)}
		test(s)
	})
}

// letPass lets time go by, and what follows from it happen.
func letPass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// organization makes a simulated DingTalk that follows the clock, and a tenant
// that tracks all its meetings.
func (s *sky) organization(tenant string, cfg simulator.Config) *simulator.Simulator {
	s.t.Helper()
	sim, err := simulator.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- sim.Run(ctx) }()
	wire := simulator.NewWire(sim.Handler())
	s.tenant(tenant, sim.ConferenceIDs(), dingtalk.Config{
		Endpoint: "http://127.0.0.1", Transport: wire.Client().Transport,
		Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: simulator.DefaultAppKey, ClientSecret: kept(simulator.DefaultAppSecret)},
	})
	s.closed = append(s.closed, wire.Close, func() { stop(); <-over })
	return sim
}

// kept is a secret that does not change.
func kept(value string) dingtalk.Secret {
	return func() (secret.String, error) { return secret.New(value), nil }
}

// tenant makes a tenant that asks whatever the client's configuration names.
func (s *sky) tenant(name string, ids []string, cfg dingtalk.Config) {
	s.t.Helper()
	cfg.Logger = s.cfg.Logger.With(zap.String("tenant", name))
	client, err := dingtalk.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.closed = append(s.closed, client.Close)
	schedule, err := poller.ParseSchedule("@every 15s", "UTC")
	if err != nil {
		s.t.Fatal(err)
	}
	s.cfg.Tenants = append(s.cfg.Tenants, rooms.Tenant{
		Name: name, Schedule: schedule, Decode: client.Decode, Conferences: ids,
		MissingAfterPolls: 1, // not one false miss goes unseen
		Asker:             &poller.Poller{Source: client, Tenant: name, Egress: s.egress, Logger: s.cfg.Logger},
	})
}

// start lets the worker work.
func (s *sky) start() {
	s.t.Helper()
	w, err := rooms.New(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.worker = w
	var ctx context.Context
	ctx, s.kill = context.WithCancel(context.Background())
	go func() { s.ended <- w.Run(ctx) }()
	letPass(time.Second)
}

// clear stops everything in order.
func (s *sky) clear() {
	s.t.Helper()
	s.kill()
	if err := <-s.ended; err != nil {
		s.t.Errorf("the worker stopped with %v", err)
	}
	for _, end := range s.closed {
		end()
	}
}

// below gives what was stored on subjects below a prefix, in order.
func (s *sky) below(prefix string) (found []stored) {
	for _, m := range s.ledger.Messages() {
		if strings.HasPrefix(m.Subject, prefix) {
			found = append(found, stored{seq: m.Sequence, subject: m.Subject, data: m.Data})
		}
	}
	return found
}

// heard gives the good answers of an organization: those that no fault befell.
func (s *sky) heard(sim *simulator.Simulator, latency time.Duration) (answers []answer) {
	s.t.Helper()
	for _, served := range sim.Served() {
		a := answer{door: string(served.Operation), asked: served.At.Add(-latency), served: served.At.Add(latency), says: map[string]state{}}
		for _, shown := range served.Shown {
			m, err := decode[listedMeeting](shown.JSON)
			if err != nil {
				s.t.Fatal(err)
			}
			a.says[shown.ConferenceID] = m.state()
		}
		if served.Operation == simulator.OpMeeting && served.Status == 200 && served.Fault == "" {
			for _, id := range served.Asked {
				if truth, err := sim.Truth(id, served.At); err == nil && truth.Meeting.Status.String() == "ended" {
					a.says[id] = over()
				}
			}
		}
		if len(a.says) > 0 {
			answers = append(answers, a)
		}
	}
	return answers
}
