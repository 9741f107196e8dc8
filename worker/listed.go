package worker

import (
	"context"
	"slices"
	"time"

	"rollcall/internal/ledger"

	"rollcall"
)

// overFor is for how long a meeting that has ended is not tracked again because
// a list still names it: lists lag behind.
const overFor = 10 * time.Minute

// declinedFor is for how long no list may have named a meeting that an operator
// declined until that is forgotten.
const declinedFor = 24 * time.Hour

// trackListed tracks the listed meetings of the shard that are not tracked yet,
// and returns how many these are.
func (t *tracker) trackListed(ctx context.Context, source string, listed []string) (fresh int, err error) {
	ids, err := t.choice(ctx, listed)
	if err != nil {
		return 0, err
	}
	now, labels := time.Now().UTC(), t.tenant.FoundLabels[source]
	wanted := make([]ledger.Tracking, len(ids))
	for i, id := range ids {
		wanted[i] = ledger.Tracking{ConferenceID: id, Source: source, Since: now, Labels: labels}
	}
	return len(ids), t.trackAll(ctx, wanted)
}

// choice returns the listed meetings of the shard that are to be tracked and are
// not. What became of those of which nothing is known here is read first.
func (t *tracker) choice(ctx context.Context, listed []string) (ids []string, err error) {
	var unheard []string
	for _, id := range listed {
		if t.mine(id) && t.meetings.entries[id] == nil && id != "" && len(id) <= rollcall.MaxID {
			unheard = append(unheard, id)
		}
	}
	if err := t.trust.load(ctx, slices.Values(unheard)); err != nil {
		return nil, err
	}
	for _, id := range unheard {
		if e := t.meetings.entries[id]; e != nil && !t.wants(id, e) {
			delete(t.meetings.entries, id)
		}
	}
	for _, id := range listed {
		if e := t.meetings.entries[id]; t.mine(id) && e != nil && t.wants(id, e) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// wants reports whether a listed meeting is to be tracked that is not. One that
// an operator took off the tracked set while it went on is not, for as long as
// its record is kept; one that had not started in time is, once it goes on.
func (t *tracker) wants(id string, e *entry) bool {
	switch {
	case e.tracked:
		return false
	case !t.declined[id].IsZero():
		t.declined[id] = time.Now()
		return false
	case !e.record.Over():
		return true
	case e.record.Untracked():
		return t.freed[id] || e.record.Status() < rollcall.StatusStarted
	}
	return time.Since(e.record.Whole().ObservedAt) >= overFor
}

// missing returns the tracked meetings of the shard that are gone from a list.
func (t *tracker) missing(source string, listed, gone []string, restarted bool) (ids []string) {
	known := make(map[string]bool, len(listed))
	for _, id := range listed {
		known[id] = true
	}
	for _, id := range gone {
		if e := t.meetings.entries[id]; e != nil && e.tracked {
			ids = append(ids, id)
		}
	}
	for id, e := range t.meetings.entries {
		if restarted && e.tracked && e.tracking.Source == source && !known[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
