package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/cmd/rollcall/explain"
	"rollcall/consume"
	"rollcall/internal/ledger"
	"rollcall/internal/safetext"
	"rollcall/poller/budget"
	"rollcall/wire"
	"rollcall/worker/membership"
)

const explainHelp = `Explain says of one event how it came to be known, in five lines: what happened;
what the poll before it and the poll that found it said of the person, or of the
meeting; who asked; when it was known, how long after it happened, and why no
sooner: the schedule, the budget, or that nobody looked (throttled by DingTalk, an
outage, no worker). What nobody stores it calls not recorded.

EVENT-ID is the id of a CloudEvent, as "rollcall tail --json" shows it:
acme/6f1a2b/1795963736091-000000000017, and of a watch event
acme/watch-0/1795963736091-000000000002.`

func explainCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:   "explain EVENT-ID",
		Short: "Say how an event came to be known, and why no sooner",
		Long:  explainHelp,
		Example: `  rollcall explain acme/7c3d4e/1795963736091-000000000001
  rollcall explain acme/7c3d4e/1795963736091-000000000001 --json | jq .known.causes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				return usageErrorf("which event? Give its id, as \"rollcall tail --json\" shows it")
			}
			id, err := parseEventID(ids[0])
			if err != nil {
				return err
			}
			return id.explain(p, cmd, flags)
		},
	}
	flags.addToReader(cmd, "one JSON object: what, before, after, asker, known")
	cmd.Flags().Lookup("tenant").Hidden = true // the id has it
	return cmd
}

// eventID is the id of an event.
type eventID struct {
	text, tenant, conference string
	shard                    int // of a watch event; -1: it cannot be one
	epoch                    int64
	sequence                 uint64
}

// parseEventID reads an id; its errors are usage errors.
func parseEventID(text string) (eventID, error) {
	id := eventID{text: text, shard: -1}
	parts := regexp.MustCompile(`^([a-z0-9-]{1,32})/([A-Za-z0-9_%-]+)/([0-9]{1,18})-([0-9]{1,18})$`).FindStringSubmatch(text)
	if parts == nil {
		return id, usageErrorf("%q is no id of an event: it looks like acme/6f1a2b/1795963736091-000000000017", safetext.Field(text, 80))
	}
	var ok bool
	id.tenant = parts[1]
	if id.conference, ok = wire.Value(parts[2]); !ok {
		return id, usageErrorf("%q is no id of an event: %q is no meeting's id", safetext.Field(text, 80), parts[2])
	}
	id.epoch, _ = strconv.ParseInt(parts[3], 10, 64)     // 18 digits fit
	id.sequence, _ = strconv.ParseUint(parts[4], 10, 64) // so do these
	if shard := regexp.MustCompile(`^watch-([0-9]{1,6})$`).FindStringSubmatch(parts[2]); shard != nil {
		id.shard, _ = strconv.Atoi(shard[1])
	}
	return id, nil
}

func (id eventID) explain(p *program, cmd *cobra.Command, flags remoteFlags) error {
	flags.tenant = id.tenant
	s, err := p.open(cmd, flags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	if err := s.found(cmd.Context()); err != nil {
		return err
	}
	facts, err := s.factsOf(cmd.Context(), id)
	if err != nil {
		return err
	}
	x := explain.Of(facts, time.Local)
	if flags.asJSON {
		return writeJSON(p.stdout, x)
	}
	return writeTable(p.stdout, x.Lines())
}

// factsOf reads what is stored about an event.
func (s *session) factsOf(ctx context.Context, id eventID) (explain.Facts, error) {
	f := explain.Facts{ID: id.text}
	err := s.watchEvents(ctx, id, &f)
	if err == nil && f.Watch == nil {
		err = s.meetingEvent(ctx, id, &f)
	}
	if err == nil {
		err = retryRead(ctx, func(ctx context.Context) error { return s.standing(ctx, id, &f) })
	}
	return f, err
}

// watchEvents reads those of the tenant, and looks for the one with the id.
func (s *session) watchEvents(ctx context.Context, id eventID, f *explain.Facts) error {
	feed := consume.Feed{JetStream: s.js, Names: s.names(), Tenant: id.tenant, Types: []rollcall.Type{rollcall.WatchLost, rollcall.WatchResumed}}
	return consume.Read(ctx, s.conn, feed, func(m consume.Stored) error {
		w, err := consume.ParseWatch(m.Data)
		if err != nil {
			return nil // of a newer version: it says nothing to this one
		}
		f.Blind = append(f.Blind, w)
		if w.Shard == id.shard && w.Epoch == id.epoch && w.Sequence == id.sequence {
			f.Watch, f.StoredAt, f.Stream = &w, m.At, m.Sequence
		}
		return nil
	})
}

// meetingEvent looks for the event with the id, and for what was known before.
func (s *session) meetingEvent(ctx context.Context, id eventID, f *explain.Facts) error {
	feed := consume.Feed{JetStream: s.js, Names: s.names(), Tenant: id.tenant, ConferenceID: id.conference}
	var events []consume.Event
	err := consume.Read(ctx, s.conn, feed, func(m consume.Stored) error {
		e, err := consume.Parse(m.Data)
		if err != nil || e.Epoch != id.epoch {
			return nil
		}
		events = append(events, e)
		if e.Sequence < id.sequence {
			return nil
		}
		if e.Sequence == id.sequence {
			f.Event, f.StoredAt, f.Stream, f.Batch = &e.Event, m.At, m.Sequence, m.Header.Get("Nats-Batch-Id")
		}
		return consume.ErrEnough
	})
	if err != nil {
		return err
	}
	if f.Event == nil {
		return s.noEvent(ctx, id, events)
	}
	f.Whole = uint64(len(events)) == id.sequence
	first := id.sequence - uint64(max(0, f.Event.Index-1)) // of its poll
	for i := range events {
		e := &events[i].Event
		if e.Sequence < first && (f.Event.Participant == nil || e.Participant != nil && e.Participant.Key == f.Event.Participant.Key) {
			f.Prior = e
		}
	}
	return nil
}

// noEvent says why there is no event with the id; events are those of its epoch, up
// to the first that comes after it.
func (s *session) noEvent(ctx context.Context, id eventID, events []consume.Event) error {
	text := safetext.Field(id.text, 100)
	if len(events) == 0 {
		return fmt.Errorf("there is no event %s, nor any other of its epoch; %s", text, s.keeps(ctx))
	}
	switch first, last := events[0].Sequence, events[len(events)-1].Sequence; {
	case first > id.sequence:
		return fmt.Errorf("event %s is gone: the first one that is left of its epoch is number %d; %s", text, first, s.keeps(ctx))
	case last > id.sequence:
		return fmt.Errorf("event %s is gone, though earlier ones are there: it was of somebody who was forgotten, or it was lost", text)
	default:
		return fmt.Errorf("there is no event %s yet: the last one of its epoch is number %d", text, last)
	}
}

// standing reads how things stand now: the record, the claim, the pace.
func (s *session) standing(ctx context.Context, id eventID, f *explain.Facts) error {
	all, err := s.ledger().Statuses(ctx)
	if err != nil {
		return err
	}
	f.Pace, f.Shards = all[id.tenant].Pace, 1
	counts, err := s.ledger().Shards(ctx, []string{id.tenant})
	if err != nil {
		return err
	}
	if n := counts[id.tenant].Count; n > 0 {
		f.Shards = n
	}
	if f.Shard = membership.ShardOf(id.conference, f.Shards); f.Watch != nil {
		f.Shard, f.Shards = f.Watch.Shard, f.Watch.Shards
	}
	accounts, err := s.ledger().Budgets(ctx, string(budget.MonthOf(time.Now())))
	if err != nil {
		return err
	}
	_, f.Budgeted = accounts[id.tenant]
	return s.stored(ctx, id, f)
}

// stored reads the shard's claim and the meeting's record.
func (s *session) stored(ctx context.Context, id eventID, f *explain.Facts) error {
	names := s.cfg.Stream.Names()
	stream, err := s.js.Stream(ctx, names.Stream)
	if err != nil {
		return err
	}
	claim, err := last(ctx, stream, names.Claim(id.tenant, f.Shard))
	if err != nil {
		return err
	}
	if claim != nil {
		read, err := ledger.ReadClaim(ledger.Raw{Subject: claim.Subject, Sequence: claim.Sequence, Data: claim.Data})
		if err == nil {
			f.Claim = explain.Claim{Holder: read.Holder, Term: read.Term, At: claim.Time}
		}
	}
	record, err := last(ctx, stream, names.State(id.tenant, id.conference))
	if err != nil || record == nil || f.Watch != nil {
		return err
	}
	if f.Record, err = wire.DecodeRecord(record.Data); err != nil {
		return fmt.Errorf("read the record of meeting %s: %w", safetext.Field(id.conference, 60), err)
	}
	f.RecordBatch = record.Header.Get("Nats-Batch-Id")
	return nil
}

// last is the last message of a subject; nil: there is none.
func last(ctx context.Context, stream jetstream.Stream, subject string) (*jetstream.RawStreamMsg, error) {
	m, err := stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	return m, err
}
