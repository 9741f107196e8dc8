package consume

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say what [Watch] watches and whom it tells. The zero value is every
// meeting of a default installation.
type Options struct {
	Names        Names
	Tenant       string // "": every tenant
	ConferenceID string // "": every meeting
	// JetStream is used in place of the one that Watch makes, as for a domain
	// or an API prefix of another account; it must belong to the connection.
	JetStream jetstream.JetStream
	// OnChange is told, in order and one at a time, what has changed in each
	// meeting. It must not block for long, and may call methods of Meetings.
	OnChange func(Update)
	// OnTrouble is told what went wrong and is being tried again.
	OnTrouble func(error)
}

// Kind says what an [Update] is about.
type Kind int

// The kinds of an update.
const (
	// Changed: one event was folded. Update.Event is set.
	Changed Kind = iota
	// Found: the meeting was read from its record: at the start, and where
	// events were missing or did not lead to the record.
	Found
	// Dropped: nothing is stored of the meeting any more.
	Dropped
)

// Update is one change of what is known of one meeting.
type Update struct {
	Kind    Kind
	Event   Event   // only where Kind is Changed
	Meeting Meeting // as after the update
}

// Watch keeps what is known of meetings equal to what Rollcall has stored,
// until ctx ends. It returns at once; [Meetings.Synced] closes when everything
// was read for the first time. What fails later is told to OnTrouble and tried
// again, for as long as it takes. Its error says that the options are wrong.
func Watch(ctx context.Context, nc *nats.Conn, o Options) (*Meetings, error) {
	s, err := openStream(nc, o.JetStream, o.Names, o.OnTrouble)
	if err != nil {
		return nil, fmt.Errorf("watch meetings: %w", err)
	}
	m, tell := newMeetings(), o.OnChange
	o.OnChange = func(u Update) {
		if tell != nil {
			tell(u)
		}
		m.stir()
	}
	w := &watcher{stream: s, meetings: m, options: o}
	go func() {
		defer close(m.changed)
		_ = w.persist(ctx, w.session) // no session ends with a final error
	}()
	return m, nil
}
