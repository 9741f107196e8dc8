package worker

import (
	"time"

	"rollcall/internal/ledger"
)

// others is what the other live workers say of a tenant.
type others struct {
	held, tracked int
	lastGood      time.Time
}

// survey notes what the other members say. What cannot be read says nothing.
func (w *Worker) survey(members []ledger.Member) {
	sums := make(map[string]*others, len(w.tenants))
	for _, m := range members {
		if m.ID == w.cfg.ID {
			continue
		}
		info, err := ParseInfo(m.Info)
		if err != nil {
			continue
		}
		for _, held := range info.Shards {
			sum := sums[held.Tenant]
			if sum == nil {
				sum = &others{}
				sums[held.Tenant] = sum
			}
			sum.held++
			sum.tracked += held.Tracked
			sum.lastGood = later(sum.lastGood, held.LastGood)
		}
	}
	for _, t := range w.tenants {
		sum := sums[t.cfg.Name]
		if sum == nil {
			sum = &others{}
		}
		t.others.Store(sum)
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// anyGood is when any worker last had a good pass of the tenant.
func (t *tenant) anyGood() time.Time { return later(t.lastGood(), t.others.Load().lastGood) }

// tracks is how many meetings of the shard are tracked.
func (s *shard) tracks() int { return len(s.plan.Load().ids) }

// tracks is how many meetings of the tenant are tracked, by all workers.
func (t *tenant) tracks() int {
	n := t.others.Load().tracked
	for _, s := range t.shards {
		n += s.tracks()
	}
	return n
}
