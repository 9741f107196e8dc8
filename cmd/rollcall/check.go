package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/check"
	"rollcall/cmd/rollcall/config"
	"rollcall/internal/safetext"
)

const checkHelp = `Check finds out why things do not work. It refuses a configuration with mistakes,
all of them at once; then it tries, in order, what a worker needs of DingTalk
(name, connection, certificate, credentials, permission), whether the schedule
fits into the calls of a month, whom the forwarder tells (no message is sent), what
it takes of this machine, and what it needs of NATS. Each line says what was tried and what came back, and below an arrow
what to do about it.

It makes one metered call of DingTalk a tenant (--no-call: none), stores nothing,
shows no secret, and may run next to a working "rollcall run".

Exit codes: 0 nothing failed (there may be warnings), 1 something failed,
2 misused, or a mistake in the configuration.`

// checkFlags are how somebody wants it checked.
type checkFlags struct {
	asJSON, noCall bool
	timeout        time.Duration
}

func checkCommand(p *program) *cobra.Command {
	var wanted checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try DingTalk and NATS, and say what is wrong and how to fix it",
		Long:  checkHelp,
		Example: `  rollcall check --config rollcall.yaml
  rollcall check --config rollcall.yaml --no-call --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.check(cmd, wanted) },
	}
	addConfigFlag(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&wanted.asJSON, "json", false, "one JSON object a check: verdict, part, tenant, check, tried, found, mend, tookMs")
	flags.BoolVar(&wanted.noCall, "no-call", false, "make no metered call of DingTalk; its permission is not checked then")
	flags.DurationVar(&wanted.timeout, "timeout", check.DefaultTimeout, "how long each step may take")
	return cmd
}

func (p *program) check(cmd *cobra.Command, wanted checkFlags) error {
	if wanted.timeout <= 0 {
		return usageErrorf("--timeout is %s; a time such as 10s is allowed", wanted.timeout)
	}
	cfg, err := p.loadConfig(cmd)
	if err != nil {
		return err
	}
	report, broken := reporter(p.stdout, cfg, wanted.asJSON)
	count, err := check.Check{
		Config: cfg, Broker: cfg.NATS.Client(), NoCall: wanted.noCall, Timeout: wanted.timeout,
		Report: report, Slow: slowTo(p.stderr),
	}.Run(cmd.Context())
	switch {
	case err != nil:
		return err
	case broken() != nil:
		return fmt.Errorf("write the results: %w", broken())
	case count[check.Fail] > 0:
		return errors.New("check: " + count.String())
	}
	if !wanted.asJSON {
		_, err = fmt.Fprintln(p.stdout, count)
	}
	return err
}

// reporter writes each result as it comes; broken returns why one could not be written.
func reporter(out io.Writer, cfg config.Config, asJSON bool) (report func(check.Result), broken func() error) {
	var failed error
	printer := check.NewPrinter(out, cfg)
	print := printer.Print
	if asJSON {
		print = func(r check.Result) error { return check.PrintJSON(out, r) }
	}
	report = func(r check.Result) { failed = errors.Join(failed, print(r)) }
	return report, func() error { return failed }
}

// slowTo says on a terminal what takes long.
func slowTo(out io.Writer) func(string) {
	if !isTerminal(out) {
		return nil
	}
	var one sync.Mutex
	return func(doing string) {
		one.Lock()
		defer one.Unlock()
		_, _ = io.WriteString(out, "… "+safetext.Line(doing)+"\n")
	}
}
