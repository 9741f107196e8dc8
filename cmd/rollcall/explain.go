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
	s, err := openStream(p, cmd, flags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
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
	r := reading{id: id, Facts: explain.Facts{ID: id.text}}
	feed := consume.Feed{JetStream: s.js, Names: s.names(), Tenant: id.tenant, ConferenceID: id.conference, Watch: true}
	err := consume.Read(ctx, s.conn, feed, func(m consume.Stored) error { r.take(m); return nil })
	switch {
	case err != nil:
		return r.Facts, err
	case r.Watch == nil && r.Event == nil:
		return r.Facts, s.noEvent(ctx, id, r.events)
	case r.Watch == nil:
		r.lookBack()
	}
	return r.Facts, retryRead(ctx, func(ctx context.Context) error { return s.standing(ctx, id, &r.Facts) })
}

// reading is what the stream holds about an event.
type reading struct {
	id eventID
	explain.Facts
	events []consume.Event // of its epoch, up to the first that is not before it
}

// take takes a watch event of the tenant, or an event of the meeting. What cannot be
// read, as of a newer version, says nothing to this one.
func (r *reading) take(m consume.Stored) {
	e, err := consume.Parse(m.Data)
	switch {
	case err != nil:
	case e.ConferenceID == "":
		if w, err := consume.ParseWatch(m.Data); err == nil {
			r.takeWatch(w, m)
		}
	case e.Epoch == r.id.epoch && (len(r.events) == 0 || r.events[len(r.events)-1].Sequence < r.id.sequence):
		if r.events = append(r.events, e); e.Sequence == r.id.sequence {
			r.Event, r.StoredAt, r.Stream, r.Batch = &e.Event, m.At, m.Sequence, m.Header.Get("Nats-Batch-Id")
		}
	}
}

func (r *reading) takeWatch(w rollcall.WatchEvent, m consume.Stored) {
	r.Blind = append(r.Blind, w)
	if w.Shard == r.id.shard && w.Epoch == r.id.epoch && w.Sequence == r.id.sequence {
		r.Watch, r.StoredAt, r.Stream = &w, m.At, m.Sequence
	}
}

// lookBack finds what was known before the event's poll.
func (r *reading) lookBack() {
	of := r.Event
	r.Whole = uint64(len(r.events)) == r.id.sequence
	first := r.id.sequence - uint64(max(0, of.Index-1)) // of its poll
	for i := range r.events {
		e := &r.events[i].Event
		if e.Sequence < first && (of.Participant == nil || e.Participant != nil && e.Participant.Key == of.Participant.Key) {
			r.Prior = e
		}
	}
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
