package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/worker/membership"
)

// What a request may be refused with.
var (
	// ErrNoTenant: the configuration has no tenant of that name.
	ErrNoTenant = errors.New("no such tenant")
	// ErrNotHeld: another worker holds the meeting's shard, or none does yet.
	ErrNotHeld = errors.New("this worker does not hold the meeting's shard")
	// ErrBadID: it cannot be the id of a meeting.
	ErrBadID = errors.New("a conference id has 1 to 256 bytes, and no blanks around it")
	// ErrNotTracked: the meeting is not tracked and no record of it is kept.
	ErrNotTracked = errors.New("the meeting is not tracked")
	// ErrNotAnswered: the meeting is tracked now, and nothing is known of it yet.
	ErrNotAnswered = errors.New("the source has not answered about the meeting")
	// ErrNotStored: the ledger has not answered in time. What was ordered may be
	// done all the same.
	ErrNotStored = errors.New("NATS has not stored it in time")
)

// storedIn is how long an order waits for the ledger in all: to be stored, and for
// the answer to what it asked to be.
const storedIn = 12 * time.Second

// View is what a worker knows of one meeting. Its record is not to be changed.
type View struct {
	ConferenceID string
	Tracked      bool
	Source       string           // why it is tracked: config, api, organization, user:ID …
	Since        time.Time        // since when it is tracked
	Labels       rollcall.Labels  // that it is tracked with; not to be changed
	Record       *rollcall.Record // nil: nothing was recorded
	AskedAt      time.Time        // when the last answer was asked that showed the record's state
	Trouble      string           // what is wrong with it; "" when nothing is
}

func (w *Worker) shardOf(tenant, conferenceID string) (*shard, error) {
	if conferenceID == "" || len(conferenceID) > rollcall.MaxID {
		return nil, ErrBadID
	}
	for _, t := range w.all() {
		if t.cfg.Name == tenant {
			shards := t.shards()
			return shards[membership.ShardOf(conferenceID, len(shards))], nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNoTenant, tenant)
}

// Track is [Worker.TrackAs] without a word about labels.
func (w *Worker) Track(ctx context.Context, tenant, conferenceID, source string) (View, error) {
	return w.TrackAs(ctx, tenant, conferenceID, source, nil)
}

// TrackAs puts a meeting on the tracked set, asks about it once and returns what
// is known then. [ErrNotAnswered] says that it is tracked all the same; with
// [ErrNotStored] the answer is there and waits for the ledger. A meeting that is
// over is asked about once more and does not stay tracked. The labels replace
// those that it has; nil leaves them.
func (w *Worker) TrackAs(ctx context.Context, tenant, conferenceID, source string, labels rollcall.Labels) (View, error) {
	s, err := w.shardOf(tenant, conferenceID)
	if err == nil && strings.TrimSpace(conferenceID) != conferenceID {
		err = ErrBadID
	}
	if err != nil {
		return View{}, err
	}
	ordered := time.Now()
	storing, cancel := context.WithTimeoutCause(ctx, storedIn, ErrNotStored)
	defer cancel()
	_, err = run(storing, s, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.tracker.track(ctx, conferenceID, source, labels)
	})
	if err != nil {
		return View{}, fmt.Errorf("track meeting: %w", err)
	}
	trouble, failed := s.pollNow(ctx, conferenceID, storedIn-time.Since(ordered))
	view, err := w.Show(ctx, tenant, conferenceID)
	view.Trouble = cmp.Or(trouble, view.Trouble)
	if err == nil && failed != nil {
		view.Trouble = failed.Error()
		err = fmt.Errorf("%w: %w", ErrNotAnswered, failed)
	}
	return view, err
}

// Untrack takes a meeting off the tracked set; an event says so of one that
// goes on. It returns what is known of it then.
func (w *Worker) Untrack(ctx context.Context, tenant, conferenceID string) (View, error) {
	s, err := w.shardOf(tenant, conferenceID)
	if err != nil {
		return View{}, err
	}
	view, err := run(ctx, s, func(ctx context.Context) (View, error) {
		e, l := s.meetings.entries[conferenceID], s.own.held()
		if e == nil || !e.tracked {
			return View{}, cmp.Or(s.own.stillOurs(ctx), ErrNotTracked)
		}
		if l == nil {
			return View{}, ErrNotHeld
		}
		err := s.tracker.untrack(ctx, l, conferenceID, rollcall.ReasonOperator)
		if errors.Is(err, errOverlap) {
			return View{}, cmp.Or(s.own.stillOurs(ctx), err)
		}
		if err != nil {
			return View{}, err
		}
		s.tracker.declined[conferenceID] = time.Now()
		return s.view(conferenceID, e), s.own.stillOurs(ctx)
	})
	if err != nil {
		return View{}, fmt.Errorf("untrack meeting: %w", err)
	}
	return view, nil
}

