package worker

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/publisher/journal"
)

// Journal keeps observations on disk while the ledger cannot take them.
type Journal interface {
	Append(obs *rollcall.Observation) error
	Sync() error
	Clear() error
}

// keeper writes what waits into the journal, from when the ledger fails or lags
// until nothing waits any more. Without a journal it does nothing.
type keeper struct {
	journal Journal
	queues  []*queue
	dirty   chan struct{} // something was appended that is not synced

	mu      sync.Mutex
	on      bool
	written bool // the journal may hold something
	full    bool
	trouble trouble
}

func newKeeper(j Journal, log *zap.Logger) *keeper {
	return &keeper{journal: j, dirty: make(chan struct{}, 1), trouble: trouble{log: log, what: "the journal of what waits"}}
}

// begin writes what waits, and from now on what comes.
func (k *keeper) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.on = true
	k.write()
	for _, q := range k.queues {
		q.stir()
	}
}

// isOn reports whether the ledger fails or lags.
func (k *keeper) isOn() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.on
}

// slow is how long an observation may wait before it counts as not taken,
// though nothing has failed yet.
const slow = 3 * time.Second

// came writes what has come, if the ledger does not take it.
func (k *keeper) came() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, q := range k.queues {
		_, _, oldest := q.weight()
		k.on = k.on || !oldest.IsZero() && time.Since(oldest) > slow
	}
	if k.on {
		k.write()
	}
}

// write appends what is not in the journal yet, shard by shard and in order.
// It is called with mu held.
func (k *keeper) write() {
	if k.journal == nil {
		return
	}
	k.written = true
	for _, q := range k.queues {
		err := q.eachUnkept(k.append)
		k.full = k.full || errors.Is(err, journal.ErrFull)
		k.trouble.note(err)
	}
	select {
	case k.dirty <- struct{}{}:
	default:
	}
}

// append leaves out meetings whose answer is that of the poll before: it is in
// the journal, or stored, already.
func (k *keeper) append(obs *rollcall.Observation) error {
	slim := *obs
	slim.Sightings = nil
	for i := range obs.Sightings {
		if s := &obs.Sightings[i]; s.Kind != rollcall.SightingListed || s.Answer != nil {
			slim.Sightings = append(slim.Sightings, *s)
		}
	}
	if len(slim.Sightings) == 0 {
		return nil
	}
	return k.journal.Append(&slim)
}

// emptied notes that the ledger takes observations again, and clears the
// journal once none of those in it waits in any shard.
func (k *keeper) emptied() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.on && !k.written {
		return
	}
	k.on = false
	for _, q := range k.queues {
		if q.kept() > 0 {
			return
		}
	}
	k.written, k.full = false, false
	if k.journal != nil {
		k.trouble.note(k.journal.Clear())
	}
}

// isFull reports whether the journal can take no more.
func (k *keeper) isFull() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.full
}

// keepSynced makes what was appended survive a power failure, as often as the
// disk can.
func (k *keeper) keepSynced(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-k.dirty:
			if k.journal == nil {
				continue
			}
			if err := k.journal.Sync(); err != nil {
				k.mu.Lock()
				k.trouble.note(err)
				k.mu.Unlock()
			}
		}
	}
}

// kept reports whether everything that waits is in the journal.
func (k *keeper) kept() bool {
	if k.journal == nil {
		return false
	}
	for _, q := range k.queues {
		if q.unkept() > 0 {
			return false
		}
	}
	return true
}

// replay gives the shards what an earlier process left in the journal. It goes
// by the shards as they are now.
func (w *Worker) replay(found []*rollcall.Observation) {
	unknown := 0
	for _, obs := range found {
		t := w.tenant(obs.Tenant)
		if t == nil {
			unknown++
			continue
		}
		parts := make(map[int][]rollcall.Sighting)
		for _, s := range obs.Sightings {
			n := shardOf(s.ConferenceID, t.cfg.Shards)
			parts[n] = append(parts[n], s)
		}
		for n, sightings := range parts {
			part := *obs
			part.Shard, part.Sightings = n, sightings
			t.shards[n].queue.restore(&part)
		}
	}
	if unknown > 0 {
		w.log.Error("the journal holds observations of tenants that are not configured any more; they are dropped",
			zap.Int("observations", unknown))
	}
	if len(found) > 0 {
		w.log.Info("the journal is replayed before anything is asked", zap.Int("observations", len(found)))
		w.keeper.written = true
	}
}

func (w *Worker) tenant(name string) *tenant {
	for _, t := range w.tenants {
		if t.cfg.Name == name {
			return t
		}
	}
	return nil
}
