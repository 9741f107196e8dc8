package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// checkEvery is how often it is looked whether the stream is still the one
// that is followed.
const checkEvery = 10 * time.Second

// maxPause is the longest pause between two attempts to reach the stream.
const maxPause = 10 * time.Second

// Watch keeps what is known of meetings equal to what Rollcall has stored,
// until ctx ends. It returns at once; [Meetings.Synced] closes when everything
// was read for the first time. What fails later is told to OnTrouble and tried
// again, for as long as it takes. Its error says that the options are wrong.
func Watch(ctx context.Context, nc *nats.Conn, o Options) (*Meetings, error) {
	js := o.JetStream
	if js == nil {
		made, err := jetstream.New(nc)
		if err != nil {
			return nil, fmt.Errorf("watch meetings: %w", err)
		}
		js = made
	}
	m := newMeetings(o)
	w := &watcher{meetings: m, js: js, names: o.Names.filled(), options: o}
	go w.run(ctx)
	return m, nil
}

// errAnew says that the stream is another one than before.
var errAnew = errors.New("the stream was made anew; everything is read again")

func (w *watcher) run(ctx context.Context) {
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		progress, err := w.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if w.options.OnTrouble != nil {
			w.options.OnTrouble(err)
		}
		if progress || errors.Is(err, errAnew) {
			pause = 100 * time.Millisecond
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		pause = min(2*pause, maxPause)
	}
}

// session reads until something fails; progress reports whether anything came.
func (w *watcher) session(ctx context.Context) (progress bool, err error) {
	info, err := w.identify(ctx)
	if err != nil {
		return false, err
	}
	if !w.listed {
		if err := w.list(ctx, info); err != nil {
			return false, err
		}
		w.listed = true
		w.meetings.markSynced()
	}
	before := w.next
	err = w.follow(ctx)
	return w.next != before, err
}

// identify looks at the stream, and forgets where it had got to when this is
// another one than before.
func (w *watcher) identify(ctx context.Context) (*jetstream.StreamInfo, error) {
	stream, err := w.js.Stream(ctx, w.names.Stream)
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", w.names.Stream, err)
	}
	info := stream.CachedInfo()
	if w.listed && !w.same(info) {
		w.listed = false
		return nil, errAnew
	}
	w.created, w.retention = info.Created, info.Config.MaxAge
	return info, nil
}

// same reports whether the stream is the one that was followed: one that was
// purged keeps its sequences, one that was restored may have lost the newest.
func (w *watcher) same(info *jetstream.StreamInfo) bool {
	return info.Created.Equal(w.created) && info.State.LastSeq+1 >= w.next
}
