package worker

import (
	"context"
	"errors"
	"iter"

	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/streak"
	"rollcall/internal/tracing"
)

// committer compares observations with what is stored and commits the
// difference. It belongs to the shard's goroutine.
type committer struct {
	*scope
	own      *ownership
	meetings *meetings
	trust    *trust
	retry    *retrier
	recent   *recentChanges
	omitted  func() // names are omitted from now on
	watch    *watch

	trouble streak.Log               // with storing
	late    int                      // answers about meetings that came too late, since it was last said
	odd     map[rollcall.Oddity]bool // logged once
}

// group is a set of sightings that are committed, and if need be tried again, together.
type group struct {
	sightings []*rollcall.Sighting
	stale     int // how often the ledger had moved on
	limit     int // meetings a batch may hold; 0: as many as fit
}

// ids are those of its meetings.
func (g *group) ids() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, sighting := range g.sightings {
			if !yield(sighting.ConferenceID) {
				return
			}
		}
	}
}

// process compares an observation with what is stored and commits the
// difference. It comes back when that is done (true) or when ctx ends.
// Whatever went wrong, the way on is the same: read, compare, commit.
func (c *committer) process(ctx context.Context, obs *rollcall.Observation) bool {
	if !c.know(ctx) {
		return false
	}
	ctx = tracing.Under(ctx, obs.Trace)
	uncommitted := []group{{sightings: c.notable(obs)}}
	stale := 0
	for len(uncommitted) > 0 && ctx.Err() == nil && !c.trust.moved() {
		g := uncommitted[0]
		again, err := c.attempt(ctx, obs, g)
		uncommitted = append(again, uncommitted[1:]...)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			c.retry.works(&c.trouble)
			stale = 0
			continue
		}
		c.trouble.Note(err)
		if errors.Is(err, ledger.ErrStale) {
			if stale++; stale > 2 {
				c.retry.wait(ctx)
			}
		} else if waits(err, g, again) {
			c.cfg.Backlog.Hold()
			c.retry.wait(ctx)
		}
	}
	return ctx.Err() == nil && !c.trust.moved()
}

// know reads what is stored of the shard where nothing is known of it: when an
// earlier process's observations come before the claim, or late ones after it.
func (c *committer) know(ctx context.Context) bool {
	for !c.meetings.known() && ctx.Err() == nil && !c.trust.moved() {
		err := c.trust.readFirst(ctx)
		if ctx.Err() != nil {
			return false
		}
		if c.trouble.Note(err); err != nil {
			c.cfg.Backlog.Hold()
			c.retry.wait(ctx)
		}
	}
	return ctx.Err() == nil && !c.trust.moved()
}

// waits distinguishes failures that pass with time from those where the next
// attempt is another one, such as with fewer meetings in a batch.
func waits(err error, g group, again []group) bool {
	if errors.Is(err, ledger.ErrRefused) {
		return len(again) > 0 && again[0].limit == g.limit
	}
	return !errors.Is(err, ledger.ErrStale)
}

// notable returns the sightings that need more than a glance: a meeting whose
// answer is the one that led to its record is left out.
func (c *committer) notable(obs *rollcall.Observation) []*rollcall.Sighting {
	trusted := c.own.sure()
	var out []*rollcall.Sighting
	for i := range obs.Sightings {
		sighting := &obs.Sightings[i]
		e := c.meetings.entries[sighting.ConferenceID]
		if trusted && e != nil && sighting.Kind == rollcall.SightingListed && e.record.Unchanged(sighting.Raw, obs.Number, obs.AskedAt) {
			continue
		}
		out = append(out, sighting)
	}
	return out
}

// attempt compares and commits one group. It returns what has to be tried
// again, and the error that made it so.
func (c *committer) attempt(ctx context.Context, obs *rollcall.Observation, g group) ([]group, error) {
	if err := c.trust.verify(ctx); err != nil {
		return []group{g}, err
	}
	if err := c.trust.load(ctx, g.ids()); err != nil {
		return []group{g}, err
	}
	news, err := c.watch.answered(ctx, obs)
	if err != nil {
		return []group{g}, err
	}
	if len(g.sightings) == 0 {
		if err := c.watch.commit(ctx, news); err != nil {
			return []group{g}, err
		}
		return nil, nil
	}
	draft := c.drafts.Get().(*ledger.Draft)
	defer func() {
		draft.Reset()
		c.drafts.Put(draft)
	}()
	_, span := tracing.Start(ctx, "diff", attribute.Int("rollcall.meetings", len(g.sightings)))
	batches := cut(c.compare(obs, g.sightings, draft), g.limit)
	span.End()
	if len(batches) == 0 || !news.fits(batches[0]) {
		if err := c.watch.commit(ctx, news); err != nil {
			return []group{g}, err
		}
		news = watchNews{}
	}
	for i, batch := range batches {
		if err := c.commit(ctx, batch, news); err != nil {
			again := c.failed(err, batch, g)
			for _, rest := range batches[i+1:] {
				again = append(again, group{sightings: sightingsOf(rest), limit: g.limit})
			}
			return again, err
		}
		news = watchNews{}
	}
	return nil, nil
}

// failed says what to try again after a batch was not stored, or only in part.
func (c *committer) failed(err error, batch []pendingWrite, g group) []group {
	c.trust.unclear = true
	again := group{sightings: sightingsOf(batch), stale: g.stale, limit: g.limit}
	switch {
	case errors.Is(err, ledger.ErrRefused) && len(batch) == 1:
		c.metrics.commits.WithLabelValues("refused").Inc()
		c.meetings.refuse(batch[0].sighting.ConferenceID, err)
		return nil
	case errors.Is(err, ledger.ErrRefused):
		again.limit = 1
	case errors.Is(err, ledger.ErrStale):
		c.metrics.commits.WithLabelValues("stale").Inc()
		again.stale++
		if again.stale >= 3 {
			again.stale, again.limit = 0, max(1, len(batch)/2)
		}
		c.meetings.void(idsOf(batch)...)
	case errors.Is(err, ledger.ErrFull), errors.Is(err, ledger.ErrBusy):
		c.metrics.commits.WithLabelValues("busy").Inc()
	default:
		c.metrics.commits.WithLabelValues("unknown").Inc()
		c.meetings.void(idsOf(batch)...)
	}
	return []group{again}
}

// logLate says how many answers came too late to be compared, since the last time.
func (c *committer) logLate() {
	if c.late == 0 {
		return
	}
	c.log.Warn("answers dropped: another worker has taken the shard and looked since; what changed meanwhile is reported as it is now",
		zap.Int("meetings", c.late))
	c.late = 0
}