// Show returns what is known of a meeting.
func (w *Worker) Show(ctx context.Context, tenant, conferenceID string) (View, error) {
	s, err := w.shardOf(tenant, conferenceID)
	if err != nil {
		return View{}, err
	}
	view, err := look(ctx, s, func(ctx context.Context) (View, error) {
		e := s.meetings.entries[conferenceID]
		if e == nil {
			e = &entry{}
			stored, err := w.cfg.Ledger.Load(ctx, tenant, []string{conferenceID})
			if err != nil {
				return View{}, fmt.Errorf("read the record: %w", err)
			}
			record, found := stored[conferenceID]
			if e.record.Read(record.Record, record.Revision); !found {
				return View{}, cmp.Or(s.own.stillOurs(ctx), ErrNotTracked)
			}
			e.refused.err = record.Err
			if t := record.Tracking; t != nil {
				e.tracked, e.tracking = t.Err == nil, *t
			}
		}
		return s.view(conferenceID, e), nil
	})
	if err != nil {
		return View{}, fmt.Errorf("show meeting: %w", err)
	}
	return view, nil
}

// List returns what is known of the tenant's meetings that this worker asks
// about, and of those that the configuration names, in no order. The numbers
// are those of the shards that it holds.
func (w *Worker) List(ctx context.Context, tenant string) (views []View, shards []int, err error) {
	known := false
	for _, s := range w.shards() {
		if s.tenant.Name != tenant {
			continue
		}
		known = true
		own, err := look(ctx, s, func(context.Context) (own []View, _ error) {
			for id, e := range s.meetings.entries {
				own = append(own, s.view(id, e))
			}
			return own, nil
		})
		if errors.Is(err, ErrNotHeld) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list meetings: %w", err)
		}
		views, shards = append(views, own...), append(shards, s.number)
	}
	if !known {
		return nil, nil, fmt.Errorf("list meetings: %w: %s", ErrNoTenant, tenant)
	}
	return views, shards, nil
}

func (s *shard) view(id string, e *entry) View {
	v := View{
		ConferenceID: id, Tracked: e.tracked, Source: e.tracking.Source, Since: e.tracking.Since,
		Record: e.record.Shown(), AskedAt: e.record.Asked(),
	}
	if v.Labels = e.labels(); v.Labels == nil && v.Record != nil {
		v.Labels = v.Record.Labels
	}
	if report := s.polling.last.Load(); report != nil {
		v.Trouble = report.Trouble(id)
	}
	if e.refused.err != nil {
		v.Trouble = e.refused.err.Error()
	}
	return v
}

// pollNow asks about one meeting outside the schedule and waits until the
// answer is processed. trouble is what the answer says that no record does, such as
// that DingTalk does not know the meeting. The ledger has this long to store the answer.
func (s *shard) pollNow(ctx context.Context, id string, within time.Duration) (trouble string, err error) {
	l := s.own.held()
	if l == nil {
		return "", ErrNotHeld
	}
	if !s.parent.turns.begin(ctx) && ctx.Err() == nil {
		return "", ErrNotHeld // the tenant is replaced
	} else if ctx.Err() != nil {
		return "", fmt.Errorf("wait for the answer: %w", context.Cause(ctx))
	}
	report, asked := s.polling.pollOne(ctx, l, id)
	s.parent.turns.finish()
	if !asked {
		return "", ErrNotHeld
	}
	if class, failed := report.Unanswered[id]; failed {
		return "", cmp.Or(report.Err, errors.New(cmp.Or(class.String(), "it is asked about again with the next pass")))
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("wait for the answer: %w", context.Cause(ctx))
	}
	storing, cancel := context.WithTimeoutCause(ctx, within, ErrNotStored)
	defer cancel()
	if s.queue.Drain(storing) > 0 {
		return "", fmt.Errorf("the answer waits: %w", ErrNotStored)
	}
	return report.Trouble(id), nil
}
