package worker

import (
	"context"
	"errors"
	"maps"
	"time"

	"rollcall/internal/ledger"

	"go.uber.org/zap"

	"rollcall"
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
				t.log.Warn("a meeting that the configuration no longer names is still tracked",
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
			t.log.Info("a meeting that the configuration names has ended; it is not asked about again",
				zap.String("meeting", id), zap.String("reason", string(e.record.Whole().EndReason)))
		default:
			wanted = append(wanted, ledger.Tracking{
				ConferenceID: id, Source: sourceConfig, Since: time.Now().UTC(), Labels: t.tenant.Labels[id],
			})
		}
	}
	return t.trackAll(ctx, wanted)
}

// relabel gives tracked meetings the labels that the configuration has for them
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
