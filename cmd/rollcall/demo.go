package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
	"rollcall/consume"
	"rollcall/internal/wait"
	"rollcall/simulator"
)

const demoHelp = `Demo shows what Rollcall does, without an account at DingTalk and without any
other server: a simulated DingTalk with people who come and go, NATS, the worker
and its health endpoints run in this process, on free ports of 127.0.0.1. It
prints each event as "rollcall tail" does. Ctrl-C ends it and leaves nothing behind.`

// demoTenant is the organization of the demo.
const demoTenant = "demo"

func (p *program) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Show events of simulated meetings, with everything in one process",
		Long:    demoHelp,
		Example: "  rollcall demo\n  rollcall demo --for 20s --seed 7",
		Args:    cobra.NoArgs,
	}
	seed := cmd.Flags().Uint64("seed", 1, "the `NUMBER` that decides what happens in the meetings")
	limit := cmd.Flags().Duration("for", 0, "end after this `TIME`, such as 20s (default: at Ctrl-C)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		if *limit < 0 {
			return misusef("--for is %s; a time such as 20s is allowed", *limit)
		}
		if *limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *limit)
			defer cancel()
		}
		// A terminal that closes ends it like Ctrl-C, or its folder would stay.
		ctx, release := signal.NotifyContext(ctx, syscall.SIGHUP)
		defer release()
		return p.demo(ctx, *seed)
	}
	return cmd
}

// demo is everything of the demo, from the folder that it takes to the one
// that it removes.
func (p *program) demo(ctx context.Context, seed uint64) (err error) {
	dir, err := os.MkdirTemp("", "rollcall-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sim, err := simulator.New(simulator.Config{
		Seed: seed, Meetings: 3, People: 8, Rate: 2, Lifetime: 2 * time.Minute, Keep: 10_000,
	})
	if err != nil {
		return fmt.Errorf("make the simulated DingTalk: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the simulated DingTalk: %w", err)
	}
	api := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = api.Serve(listener) })
	defer serving.Wait()
	defer api.Close()

	s, err := p.demoService(dir, "http://"+listener.Addr().String(), sim.ConferenceIDs())
	if err != nil {
		return err
	}
	p.banner(listener.Addr(), s)
	return p.play(ctx, sim, s)
}

func (p *program) demoService(dir, endpoint string, meetings []string) (*service.Service, error) {
	cfg, err := demoConfig(dir, endpoint, meetings)
	if err != nil {
		return nil, err
	}
	// The meetings that take the place of those that end are found.
	cfg.Tenants[0].Track.Organization = config.Organization{Enabled: true, Schedule: "@every 1s"}
	log, err := newLogger(p.stderr, cfg.Log)
	if err != nil {
		return nil, err
	}
	s, err := service.New(cfg, thisBuild().Version, log)
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	return s, nil
}

// play lets things happen, and shows them, until ctx ends.
func (p *program) play(ctx context.Context, sim *simulator.Simulator, s *service.Service) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	var shown error
	others.Go(func() { _ = sim.Run(ctx) })
	others.Go(func() { stage(ctx, sim, s) })
	others.Go(func() {
		shown = p.showEvents(ctx, s)
		stop()
	})
	err := s.Run(ctx)
	stop()
	others.Wait()
	return errors.Join(err, shown)
}

// demoConfig is what an operator would write for the demo.
func demoConfig(dir, endpoint string, meetings []string) (config.Config, error) {
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(simulator.DefaultAppSecret), 0o600); err != nil {
		return config.Config{}, fmt.Errorf("write the demo's secret: %w", err)
	}
	cfg := config.Defaults()
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.NATS.Embedded = config.Embedded{Listen: "127.0.0.1:0", Sync: "interval"}
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Log = config.Log{Level: "warn", Format: "console"}
	tenant := config.TenantDefaults()
	tenant.Name, tenant.Endpoint = demoTenant, endpoint
	tenant.Auth = config.Auth{Kind: config.AuthInternal, ClientID: simulator.DefaultAppKey, ClientSecretFile: secret}
	tenant.Poll.Schedule, tenant.Poll.MonthlyCalls = "@every 1s", config.Unlimited
	tenant.Track.Conferences = meetings
	cfg.Tenants = []config.Tenant{tenant}
	return cfg, nil
}

func (p *program) banner(dingtalk net.Addr, s *service.Service) {
	_, _ = fmt.Fprintf(p.stdout, `rollcall demo: everything runs in this process; Ctrl-C ends it and leaves nothing behind.

  DingTalk  http://%s  simulated: meetings in which people come and go; asked once a second
  NATS      %s  events on meetings.event.>
  health    http://%s/readyz

Subscribe from another terminal with one of

  nats --server %[2]s subscribe 'meetings.event.>'
  go run ./cmd/rollcall tail --nats %[2]s

`, dingtalk, s.NATS(), s.HTTP())
}

// stage lets what people want to see first happen within seconds, which
// chance would not.
func stage(ctx context.Context, sim *simulator.Simulator, s *service.Service) {
	select {
	case <-s.Ready():
	case <-ctx.Done():
		return
	}
	id := sim.ConferenceIDs()[0]
	for _, act := range []simulator.Act{
		{Verb: "invite", UserID: "demo-mei", Nick: "Mei"},
		{Verb: "join", UserID: "demo-mei", Nick: "Mei"},
		{Verb: "mic_on", UserID: "demo-mei"},
		{Verb: "join", UserID: "demo-tom", Nick: "Tom"},
		{Verb: "kick", UserID: "demo-tom"},
		{Verb: "mic_off", UserID: "demo-mei"},
		{Verb: "leave", UserID: "demo-mei"},
	} {
		if !wait.For(ctx, 1100*time.Millisecond) { // longer than the distance of two polls
			return
		}
		act.ConferenceID = id
		_, _ = sim.Act(act) // refused only where chance was faster: the show goes on
	}
}

// showEvents prints the events from the start on.
func (p *program) showEvents(ctx context.Context, s *service.Service) error {
	since := time.Now()
	select {
	case <-s.Ready():
	case <-ctx.Done():
		return nil
	}
	return consume.Follow(ctx, s.Conn(), consume.Feed{Names: consume.Names{Stream: s.Names().Stream, Prefix: s.Names().Prefix}, Since: since}, p.show(tailFlags{}))
}
