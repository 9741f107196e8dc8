package consume

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
)

// Feed says which events [Follow] follows. The zero value is every new event
// of a default installation.
type Feed struct {
	Names        Names
	Tenant       string              // "": every tenant
	ConferenceID string              // "": every meeting
	Types        []rollcall.Type     // none: every type of a meeting's events
	Watch        bool                // where Types has none: also the tenants' watch events, for [ParseWatch]
	Since        time.Time           // zero: only what is new
	JetStream    jetstream.JetStream // as in [Options]
	OnTrouble    func(error)         // as in [Options]
	// From is the first sequence of the stream to be read; 0: Since counts.
	From uint64
	// CaughtUp is called whenever all that was there at the start of reading, or of
	// reading on after a lost connection, has been passed on.
	CaughtUp func()
}

// Stored is an event as it stands in the stream.
type Stored struct {
	Subject  string
	Header   nats.Header
	Data     []byte
	Sequence uint64    // of the stream
	At       time.Time // when it was stored
	Stream   time.Time // when the stream was created: one made anew counts from 1 again
}

// Follow passes what is stored of each event to each, once and in the order of
// the stream, until ctx ends or each returns an error, which it returns. It
// waits for the stream to be there, also after connections and brokers were
// lost; one made anew is read from its beginning. It remembers nothing when it
// ends: whoever has to act on every event uses [Handle].
func Follow(ctx context.Context, nc *nats.Conn, f Feed, each func(data []byte) error) error {
	return FollowStored(ctx, nc, f, func(e Stored) error { return each(e.Data) })
}

// FollowStored is [Follow] for those who remember the place in the stream
// themselves, and read on from there by Feed.From.
func FollowStored(ctx context.Context, nc *nats.Conn, f Feed, each func(Stored) error) error {
	s, err := openStream(nc, f.JetStream, f.Names, f.OnTrouble)
	if err != nil {
		return fmt.Errorf("follow events: %w", err)
	}
	s.next, s.caughtUp = f.From, f.CaughtUp
	take := func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		if err := each(s.stored(m, meta)); err != nil {
			return final{err}
		}
		return nil
	}
	check := func(ctx context.Context) error { _, err := s.identify(ctx); return err }
	return s.persist(ctx, func(ctx context.Context) error {
		info, err := s.identify(ctx)
		if err != nil {
			return err
		}
		if s.next == 0 && f.Since.IsZero() {
			// A consumer of what is new would forget where it began with the
			// first connection that it loses.
			s.next = info.State.LastSeq + 1
		}
		return s.follow(ctx, f.subjects(), f.Since, take, check)
	})
}

// subjects are those of the events that the feed is about.
func (f *Feed) subjects() []string {
	subjects := f.Names.Subject(f.Tenant, f.ConferenceID, f.Types...)
	if f.Watch && len(f.Types) == 0 {
		subjects = append(subjects, f.Names.filled().Watch(anyOr(f.Tenant), "watch.*"))
	}
	return subjects
}

// ParseType reads what people call a type of event: participant.joined, the
// CloudEvents type rollcall.participant.joined, participant.* for all of an
// entity, or the verb alone: joined. The error lists the types there are.
func ParseType(word string) ([]rollcall.Type, error) {
	wanted := strings.TrimPrefix(word, "rollcall.")
	var types []rollcall.Type
	names := "participant.*, meeting.*, watch.*"
	for _, t := range append(rollcall.Types(), rollcall.WatchLost, rollcall.WatchResumed) {
		names += ", " + string(t)
		if wanted == string(t) || wanted == t.Verb() || wanted == t.Entity()+".*" {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return nil, fmt.Errorf("no type of event is called %.40q; there are %s", word, names)
	}
	return types, nil
}
