package consume

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/wire"
)

// watcher reads the stream for [Watch]. It belongs to one goroutine.
type watcher struct {
	*stream
	meetings *Meetings
	options  Options
	listed   bool // everything before next was read
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
		case "watching":
			all = append(all, w.names.Prefix+".watching."+tenant+".*")
		}
	}
	return all
}

// session reads until something fails.
func (w *watcher) session(ctx context.Context) error {
	if err := w.check(ctx); err != nil {
		return err
	}
	if !w.listed {
		if err := w.list(ctx); err != nil {
			return err
		}
		w.listed = true
		w.meetings.markSynced()
	}
	return w.follow(ctx, w.subjects("event", "state", "status", "watching"), time.Time{}, w.take, w.check)
}

func (w *watcher) check(ctx context.Context) error {
	w.meetings.dropAged(w.retention, w.options.OnChange)
	_, err := w.identify(ctx)
	w.listed = w.listed && !errors.Is(err, errAnew)
	return err
}

// list reads the records and statuses as they stand. What is followed then
// begins behind the newest of those that were there before, and not behind the
// stream's end, which a replica that lags has not seen, nor behind what came
// meanwhile: a record of that may be gone again, and its events would be missing.
func (w *watcher) list(ctx context.Context) error {
	info, err := w.identify(ctx)
	if err != nil {
		return err
	}
	found := newListing()
	err = w.scan(ctx, listSilence, jetstream.OrderedConsumerConfig{
		FilterSubjects: w.subjects("state", "status", "watching"), DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	}, func(m jetstream.Msg, meta *jetstream.MsgMetadata, announced uint64) (bool, error) {
		found.messages++
		if meta.Sequence.Stream <= info.State.LastSeq {
			found.last = max(found.last, meta.Sequence.Stream)
		}
		found.take(w, m.Subject(), m.Data(), meta)
		return found.messages >= announced || meta.NumPending == 0, nil
	})
	if err == nil || found.messages > 0 && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = w.complete(ctx, found)
	}
	if err != nil {
		return fmt.Errorf("list the meetings: %w", err)
	}
	w.next = found.last + 1
	w.meetings.replace(found, w.options.OnChange)
	return nil
}

// listSilence is for how long nothing may come before what is left out is read
// by itself: behind a record that is gone NATS waits until something is stored.
const listSilence = time.Second

// complete reads one by one what the listing has left out: NATS leaves out what
// is written anew meanwhile, and its count is made good by others.
func (w *watcher) complete(ctx context.Context, found *listing) error {
	stream, err := w.js.Stream(ctx, w.names.Stream)
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(w.subjects("state")[0]))
	if err != nil {
		return err
	}
	for subject := range info.State.Subjects {
		if found.subjects[subject] {
			continue
		}
		m, err := stream.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // aged out meanwhile
		}
		if err != nil {
			return err
		}
		found.take(w, subject, m.Data, &jetstream.MsgMetadata{Sequence: jetstream.SequencePair{Stream: m.Sequence}, Timestamp: m.Time})
	}
	return nil
}

func (w *watcher) take(message jetstream.Msg, meta *jetstream.MsgMetadata) error {
	switch w.word(message.Subject()) {
	case "event":
		w.event(message.Data())
	case "state":
		w.record(message.Data(), meta.Sequence.Stream)
	case "status":
		w.status(message.Data())
	case "watching":
		w.watching(message.Subject(), message.Data(), meta.Timestamp)
	}
	return nil
}

// word is what a subject is about: event, state, status or watching.
func (w *watcher) word(subject string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(subject, w.names.Prefix+"."), ".")
	return word
}

func (w *watcher) event(data []byte) {
	e, err := Parse(data)
	if err != nil {
		w.tell(err)
		return
	}
	if err := w.meetings.fold(e, w.options.OnChange); err != nil {
		w.tell(err)
	}
}

func (w *watcher) record(data []byte, revision uint64) {
	r, err := wire.DecodeRecord(data)
	if err != nil {
		w.tell(err)
		return
	}
	if err := w.meetings.hold(r, revision, w.options.OnChange); err != nil {
		w.tell(err)
	}
}

func (w *watcher) status(data []byte) {
	var s wire.Status
	if err := s.UnmarshalJSON(data); err != nil {
		w.tell(err)
		return
	}
	w.meetings.setStatus(s)
}

func (w *watcher) watching(subject string, data []byte, at time.Time) {
	told, err := wire.DecodeWatching(data)
	if err != nil {
		w.tell(err)
		return
	}
	w.meetings.setWatching(w.part(subject), loss{told, at})
}

// part is the shard that a subject of its watch names.
func (w *watcher) part(subject string) part {
	tenant, shard, _ := strings.Cut(strings.TrimPrefix(subject, w.names.Prefix+".watching."), ".")
	return part{tenant, shard}
}
