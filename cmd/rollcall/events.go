package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/consume"
)

// eventFlags say which events a command reads.
type eventFlags struct {
	remoteFlags
	conference, title string
	types             []string
}

// addTo adds the flags to a command; asJSON says what --json writes.
func (f *eventFlags) addTo(cmd *cobra.Command, asJSON string) {
	f.addToReader(cmd, asJSON)
	flags := cmd.Flags()
	flags.Lookup("tenant").Usage = "only events of the tenant with this `name`"
	flags.StringVar(&f.conference, "conference", "", "only events of the meeting with this `id`")
	flags.StringVar(&f.title, "title", "", "only events of meetings that bear this `title` then; case-insensitively")
	flags.StringSliceVar(&f.types, "type", nil, "only events of this type: participant.joined, participant.*, joined; may be given again")
	completeWith(cmd, "type", typeWords())
}

// feed reads which events are wanted; its errors are usage errors.
func (f *eventFlags) feed() (consume.Feed, error) {
	feed := consume.Feed{Tenant: f.tenant, ConferenceID: f.conference, Watch: f.conference == "" && f.title == ""}
	if len(f.conference) > rollcall.MaxID {
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

// titled reports whether the event is of a meeting that bears the wanted title.
func (f *eventFlags) titled(e *consume.Event) bool {
	return f.title == "" || strings.EqualFold(e.Meeting.Title, f.title)
}

// names are those of the stream and of its subjects.
func (s *session) names() consume.Names {
	return consume.Names{Stream: s.cfg.Stream.Name, Prefix: s.cfg.Stream.Prefix}
}

// openStream is [program.open] for those who read the stream, which must be there.
func openStream(p *program, cmd *cobra.Command, f remoteFlags) (*session, error) {
	s, err := p.open(cmd, f)
	if err != nil {
		return nil, err
	}
	if err := s.found(cmd.Context()); err != nil {
		s.conn.Close()
		return nil, err
	}
	return s, nil
}

// found fails where there is no stream to be read.
func (s *session) found(ctx context.Context) error {
	_, err := s.js.Stream(ctx, s.cfg.Stream.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("find stream %s: it is not there; start \"rollcall run\", or name another with --stream: %w", s.cfg.Stream.Name, err)
	}
	return nil
}
