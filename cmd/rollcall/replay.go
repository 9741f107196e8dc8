package main

import (
	"time"

	"github.com/spf13/cobra"
)

const replayHelp = `Replay reads what is stored from the beginning, for one of two ends.

With --at it shows who was in which meeting as it was known then: the rosters after
all events that were stored by that time. It says where nobody looked then, and of
which meetings the beginning is missing, so that nobody can tell.

With --to-prefix it publishes the events again below another prefix, for the tests
of a consumer: in their order, each with its bytes and its headers but those that are
for the server (Nats-…), which a stream of yours would act upon. --since and --until
choose the range, --speed 1 keeps the distances of then, 10 makes them a tenth, and
0 leaves them out. A stream that captures the prefix acknowledges each event. The
prefix must be one of its own: your consumers of the real events must see none of
these. --to-nats publishes to another NATS, as the one that a test has brought up;
the NATS inside "rollcall run" keeps those who connect apart, and wants it.

A time is a duration ago (10m), one of today (14:05), "2026-11-23 14:05:30" or
2026-11-23T14:05:30Z.`

// replayFlags say what is replayed, and to what end.
type replayFlags struct {
	eventFlags
	at, toPrefix, toNATS, since, until string
	speed                              float64
}

func replayCommand(p *program) *cobra.Command {
	var wanted replayFlags
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Show who was where at a time, or publish events again for a test",
		Long:  replayHelp,
		Example: `  rollcall replay --at 10m
  rollcall replay --at 14:05 --title "Weekly sync" --json | jq '.meetings[].roster'
  rollcall replay --to-prefix replayed --since 1h --speed 10 --to-nats nats://127.0.0.1:4333`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return wanted.replay(p, cmd) },
	}
	wanted.addTo(cmd, "one JSON object: with --at the meetings and their rosters, with --to-prefix how many events were published")
	flags := cmd.Flags()
	flags.StringVar(&wanted.at, "at", "", "show the rosters as they were known at this `TIME`")
	flags.StringVar(&wanted.toPrefix, "to-prefix", "", "publish the events below this `PREFIX`")
	flags.StringVar(&wanted.toNATS, "to-nats", "", "with --to-prefix: publish to the NATS at this `URL` (default: the one that is read)")
	flags.StringVar(&wanted.since, "since", "", "with --to-prefix: from this `TIME` on (default: the oldest)")
	flags.StringVar(&wanted.until, "until", "", "with --to-prefix: up to this `TIME` (default: now)")
	flags.Float64Var(&wanted.speed, "speed", 0, "with --to-prefix: how many times as fast as then; 0 for no pauses")
	return cmd
}

func (wanted replayFlags) replay(p *program, cmd *cobra.Command) error {
	now := time.Now()
	switch {
	case (wanted.at == "") == (wanted.toPrefix == ""):
		return usageErrorf("give --at TIME, to see the rosters of then, or --to-prefix PREFIX, to publish the events again")
	case wanted.toPrefix != "":
		return wanted.publish(p, cmd, now)
	}
	for _, name := range []string{"to-nats", "since", "until", "speed", "type"} {
		if cmd.Flags().Changed(name) {
			return usageErrorf("--%s is for --to-prefix; --at folds all that was stored until then", name)
		}
	}
	at, err := parseWhen(wanted.at, now)
	if err != nil {
		return usageErrorf("--at: %w", err)
	}
	return wanted.show(p, cmd, at)
}
