package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
)

// reconcile brings the tracked set in line with the configuration.
func (t *tracker) reconcile(ctx context.Context, l *lease) error {
	if err := errors.Join(t.trackNamed(ctx), t.relabel(ctx)); err != nil {
		return err
	}
	for id, e := range t.meetings.entries {
		if e.tracked && e.tracking.Source == sourceConfig && !t.named[id] {
			err := t.untrack(ctx, l, id, rollcall.ReasonOperator)
			if err != nil && (ctx.Err() != nil || t.meetings.entries[id].refused.err == nil && !errors.Is(err, errOverlap)) {
				return err
			}
			t.freed[id] = true
			if err != nil { // it alone stays tracked; the others are not to wait for it
				t.log.Warn("meeting still tracked though the configuration no longer names it",
					zap.String("meeting", id), zap.Error(err))
			}
		}
	}
	return nil
}

// sourceConfig marks meetings that are tracked because the configuration says so.
const sourceConfig = "config"

func (t *tracker) trackNamed(ctx context.Context) error {
	var wanted []ledger.Tracking
	for _, id := range t.tenant.Conferences {
		if !t.mine(id) {
			continue
		}
		switch e := t.meetings.entry(id); {
		case e.tracked:
		case e.record.Over() && !e.record.Untracked():
			t.log.Info("configured meeting has ended; it is not asked about again",
				zap.String("meeting", id), zap.String("reason", string(e.record.Whole().EndReason)))
		default:
			wanted = append(wanted, ledger.Tracking{
				ConferenceID: id, Source: sourceConfig, Since: time.Now().UTC(), Labels: t.tenant.Labels[id],
			})
		}
	}
	return t.trackAll(ctx, wanted)
}

// relabel returns tracked meetings the labels that the configuration has for them
// now, as long as nobody else gave them others.
func (t *tracker) relabel(ctx context.Context) error {
	var changed []ledger.Tracking
	for id, e := range t.meetings.entries {
		next := e.tracking
		given := next.Source == sourceConfig
		if next.Labels = t.tenant.Labels[id]; !given {
			next.Labels, given = t.tenant.FoundLabels[next.Source]
		}
		if e.tracked && given && !maps.Equal(next.Labels, e.tracking.Labels) {
			changed = append(changed, next)
		}
	}
	return t.trackAll(ctx, changed)
}

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
// not. What became of those that nothing is known of here is read first.
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
