package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
	remoteFlags
	conference, title string
	types             []string
	since             time.Duration
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
	addConfigFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&wanted.nats, "nats", "", "the `URL` of NATS (default: the configuration's)")
	flags.StringVar(&wanted.stream, "stream", "", "the stream's `name` (default: the configuration's, MEETINGS)")
	flags.StringVar(&wanted.prefix, "prefix", "", "what its subjects begin with (default: the configuration's, meetings)")
	flags.StringVar(&wanted.tenant, "tenant", "", "only events of this tenant")
	flags.StringVar(&wanted.conference, "conference", "", "only events of the meeting with this `id`")
	flags.StringVar(&wanted.title, "title", "", "only events of meetings that bear this `title` then; case-insensitively")
	flags.StringSliceVar(&wanted.types, "type", nil, "only events of this type: participant.joined, participant.*, joined; may be given again")
	flags.DurationVar(&wanted.since, "since", 0, "also events of the last `10m`, 2h …")
	flags.BoolVar(&wanted.asJSON, "json", false, "as stored: one CloudEvent in JSON a line")
	completeWith(cmd, "type", typeWords())
	return cmd
}

func (p *program) tail(cmd *cobra.Command, wanted tailFlags) error {
	feed, err := wanted.feed()
	if err != nil {
		return err
	}
	s, err := p.open(cmd, wanted.remoteFlags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	names := s.cfg.Stream.Names()
	if _, err := s.js.Stream(cmd.Context(), names.Stream); errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("find stream %s: it is not there; start \"rollcall run\", or name another with --stream: %w", names.Stream, err)
	}
	feed.JetStream, feed.Names = s.js, consume.Names{Stream: names.Stream, Prefix: names.Prefix}
	feed.OnTrouble = func(err error) { p.complain(err.Error() + "; trying again") }
	return consume.Follow(cmd.Context(), s.conn, feed, p.show(wanted))
}

// feed reads which events are wanted; its errors are usage errors.
func (f tailFlags) feed() (consume.Feed, error) {
	feed := consume.Feed{Tenant: f.tenant, ConferenceID: f.conference, Watch: f.conference == "" && f.title == ""}
	switch {
	case f.since < 0:
		return feed, usageErrorf("--since %s lies in the future; give a duration such as 10m", f.since)
	case f.since > 0:
		feed.Since = time.Now().Add(-f.since)
	}
	switch {
	case len(f.conference) > rollcall.MaxID:
		return feed, usageErrorf("--conference has %d bytes; an id has at most %d", len(f.conference), rollcall.MaxID)
	}
	for _, word := range f.types {
		types, err := consume.ParseType(word)
		if err != nil {
			return feed, usageErrorf("--type: %w", err)
		}
		feed.Types = append(feed.Types, types...)
	}
	return feed, nil
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
		case wanted.title != "" && !strings.EqualFold(event.Meeting.Title, wanted.title):
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
