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
and its live page run in this process, on free ports of 127.0.0.1. It prints the
page's address first, which --open shows in the browser, and then each event as
"rollcall tail" does. Ctrl-C ends it and leaves nothing behind.`

// demoTenant is the organization of the demo.
const demoTenant = "demo"

func demoCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Show events of simulated meetings, with everything in one process",
		Long:    demoHelp,
		Example: "  rollcall demo\n  rollcall demo --for 20s --seed 7",
		Args:    cobra.NoArgs,
	}
	seed := cmd.Flags().Uint64("seed", 1, "the `NUMBER` that decides what happens in the meetings")
	limit := cmd.Flags().Duration("for", 0, "end after this `TIME`, such as 20s (default: at Ctrl-C)")
	open := cmd.Flags().Bool("open", false, "show the live page in the browser")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		if *limit < 0 {
			return usageErrorf("--for is %s; a time such as 20s is allowed", *limit)
		}
		if *limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *limit)
			defer cancel()
		}
		// A terminal that closes ends it like Ctrl-C, or its folder would stay.
		ctx, release := signal.NotifyContext(ctx, syscall.SIGHUP)
		defer release()
		return runDemo(ctx, p, *seed, *open)
	}
	return cmd
}

// demo is a worker and what it watches.
type demo struct {
	*program
	sim     *simulator.Simulator
	service *service.Service
}

// runDemo is everything of the demo, from the folder that it takes to the one
// that it removes.
func runDemo(ctx context.Context, p *program, seed uint64, open bool) (err error) {
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

	d := demo{program: p, sim: sim}
	if d.service, err = d.newService(dir, "http://"+listener.Addr().String()); err != nil {
		return err
	}
	d.banner(listener.Addr())
	if open {
		p.browse(ctx, pageURL(d.service.HTTP()))
	}
	return d.play(ctx)
}

func (d *demo) newService(dir, endpoint string) (*service.Service, error) {
	cfg, err := demoConfig(dir, endpoint, d.sim.ConferenceIDs())
	if err != nil {
		return nil, err
	}
	// The meetings that take the place of those that end are found.
	cfg.Tenants[0].Track.Organization = config.Organization{Enabled: true, Schedule: "@every 1s"}
	log, err := newLogger(d.stderr, cfg.Log)
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
func (d *demo) play(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	var shown error
	others.Go(func() { _ = d.sim.Run(ctx) })
	others.Go(func() { d.stage(ctx) })
	others.Go(func() {
		shown = d.showEvents(ctx)
		stop()
	})
	err := d.service.Run(ctx)
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
	tenant.Poll.Schedule, tenant.Poll.MonthlyCalls, tenant.Members = "@every 1s", config.Unlimited, config.MembersOnChange
	tenant.Track.Conferences = meetings
	cfg.Tenants = []config.Tenant{tenant}
	return cfg, nil
}

func (d *demo) banner(dingtalk net.Addr) {
	_, _ = fmt.Fprintf(d.stdout, `rollcall demo: everything runs in this process; Ctrl-C ends it and leaves nothing behind.

  page      %s  who is in which meeting, live
  DingTalk  http://%s  simulated: meetings in which people come and go; asked once a second
  NATS      %s  events on meetings.event.>
  health    http://%s/readyz

Subscribe from another terminal with one of

  nats --server %[3]s subscribe 'meetings.event.>'
  go run ./cmd/rollcall tail --nats %[3]s

`, pageURL(d.service.HTTP()), dingtalk, d.service.NATS(), d.service.HTTP())
}

// stage lets what people want to see first happen within seconds, which
// chance would not.
func (d *demo) stage(ctx context.Context) {
	select {
	case <-d.service.Ready():
	case <-ctx.Done():
		return
	}
	id := d.sim.ConferenceIDs()[0]
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
		_, _ = d.sim.Act(act) // refused only where chance was faster: the show goes on
	}
}

// showEvents prints the events from the start on.
func (d *demo) showEvents(ctx context.Context) error {
	since := time.Now()
	select {
	case <-d.service.Ready():
	case <-ctx.Done():
		return nil
	}
	names := d.service.Names()
	feed := consume.Feed{Names: consume.Names{Stream: names.Stream, Prefix: names.Prefix}, Since: since}
	return consume.Follow(ctx, d.service.Conn(), feed, d.show(tailFlags{}))
}
