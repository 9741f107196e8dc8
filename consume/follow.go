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
	Types        []rollcall.Type     // none: every type
	Since        time.Time           // zero: only what is new
	JetStream    jetstream.JetStream // as in [Options]
	OnTrouble    func(error)         // as in [Options]
}

// Follow passes what is stored of each event to each, once and in the order of
// the stream, until ctx ends or each returns an error, which it returns. It
// waits for the stream to be there, also after connections and brokers were
// lost; one made anew is read from its beginning. It remembers nothing when it
// ends: whoever has to act on every event uses [Handle].
func Follow(ctx context.Context, nc *nats.Conn, f Feed, each func(data []byte) error) error {
	s, err := openStream(nc, f.JetStream, f.Names, f.OnTrouble)
	if err != nil {
		return fmt.Errorf("follow events: %w", err)
	}
	subjects := f.Names.Subject(f.Tenant, f.ConferenceID, f.Types...)
	take := func(m jetstream.Msg, _ *jetstream.MsgMetadata) error {
		if err := each(m.Data()); err != nil {
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
		return s.follow(ctx, subjects, f.Since, take, check)
	})
}

// ParseType reads what people call a type of event: participant.joined, the
// CloudEvents type rollcall.participant.joined, participant.* for all of an
// entity, or the verb alone: joined. The error lists the types there are.
func ParseType(word string) ([]rollcall.Type, error) {
	wanted := strings.TrimPrefix(word, "rollcall.")
	var types []rollcall.Type
	names := "participant.*, meeting.*"
	for _, t := range rollcall.Types() {
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
