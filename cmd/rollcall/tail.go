package main

import (
	"bytes"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/cmd/rollcall/printer"
	"rollcall/consume"
	"rollcall/internal/safetext"
)

const tailHelp = `Tail shows what happens in the meetings, one line an event: time, meeting, who,
what; and of each tenant, when nobody looks at its meetings, and when somebody does
again. It shows new events, or with --since also those of the last minutes or
hours, and goes on until it is stopped. It reads from the NATS that --nats or
the configuration names; without either from that of a "rollcall run" on this
machine.`

// tailFlags are the events that somebody wants to see.
type tailFlags struct {
	eventFlags
	since time.Duration
}

func tailCommand(p *program) *cobra.Command {
	var wanted tailFlags
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show what happens in the meetings, one line an event",
		Long:  tailHelp,
		Example: `  rollcall tail --since 10m
  rollcall tail --title "Weekly sync" --since 2h
  rollcall tail --tenant acme --type joined --type participant.left
  rollcall tail --nats nats://nats.example:4222 --json | jq .data.participant`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.tail(cmd, wanted) },
	}
	wanted.addTo(cmd, "as stored: one CloudEvent in JSON a line")
	cmd.Flags().DurationVar(&wanted.since, "since", 0, "also events of the last `10m`, 2h …")
	return cmd
}

func (p *program) tail(cmd *cobra.Command, wanted tailFlags) error {
	feed, err := wanted.feed()
	if err != nil {
		return err
	}
	s, err := openStream(p, cmd, wanted.remoteFlags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	feed.JetStream, feed.Names = s.js, s.names()
	feed.OnTrouble = func(err error) { p.complain(err.Error() + "; trying again") }
	return consume.Follow(cmd.Context(), s.conn, feed, p.show(wanted))
}

// feed reads which events are wanted; its errors are usage errors.
func (f tailFlags) feed() (consume.Feed, error) {
	feed, err := f.eventFlags.feed()
	switch {
	case f.since < 0:
		return feed, usageErrorf("--since %s lies in the future; give a duration such as 10m", f.since)
	case f.since > 0:
		feed.Since = time.Now().Add(-f.since)
	}
	return feed, err
}

// show writes each event that is wanted, and a warning for what is no event.
func (p *program) show(wanted tailFlags) func([]byte) error {
	out := printer.Printer{Out: p.stdout, Color: p.colours()}
	return func(data []byte) error {
		event, err := consume.Parse(data)
		switch {
		case err != nil:
			p.complain("passed over a message that is no event: " + err.Error())
			return nil
		case !wanted.titled(&event):
			return nil
		case wanted.asJSON:
			return p.showJSON(data)
		case event.Type == rollcall.WatchLost, event.Type == rollcall.WatchResumed:
			told, err := consume.ParseWatch(data)
			if err != nil {
				p.complain("passed over a watch event: " + err.Error())
				return nil
			}
			return out.PrintWatch(told)
		}
		return out.Print(event.Event)
	}
}

// showJSON writes an event as it is stored. A terminal gets the same value
// with what would not show written as escapes, as does JSON of several lines.
func (p *program) showJSON(data []byte) error {
	if isTerminal(p.stdout) || bytes.ContainsAny(data, "\r\n") {
		data = safetext.JSON(data)
	}
	_, err := io.WriteString(p.stdout, string(data)+"\n")
	return err
}
