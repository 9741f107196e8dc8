package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/simulator"
	"rollcall/simulator/scenario"
)

// scenarioFlags say which written scenario is played, and how.
type scenarioFlags struct {
	file     string
	speed    float64
	patience time.Duration
	stay     bool
}

func addScenarioFlags(cmd *cobra.Command, wanted *scenarioFlags) {
	flags := cmd.Flags()
	flags.StringVar(&wanted.file, "scenario", "", "play the written scenario in `FILE` instead of chance")
	flags.Float64Var(&wanted.speed, "speed", 1, "how many times as fast the scenario is played")
	flags.DurationVar(&wanted.patience, "patience", 2*time.Minute, "how long a scenario waits to be asked about, at its start and at its end, before it fails; 0: forever")
	flags.BoolVar(&wanted.stay, "stay", false, "keep serving when the scenario is done, and wait for questions forever")
}

// checkScenarioFlags refuses flags that would mean nothing beside the others.
func checkScenarioFlags(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if flags.Changed("scenario") {
		for _, name := range []string{"seed", "meetings", "people", "rate", "end-style", "hide-unstarted", "max-infos", "lifetime", "hostile"} {
			if flags.Changed(name) {
				return usageErrorf("--%s does not go with --scenario: the file says what happens", name)
			}
		}
		return nil
	}
	if i := slices.IndexFunc([]string{"speed", "patience", "stay"}, flags.Changed); i >= 0 {
		return usageErrorf("--speed, --patience and --stay go with --scenario FILE")
	}
	return nil
}

// loadScenario reads a file; its errors are usage errors and hold everything that
// is wrong.
func loadScenario(ctx context.Context, file string) (*scenario.Scenario, error) {
	data, err := readBounded(ctx, file)
	if err != nil {
		return nil, usageErrorf("read scenario: %w", err)
	}
	written, err := scenario.Load(data)
	if err != nil {
		return nil, usageErrorf("mistakes in the scenario %s:\n  %s", file, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return written, nil
}

// play serves the world of a scenario and plays it once.
func (wanted *simulateFlags) play(ctx context.Context, p *program) error {
	written, err := loadScenario(ctx, wanted.scenario.file)
	if err != nil {
		return err
	}
	player, err := scenario.NewPlayer(written, wanted.scenario.speed, simulator.Config{
		AppKey: wanted.AppKey, AppSecret: wanted.AppSecret, Keep: remembered,
	})
	if err != nil {
		return usageError{err}
	}
	player.Tell = func(line string) { _, _ = io.WriteString(p.stderr, line+"\n") }
	if player.Patience = wanted.scenario.patience; wanted.scenario.stay {
		player.Patience = 0
	}
	if most := written.MaxSpeed(); wanted.scenario.speed > most {
		p.complain(fmt.Sprintf("warning: above speed %g the events are not exactly those that the file expects, since nobody can ask more often than every second", most))
	}
	listener, err := net.Listen("tcp", wanted.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: choose another --listen: %w", wanted.listen, err)
	}
	pace := max(time.Second, time.Duration(float64(written.Poll)/wanted.scenario.speed).Truncate(time.Second))
	handler, err := wanted.introduce(p.stdout, player.Handler(), listener.Addr(), written.ConferenceIDs(), pace)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return perform(ctx, player, handler, listener, wanted.scenario.stay)
}

// perform serves until the player is done, or with stay until ctx is over.
func perform(ctx context.Context, player *scenario.Player, handler http.Handler, listener net.Listener, stay bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		defer cancel() // nobody can ask from here on
		served <- serveUntil(ctx, listener, handler)
	}()
	err := player.Run(ctx)
	if err == nil && stay {
		<-ctx.Done()
	}
	cancel()
	return errors.Join(err, <-served)
}
