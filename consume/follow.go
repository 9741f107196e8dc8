package consume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/wire"
)

// watcher reads the stream for [Watch]. It belongs to one goroutine.
type watcher struct {
	meetings *Meetings
	js       jetstream.JetStream
	names    wire.Names
	options  Options

	created   time.Time // of the stream that is followed
	retention time.Duration
	listed    bool   // everything up to next was read
	next      uint64 // the first stream sequence that was not seen
}

// subjects are the words of the stream that are read of the wanted meetings.
func (w *watcher) subjects(words ...string) []string {
	tenant, meeting := anyOr(w.options.Tenant), anyOr(wire.Token(w.options.ConferenceID))
	var all []string
	for _, word := range words {
		switch word {
		case "event":
			all = append(all, w.names.Prefix+".event."+tenant+"."+meeting+".*.*")
		case "state":
			all = append(all, w.names.Prefix+".state."+tenant+"."+meeting)
		case "status":
			all = append(all, w.names.Prefix+".status."+tenant)
		}
	}
	return all
}

// errShort says that fewer records came than were announced.
var errShort = errors.New("fewer records came than were announced")

// list reads the records and statuses as they stand. What is followed then
// begins behind the newest of them, and not behind the stream's end: the replica
// that answers may lag, and whatever it had not seen is read later.
func (w *watcher) list(ctx context.Context, info *jetstream.StreamInfo) error {
	err := errShort
	for tries := 0; errors.Is(err, errShort) && tries < 3; tries++ {
		err = w.listOnce(ctx)
	}
	if err != nil {
		return fmt.Errorf("list the meetings of stream %s: %w", info.Config.Name, err)
	}
	return nil
}

func (w *watcher) listOnce(ctx context.Context) error {
	consumer, err := w.js.OrderedConsumer(ctx, w.names.Stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: w.subjects("state", "status"), DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, MaxResetAttempts: 1,
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	found := newListing()
	for announced := consumer.CachedInfo().NumPending; found.messages < announced; {
		message, err := messages.Next(jetstream.NextMaxWait(silence))
		if err != nil {
			return err
		}
		meta, err := message.Metadata()
		if err != nil {
			return err
		}
		found.take(w, message, meta.Sequence.Stream)
		if meta.NumPending == 0 && found.messages < announced {
			return errShort
		}
	}
	w.next = found.last + 1
	w.meetings.replace(found, w.options.OnChange)
	return nil
}

// silence is for how long nothing may come while something is announced.
const silence = 10 * time.Second

// follow takes what is stored from w.next on, until something fails.
func (w *watcher) follow(ctx context.Context) error {
	consumer, err := w.js.OrderedConsumer(ctx, w.names.Stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: w.subjects("event", "state", "status"), MaxResetAttempts: 1,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: w.next,
	})
	if err != nil {
		return fmt.Errorf("follow stream %s: %w", w.names.Stream, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("follow stream %s: %w", w.names.Stream, err)
	}
	defer messages.Stop()
	for {
		if err := w.takeFor(ctx, messages, checkEvery); err != nil {
			return err
		}
		if err := w.check(ctx); err != nil {
			return err
		}
	}
}

// takeFor takes messages for a while.
func (w *watcher) takeFor(ctx context.Context, messages jetstream.MessagesContext, while time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	for {
		message, err := messages.Next(jetstream.NextContext(limited))
		if err != nil && limited.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("follow stream %s: %w", w.names.Stream, err)
		}
		if err := w.take(message); err != nil {
			return err
		}
	}
}

// check looks whether the stream is still the one that is followed: a consumer
// that begins behind its end would be silent until it has grown as long.
func (w *watcher) check(ctx context.Context) error {
	w.meetings.dropAged(w.retention, w.options.OnChange)
	_, err := w.identify(ctx)
	return err
}

func (w *watcher) take(message jetstream.Msg) error {
	meta, err := message.Metadata()
	if err != nil {
		return fmt.Errorf("follow stream %s: %w", w.names.Stream, err)
	}
	w.next = meta.Sequence.Stream + 1
	switch w.word(message.Subject()) {
	case "event":
		w.event(message.Data())
	case "state":
		w.record(message.Data(), meta.Sequence.Stream)
	case "status":
		w.status(message.Data())
	}
	return nil
}

// word is what a subject is about: event, state or status.
func (w *watcher) word(subject string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(subject, w.names.Prefix+"."), ".")
	return word
}

func (w *watcher) event(data []byte) {
	e, err := Parse(data)
	if err != nil {
		w.trouble(err)
		return
	}
	if slices.Contains([]string{"meeting", "participant"}, e.Type.Entity()) || e.ConferenceID != "" {
		if gap := w.meetings.fold(e, w.options.OnChange); gap != nil {
			w.trouble(gap)
		}
	}
}

func (w *watcher) record(data []byte, revision uint64) {
	r, err := wire.DecodeRecord(data)
	if err != nil {
		w.trouble(err)
		return
	}
	if err := w.meetings.hold(r, revision, w.options.OnChange); err != nil {
		w.trouble(err)
	}
}

func (w *watcher) status(data []byte) {
	var s wire.Status
	if err := s.UnmarshalJSON(data); err != nil {
		w.trouble(err)
		return
	}
	w.meetings.setStatus(s)
}

func (w *watcher) trouble(err error) {
	if w.options.OnTrouble != nil {
		w.options.OnTrouble(err)
	}
}
