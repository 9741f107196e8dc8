package worker

import (
	"context"
	"fmt"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
	"rollcall/worker/summary"
)

// summaryLate is after how long a known end is told about no more, as where an
// earlier version left it so.
const summaryLate = 48 * time.Hour

// summary reads the events of an ended meeting back and joins them to the list of its
// members: nothing has to be remembered of people until the end.
func (m *memberLists) summary(ctx context.Context, r *rollcall.Record, members []rollcall.Member, complete bool) (rollcall.Sighting, error) {
	var seen summary.Observed
	err := m.cfg.Eraser.Events(ctx, m.tenant.Name, r.ConferenceID, func(raw ledger.Raw) {
		if e, known, err := wire.ParseEvent(raw.Data); known && err == nil && e.Epoch == r.Epoch {
			seen.Apply(&e)
		}
	})
	if err == nil && seen.Sequence != r.Sequence {
		err = fmt.Errorf("read the events of meeting %q: the last is %d, that of its record %d", r.ConferenceID, seen.Sequence, r.Sequence)
	}
	if err != nil {
		return rollcall.Sighting{}, err
	}
	return rollcall.Sighting{
		ConferenceID: r.ConferenceID, Kind: rollcall.SightingSummarized, Sequence: r.Sequence, Summary: summary.Of(r, &seen, members, complete),
	}, nil
}

// unsummarized reports whether the meeting has ended and is still to be told about.
// Of one that was over when it was first looked at its end is all there is to tell.
func (e *entry) unsummarized(now time.Time) bool {
	if e.tracked || e.record.None() || e.record.Untracked() || e.record.Status() != rollcall.StatusEnded {
		return false
	}
	r := e.record.Whole()
	return !r.Summarized && r.Sequence > 1 && now.Sub(r.ObservedAt) < summaryLate
}
