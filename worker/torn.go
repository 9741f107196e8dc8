package worker

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// torn is a meeting whose epoch cannot go on.
type torn struct {
	last ledger.Last
	why  error // its record cannot be read; nil: its events stand beyond its record
}

// holdAgainstEvents looks for events beyond the records of these meetings.
func (tr *trust) holdAgainstEvents(ctx context.Context, ids []string, stored map[string]ledger.Stored) error {
	if len(ids) == 0 {
		return nil
	}
	last, err := tr.cfg.Ledger.LastEvents(ctx, tr.tenant.Name, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		e, why := tr.meetings.entries[id], stored[id].Err
		delete(tr.torn, id) // as it is now
		switch {
		case errors.Is(why, wire.ErrNewerSchema):
			tr.meetings.refuse(id, why)
		case why != nil, last[id].Revision > e.record.Revision() && (e.tracked || e.record.Revision() > 0):
			if tr.torn == nil {
				tr.torn = make(map[string]torn)
			}
			tr.torn[id] = torn{last[id], why}
		case e.stray && e.record.Untracked() && last[id].Revision > 0 && !last[id].Untracked:
			lost := *stored[id].Tracking // of an epoch that was closed: what was to say that the meeting is tracked on
			lost.Revision, lost.Err = e.record.Revision()+1, errNoEntry
			tr.retrack(e, &lost)
		}
	}
	return nil
}

// fix closes the epochs that cannot go on: their meetings are recorded as
// meetings are that were taken off the tracked set, so that the next answer
// opens another epoch, and an id is never used for two contents. Where the ledger
// refuses the record that says so, the meeting is set aside, and the others go on.
func (tr *trust) fix(ctx context.Context) error {
	for id, t := range tr.torn {
		e := tr.meetings.entries[id]
		if e == nil { // nobody asks about it any more
			delete(tr.torn, id)
			continue
		}
		if e.aside() {
			continue
		}
		err := tr.close(ctx, id, t)
		if errors.Is(err, ledger.ErrRefused) {
			tr.meetings.refuse(id, err)
			continue
		}
		if err != nil {
			tr.meetings.void(id)
			tr.unclear = true
			return fmt.Errorf("close the epoch of meeting %q: %w", id, err)
		}
		delete(tr.torn, id)
	}
	return nil
}

// breaks reports whether the epoch of a meeting cannot go on, and is not closed yet.
func (tr *trust) breaks(id string) bool {
	_, broken := tr.torn[id]
	return broken
}

func (tr *trust) close(ctx context.Context, id string, t torn) error {
	e := tr.meetings.entries[id]
	closed := tr.closed(id, e.record.Whole(), t.last)
	msg, err := tr.recordMessage(closed, e.record.Revision())
	if err != nil {
		return err
	}
	msgs := []ledger.Message{msg}
	// What is over is asked about again: its last events may say that it goes on.
	if e.tracked || !e.record.None() && !e.record.Untracked() {
		if e.tracking.ConferenceID == "" {
			e.tracking = ledger.Tracking{ConferenceID: id, Source: "reopened", Since: closed.ObservedAt, Labels: closed.Labels}
		}
		entry, err := tr.trackMessage(e.tracking)
		if err != nil {
			return err
		}
		msgs = append(msgs, entry)
	}
	first, err := tr.cfg.Committer.Commit(ctx, msgs)
	if err != nil {
		return err
	}
	tr.logClosed(id, e, t)
	tr.ground.Note(tr.era, first+1)
	e.record.Wrote(closed, first, closed.Number.Term == tr.own.term(), e.record.Asked())
	e.refused = refusal{}
	e.tracked = len(msgs) > 1
	e.tracking.Revision = first + 1
	tr.meetings.replan()
	return nil
}

// closed is the record of an epoch that cannot go on.
func (tr *trust) closed(id string, prev *rollcall.Record, last ledger.Last) *rollcall.Record {
	closed := &rollcall.Record{Tenant: tr.tenant.Name, ConferenceID: id}
	if prev != nil {
		*closed = *prev
		closed.Roster, closed.Memory, closed.Partial, closed.Misses, closed.Meeting.Present = nil, nil, nil, 0, 0
	}
	closed.Untracked = true
	if last.Epoch > closed.Epoch {
		closed.Epoch, closed.Sequence = last.Epoch, 0
	}
	if last.Epoch == closed.Epoch {
		closed.Sequence = max(closed.Sequence, last.Sequence)
	}
	if tr.own.term() > closed.Number.Term {
		closed.Number = rollcall.Number{Term: tr.own.term()}
	}
	return closed
}

func (tr *trust) logClosed(id string, e *entry, t torn) {
	if t.why != nil {
		tr.metrics.unreadable.WithLabelValues(tr.tenant.Name, "record").Inc()
		tr.log.Warn("a record cannot be read; its epoch ends, and the next answer opens another one",
			zap.String("meeting", id), zap.Int64("epoch", t.last.Epoch), zap.Uint64("sequence", t.last.Sequence), zap.Error(t.why))
		return
	}
	recorded := uint64(0)
	if r := e.record.Shown(); r != nil {
		recorded = r.Sequence
	}
	tr.metrics.torn.WithLabelValues(tr.tenant.Name).Inc()
	tr.log.Warn("events stand beyond a meeting's record: the broker has stored a batch in part; its epoch ends, and the next answer opens another one",
		zap.String("meeting", id), zap.Int64("epoch", t.last.Epoch), zap.Uint64("sequence", t.last.Sequence), zap.Uint64("recorded", recorded))
}
