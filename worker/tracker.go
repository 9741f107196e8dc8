package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/worker/backlog"
)

// tracker decides which of a shard's meetings are tracked, and has the ledger
// hold it. It belongs to the shard's goroutine.
type tracker struct {
	*scope
	own      *ownership
	meetings *meetings
	trust    *trust
	commits  *committer
	queue    *backlog.Lane
	lastPass func() *lastPass
	pace     func() time.Duration // between two passes

	// No list brings back what an operator declined under this worker, but it
	// may what the configuration no longer names.
	declined map[string]time.Time // when a list last named it, or that was
	freed    map[string]bool
	swept    time.Time // when meetings that never started were last looked for
	looked   time.Time // when the last pass was over that counts for them
}

// track puts the meeting on the tracked set. One that is there is said to be
// once more, so that the ledger says whether the shard is still ours. One that
// sets other labels than it had is its source from now on: the configuration
// restores its own labels only where it is the source.
func (t *tracker) track(ctx context.Context, id, source string, labels rollcall.Labels) error {
	delete(t.declined, id)
	tracking := ledger.Tracking{ConferenceID: id, Source: source, Since: time.Now().UTC(), Labels: labels}
	e := t.meetings.entries[id]
	tracked := e != nil && e.tracked
	same := tracked && (labels == nil || maps.Equal(labels, e.tracking.Labels))
	if tracked {
		tracking = e.tracking
	}
	if tracked && !same {
		tracking.Labels, tracking.Source = labels, source
	}
	msg, err := t.trackMessage(tracking)
	if err != nil {
		return err
	}
	err = t.outcome(ctx, id, true, t.trust.commitClaimed(ctx, msg))
	if err == nil && !same {
		t.meetings.track(tracking)
	}
	return err
}

// trackAll puts meetings into the tracked set, or writes their entries anew.
func (t *tracker) trackAll(ctx context.Context, wanted []ledger.Tracking) error {
	for part := range slices.Chunk(wanted, ledger.MaxBatchMessages) {
		msgs := make([]ledger.Message, len(part))
		for i := range part {
			var err error
			if msgs[i], err = t.trackMessage(part[i]); err != nil {
				return err
			}
		}
		if err := t.trust.commitClaimed(ctx, msgs...); err != nil {
			return fmt.Errorf("store the tracked set: %w", err)
		}
		for i := range part {
			t.meetings.track(part[i])
		}
	}
	return nil
}

// untrack takes a meeting off the tracked set, with an event that states the
// reason where it was ever seen.
func (t *tracker) untrack(ctx context.Context, l *lease, id string, reason rollcall.Reason) error {
	t.catchUp(ctx)
	if e := t.meetings.entries[id]; e.record.None() || e.record.Over() {
		err := t.trust.commitClaimed(ctx, t.untrackMessage(id))
		if err = t.outcome(ctx, id, false, err); err != nil {
			return fmt.Errorf("untrack meeting %q: %w", id, err)
		}
		t.meetings.setTracked(e, false)
		return nil
	}
	now := time.Now().UTC()
	t.commits.process(ctx, &rollcall.Observation{
		Tenant: t.tenant.Name, Shard: t.number, Number: l.next(), AskedAt: now, AnsweredAt: now,
		Sightings: []rollcall.Sighting{{ConferenceID: id, Kind: rollcall.SightingUntracked, Reason: reason}},
	})
	if e := t.meetings.entries[id]; e.tracked && ctx.Err() == nil {
		return fmt.Errorf("untrack meeting %q: %w", id, cmp.Or(e.refused.err, errOverlap))
	}
	return ctx.Err()
}

// errOverlap says that a meeting could not be untracked yet.
var errOverlap = errors.New("another worker wrote its record meanwhile; try again")

// catchUp processes what waits, so that what was asked before comes before.
func (t *tracker) catchUp(ctx context.Context) {
	for obs := t.queue.Take(); obs != nil && t.commits.process(ctx, obs); obs = t.queue.Take() {
		t.queue.Done(obs)
	}
}

// outcome returns what became of a change about a meeting that was not
// acknowledged: the tracked set itself says whether it took effect.
func (t *tracker) outcome(ctx context.Context, id string, want bool, err error) error {
	if !errors.Is(err, ledger.ErrUnknown) {
		return err
	}
	t.trust.unclear = true
	if t.trust.verify(ctx) != nil {
		return err
	}
	if e := t.meetings.entries[id]; (e != nil && e.tracked) != want {
		return err
	}
	return nil
}
