package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/address"
	"rollcall/simulator"
)

const simulateHelp = `Simulate serves DingTalk's conference API on this machine, with meetings in which
people come and go, so that Rollcall can be tried without an organization. It
prints where it listens, the ids of its meetings, and a configuration to paste.

Below /_sim/ the world can be asked and told: curl http://127.0.0.1:9099/_sim/

With --chat it also serves the chat services that can be told, and a webhook, with
the limits, signatures and answers of the real ones. It prints their addresses,
and then each message that arrives: /chat/messages shows them all.

With --scenario it plays what is written in a file, from the moment at which
every meeting of the file has been asked about, and exits with 0 once the end of
all of them has been seen: deploy/scenarios has some, with the events to expect.`

// simulateFlags are the world that somebody wants.
type simulateFlags struct {
	simulator.Config
	listen   string
	endStyle string
	chat     bool
	scenario scenarioFlags
}

func simulateCommand(p *program) *cobra.Command {
	var wanted simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve DingTalk's API on this machine, with people who come and go",
		Long:  simulateHelp,
		Example: `  rollcall simulate
  rollcall simulate --meetings 20 --people 50 --rate 5 --end-style omitted --lifetime 10m
  rollcall simulate --chat
  rollcall simulate --scenario deploy/scenarios/town-hall.yaml --speed 10`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkScenarioFlags(cmd); err != nil {
				return err
			}
			if wanted.scenario.file != "" {
				return wanted.play(cmd.Context(), p)
			}
			return wanted.simulate(cmd.Context(), p.stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&wanted.listen, "listen", "127.0.0.1:9099", "`host:port` to serve on; port 0 takes a free one")
	flags.Uint64Var(&wanted.Seed, "seed", 1, "the same seed gives the same meetings and people")
	flags.IntVar(&wanted.Meetings, "meetings", 3, "meetings at the start")
	flags.IntVar(&wanted.People, "people", 8, "people who have to do with a meeting, about; at most 250")
	flags.Float64Var(&wanted.Rate, "rate", 1, "things that happen a second, over all meetings; 0: only what /_sim/act asks for")
	flags.StringVar(&wanted.endStyle, "end-style", string(simulator.EndStatus), "how an ended meeting is answered: status, omitted or resource_closed")
	flags.BoolVar(&wanted.HideUnstarted, "hide-unstarted", false, "leave meetings that have not started out of batch answers, as DingTalk's page says")
	flags.IntVar(&wanted.MaxInfos, "max-infos", 0, "how many meetings a batch answer holds at most; the others are left out without a word; 0: all")
	flags.DurationVar(&wanted.Lifetime, "lifetime", 0, "about how long a meeting lives before a new one takes its place, such as 10m; 0: forever")
	flags.BoolVar(&wanted.Hostile, "hostile", false, "ids, names and titles full of markup, controls and traps")
	flags.StringVar(&wanted.AppKey, "app-key", simulator.DefaultAppKey, "the AppKey that is accepted")
	flags.StringVar(&wanted.AppSecret, "app-secret", simulator.DefaultAppSecret, "the AppSecret that is accepted")
	flags.BoolVar(&wanted.chat, "chat", false, "serve chat robots and a webhook, too, and print what arrives")
	addScenarioFlags(cmd, &wanted.scenario)
	completeWith(cmd, "end-style", endStyles())
	return cmd
}

// remembered is how much of the past is kept for /_sim/, so that a simulator
// that runs for weeks does not grow.
const remembered = 10_000

func (wanted *simulateFlags) simulate(ctx context.Context, out io.Writer) error {
	wanted.EndStyle, wanted.Keep = simulator.EndStyle(wanted.endStyle), remembered
	if wanted.Meetings == 0 {
		wanted.Meetings = -1 // which to the simulator means none
	}
	world, err := simulator.New(wanted.Config)
	if err != nil {
		return usageErrorf("make the world: %w", err)
	}
	listener, err := net.Listen("tcp", wanted.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: choose another --listen: %w", wanted.listen, err)
	}
	handler, err := wanted.introduce(out, world.Handler(), listener.Addr(), world.ConferenceIDs(), 2*time.Second)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lived := make(chan error, 1)
	go func() { lived <- world.Run(ctx) }()
	err = serveUntil(ctx, listener, handler)
	cancel()
	return errors.Join(err, <-lived)
}

// introduce prints where the simulator is and how to look at it, every pace, and
// returns what is served: the API, and beside it the chat services.
func (wanted *simulateFlags) introduce(out io.Writer, api http.Handler, addr net.Addr, ids []string, pace time.Duration) (http.Handler, error) {
	list, err := json.Marshal(append([]string{}, ids...)) // JSON is YAML too, and escapes what would not show
	if err != nil {
		return nil, fmt.Errorf("write the ids: %w", err)
	}
	_, err = fmt.Fprintf(out, `# DingTalk's API, simulated, listens on http://%[1]s
# A configuration for it, to save as rollcall.yaml:
tenants:
  - name: simulated
    endpoint: http://%[1]s
    auth: {kind: internal, client_id: %[2]q, client_secret_env: SIMULATED_SECRET}
    poll: {schedule: "@every %[5]s", monthly_calls: unlimited}
    track:
      conferences: %[3]s
      # Without the ids the meetings are found, also new ones (see --lifetime):
      # organization: {enabled: true, schedule: "@every 5s"}
# And to look at it: SIMULATED_SECRET=%[4]s rollcall run --config rollcall.yaml
`, address.Dialable(addr.String()), wanted.AppKey, list, wanted.AppSecret, pace)
	if err != nil || !wanted.chat {
		return api, err
	}
	handler, err := besideChat(out, api, addr)
	if err == nil && len(ids) > 0 && !wanted.Hostile {
		_, err = fmt.Fprintf(out, kickHelp, ids[0], address.Dialable(addr.String()))
	}
	return handler, err
}

// kickHelp says how to see a chat group told of something.
const kickHelp = `# Add --with-forwarder to rollcall run, and let somebody be kicked out, of which the group hears seconds later:
for act in join kick; do curl -d '{"act": "'$act'", "conferenceId": "%s", "userId": "guest", "nick": "Guest"}' http://%s/_sim/act; sleep 5; done
`

// serveUntil serves until ctx is over, and lets the answers under way finish
// for at most two seconds.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(bound) != nil {
			_ = server.Close() // the bound is over
		}
	})
	err := server.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}
