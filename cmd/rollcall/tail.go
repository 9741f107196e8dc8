package main

import (
	"bytes"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/follow"
	"rollcall/cmd/rollcall/printer"
	"rollcall/internal/natsconn"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

const tailHelp = `Tail shows what happens in the meetings, one line an event: time, meeting, who,
what. It shows new events, or with --since also those of the last minutes or
hours, and goes on until it is stopped. It reads from the NATS that --nats or
the configuration names; without either from that of a "rollcall run" on this
machine.`

// tailFlags are the events that somebody wants to see.
type tailFlags struct {
	nats               string
	stream, prefix     string
	tenant, conference string
	types              []string
	since              time.Duration
	asJSON             bool
}

func (p *program) tailCommand() *cobra.Command {
	var wanted tailFlags
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show what happens in the meetings, one line an event",
		Long:  tailHelp,
		Example: `  rollcall tail --since 10m
  rollcall tail --tenant acme --type joined --type participant.left
  rollcall tail --nats nats://nats.example:4222 --json | jq .data.participant`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.tail(cmd, wanted) },
	}
	addConfigFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&wanted.nats, "nats", "", "the `URL` of NATS (default: the configuration's)")
	flags.StringVar(&wanted.stream, "stream", "", "the stream's `name` (default: the configuration's, MEETINGS)")
	flags.StringVar(&wanted.prefix, "prefix", "", "what its subjects begin with (default: the configuration's, meetings)")
	flags.StringVar(&wanted.tenant, "tenant", "", "only events of this tenant")
	flags.StringVar(&wanted.conference, "conference", "", "only events of the meeting with this `id`")
	flags.StringSliceVar(&wanted.types, "type", nil, "only events of this type: participant.joined, participant.*, joined; may be given again")
	flags.DurationVar(&wanted.since, "since", 0, "also events of the last `10m`, 2h …")
	flags.BoolVar(&wanted.asJSON, "json", false, "as stored: one CloudEvent in JSON a line")
	completeWith(cmd, "type", typeWords())
	return cmd
}

func (p *program) tail(cmd *cobra.Command, wanted tailFlags) error {
	filter, err := wanted.filter()
	if err != nil {
		return err
	}
	cfg, err := p.loadConfig(cmd)
	if err != nil {
		return err
	}
	if cfg, err = wanted.over(cfg); err != nil {
		return err
	}
	conn, err := p.reach(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := natsconn.JetStream(conn, cfg.NATS.Domain, cfg.NATS.JSPrefix)
	if err != nil {
		return err
	}
	names := cfg.Stream.Names()
	if err := known(cmd.Context(), js, names, wanted.tenant); err != nil {
		return err
	}
	follower := &follow.Follower{
		JetStream: js, Names: names, Filter: filter,
		Each: p.show(wanted.asJSON), Trouble: func(err error) { p.complain(err.Error() + "; trying again") },
	}
	if wanted.since > 0 {
		follower.Since = time.Now().Add(-wanted.since)
	}
	return follower.Run(cmd.Context())
}

// filter reads which events are wanted; its errors are misuses.
func (f tailFlags) filter() (follow.Filter, error) {
	filter := follow.Filter{Tenant: f.tenant, Conference: f.conference}
	switch {
	case f.since < 0:
		return filter, misusef("--since %s lies in the future; give a duration such as 10m", f.since)
	case f.tenant != "" && !rollcall.ValidTenant(f.tenant):
		return filter, misusef("--tenant %q cannot name a tenant; a name has 1 to 32 of a-z, 0-9 and -", f.tenant)
	case len(f.conference) > rollcall.MaxID:
		return filter, misusef("--conference has %d bytes; an id has at most %d", len(f.conference), rollcall.MaxID)
	}
	for _, word := range f.types {
		types, err := follow.ParseType(word)
		if err != nil {
			return filter, misusef("--type: %w", err)
		}
		filter.Types = append(filter.Types, types...)
	}
	return filter, nil
}

// over puts the flags over the configuration; its errors are misuses.
func (f tailFlags) over(cfg config.Config) (config.Config, error) {
	if f.nats != "" {
		if err := config.CheckURL(f.nats); err != nil {
			return cfg, misusef("--nats %w", err)
		}
		cfg.NATS.URL = f.nats
	}
	if f.stream != "" {
		cfg.Stream.Name = f.stream
	}
	if f.prefix != "" {
		cfg.Stream.Prefix = f.prefix
	}
	if err := cfg.Stream.Check(); err != nil {
		return cfg, misusef("--stream, --prefix: %w", err)
	}
	return cfg, nil
}

// show gives what is done with each message: a warning where it is no event.
func (p *program) show(asJSON bool) func([]byte) error {
	if asJSON {
		return p.showJSON
	}
	out := printer.Printer{Out: p.stdout, Color: p.colours()}
	return func(data []byte) error {
		event, err := wire.DecodeEvent(data)
		if err != nil {
			p.complain("passed over a message that is no event: " + err.Error())
			return nil
		}
		return out.Print(event)
	}
}

// showJSON writes an event as it is stored. A terminal gets the same value
// with what would not show written as escapes, as does JSON of several lines.
func (p *program) showJSON(data []byte) error {
	if _, err := wire.DecodeEvent(data); err != nil {
		p.complain("passed over a message that is no event: " + err.Error())
		return nil
	}
	if isTerminal(p.stdout) || bytes.ContainsAny(data, "\r\n") {
		data = safetext.JSON(data)
	}
	_, err := io.WriteString(p.stdout, string(data)+"\n")
	return err
}
