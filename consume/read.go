package consume

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrEnough is returned by the function that [Read] calls when it wants no more.
var ErrEnough = errors.New("enough was read")

// Read passes what is stored of each event when it is called to each, once and in
// the order of the stream, and returns. Of the feed CaughtUp does not count; without
// Since and From it begins with the oldest. [ErrEnough] ends it early, without an
// error; every other error of each it returns as it is. The error of a reading that
// broke off may pass, as where a replica lags.
func Read(ctx context.Context, nc *nats.Conn, f Feed, each func(Stored) error) error {
	s, err := openStream(nc, f.JetStream, f.Names, f.OnTrouble)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	info, err := s.identify(ctx)
	if err != nil {
		return err
	}
	err = s.scan(ctx, silence, f.stored(), func(m jetstream.Msg, meta *jetstream.MsgMetadata, _ uint64) (bool, error) {
		if meta.Sequence.Stream > info.State.LastSeq {
			return true, nil
		}
		err := each(s.stored(m, meta))
		return meta.NumPending == 0, err
	})
	if errors.Is(err, ErrEnough) {
		return nil
	}
	return err
}

// stored is how what is there of a feed is read. A reader may not remove its consumer,
// which goes by itself: a stream has room for a thousand.
func (f *Feed) stored() jetstream.OrderedConsumerConfig {
	c := jetstream.OrderedConsumerConfig{FilterSubjects: f.subjects(), DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: silence}
	switch {
	case f.From > 0:
		c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, f.From
	case !f.Since.IsZero():
		c.DeliverPolicy, c.OptStartTime = jetstream.DeliverByStartTimePolicy, &f.Since
	}
	return c
}

func (s *stream) stored(m jetstream.Msg, meta *jetstream.MsgMetadata) Stored {
	return Stored{m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream, meta.Timestamp, s.created}
}

// History returns the stored events of the meeting of an event, up to that one;
// of the feed Names and JetStream count. Those that the retention has taken are
// not among them. The error may pass, as where a replica lags.
func History(ctx context.Context, nc *nats.Conn, f Feed, upTo Event) (events []Event, err error) {
	met := false
	of := Feed{Names: f.Names, JetStream: f.JetStream, OnTrouble: f.OnTrouble, Tenant: upTo.Tenant, ConferenceID: upTo.ConferenceID}
	err = Read(ctx, nc, of, func(m Stored) error {
		e, err := Parse(m.Data)
		if err != nil {
			if f.OnTrouble != nil {
				f.OnTrouble(err)
			}
			return nil
		}
		events = append(events, e)
		if met = e.Position() == upTo.Position(); met {
			return ErrEnough
		}
		return nil
	})
	if err == nil && !met {
		err = errShort
	}
	if err != nil {
		return nil, fmt.Errorf("read the events of meeting %.300q up to %d: %w", upTo.ConferenceID, upTo.Sequence, err)
	}
	return events, nil
}

// Visits returns the [Attendance] of the meeting of an event, up to that one:
// see [History]. Where the retention has taken the first events the error is a
// [*GapError].
func Visits(ctx context.Context, nc *nats.Conn, f Feed, upTo Event) ([]Visit, error) {
	events, err := History(ctx, nc, f, upTo)
	if err != nil {
		return nil, err
	}
	var a Attendance
	for _, e := range events {
		if _, err := a.Apply(e); err != nil {
			return nil, err
		}
	}
	return a.Visits(upTo.Time), nil
}
