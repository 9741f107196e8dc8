package note

import (
	"slices"

	"rollcall"
)

// maxWatches is how many watch events a batch tells by a line.
const maxWatches = 100

// shard is one of the parts of a tenant's meetings that are looked at apart.
type shard struct {
	tenant string
	number int
}

// watched is a watch event that waits to be told.
type watched struct {
	shard
	Watch
	events int // 2 for a loss that is over
}

// AddWatch takes in that a tenant's meetings are not, or are again, being
// looked at. Both within one batch are told together; a repetition is ignored.
func (b *Batch) AddWatch(e rollcall.WatchEvent) {
	at := shard{e.Tenant, e.Shard}
	last := b.shards[at]
	if e.Epoch < last.epoch || e.Epoch == last.epoch && e.Sequence <= last.sequence {
		return
	}
	if b.shards == nil {
		b.shards = map[shard]position{}
	}
	b.shards[at] = position{e.Epoch, e.Sequence}
	b.events++
	b.extend(e.Window, false)
	if e.Type == rollcall.WatchResumed && b.resume(at, e) {
		return
	}
	if len(b.watches) == maxWatches {
		b.count(e.Type)
		return
	}
	b.watches = append(b.watches, &watched{at, Watch{
		Tenant: e.Tenant, Shards: 1, Of: e.Shards, Resumed: e.Type == rollcall.WatchResumed,
		Reason: e.Reason, Provenance: e.Provenance, Window: e.Window,
	}, 1})
}

// position is how far a shard's watch events were taken in.
type position struct {
	epoch    int64
	sequence uint64
}

// resume tells the return with the loss that it ends, if the batch holds that.
func (b *Batch) resume(at shard, e rollcall.WatchEvent) bool {
	for _, w := range b.watches {
		if w.shard == at && !w.Resumed {
			w.Resumed, w.Window, w.Provenance = true, e.Window, e.Provenance
			w.events++
			return true
		}
	}
	return false
}

// outlook returns what there is to say of the watch: shards of a tenant that were
// lost or are back for the same reason are told together.
func (b *Batch) outlook() (watches []Watch, events int) {
	var told [][]int // the shards of each
	for _, w := range b.watches {
		events += w.events
		i := slices.IndexFunc(watches, func(o Watch) bool {
			return o.Tenant == w.Tenant && o.Resumed == w.Resumed && o.Reason == w.Reason && o.Of == w.Of
		})
		if i < 0 || slices.Contains(told[i], w.number) {
			watches, told = append(watches, w.Watch), append(told, []int{w.number})
			continue
		}
		watches[i].join(&w.Watch)
		told[i] = append(told[i], w.number)
	}
	return watches, events
}

func (w *Watch) join(o *Watch) {
	w.Shards++
	if o.Window.After.Before(w.Window.After) {
		w.Window.After = o.Window.After
	}
	if o.Window.Before.After(w.Window.Before) {
		w.Window.Before = o.Window.Before
	}
}
