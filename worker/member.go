package worker

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/internal/ledger"
)

// heartbeat knows when the ledger last confirmed that this worker is alive.
type heartbeat struct {
	ttl  time.Duration
	last atomic.Pointer[time.Time] // when the last confirmed beat was sent
	// lapses counts how often the confirmation came too late. Whoever trusted
	// a cache before a lapse must not trust it after.
	lapses atomic.Uint64
	began  atomic.Pointer[time.Time] // when the first beat after the last lapse was sent

	mu    sync.Mutex
	again chan struct{} // closed and renewed at the first beat after a lapse
}

func newHeartbeat(ttl time.Duration) *heartbeat {
	return &heartbeat{ttl: ttl, again: make(chan struct{})}
}

// back gives a channel that closes at the next first beat after a lapse.
func (h *heartbeat) back() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.again
}

func (h *heartbeat) announce() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.again)
	h.again = make(chan struct{})
}

// confirmed notes a beat that was sent at the given instant.
func (h *heartbeat) confirmed(sent time.Time) {
	if h.fresh() {
		h.last.Store(&sent)
		return
	}
	// Counted before it reads as fresh: nobody may see the one without the other.
	h.lapses.Add(1)
	h.began.Store(&sent)
	h.last.Store(&sent)
	h.announce()
}

// settled reports whether this worker has lived without a lapse for a TTL. What met
// it before may have met everybody: whoever lived then has had time to say so.
func (h *heartbeat) settled() bool {
	began := h.began.Load()
	return began != nil && h.fresh() && time.Since(*began) >= h.ttl
}

// fresh reports whether a beat was confirmed within the TTL.
func (h *heartbeat) fresh() bool {
	last := h.last.Load()
	return last != nil && time.Since(*last) < h.ttl
}

// keepMembership beats three times a TTL, and whenever a shard was taken or
// given up, and hands each shard to the live worker it belongs to.
func (w *Worker) keepMembership(ctx context.Context) {
	ticker := time.NewTicker(w.cfg.MemberTTL / 3)
	defer ticker.Stop()
	trouble := trouble{log: w.log, what: "membership"}
	for beats := 0; ; {
		if err := w.beatOnce(ctx); ctx.Err() == nil {
			trouble.note(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// Workers that start together claim the same shards for a moment.
			if beats++; beats <= 3 || beats%3 == 0 {
				w.doubtClaims()
			}
		case <-w.changed:
		}
	}
}

// doubtClaims lets every shard look, once a TTL, whether its claim is the last.
func (w *Worker) doubtClaims() {
	for _, s := range w.shards() {
		s.doubtClaim()
	}
}

func (w *Worker) beatOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.MemberTTL/2)
	defer cancel()
	sent := time.Now()
	if err := w.cfg.Ledger.Heartbeat(ctx, w.cfg.ID, w.info(), w.cfg.MemberTTL); errors.Is(err, ledger.ErrGone) {
		return cmp.Or(w.ground.renew(ctx, theMembers, err), err)
	} else if err != nil {
		return err
	}
	w.ground.right(theMembers)
	if err := w.ground.look(ctx); err != nil {
		return err
	}
	w.beat.confirmed(sent)
	if err := w.divide(ctx); err != nil {
		return err
	}
	members, err := w.cfg.Ledger.Members(ctx)
	if err != nil {
		return err
	}
	if err := w.meet(members, w.beats.Load()); err != nil {
		return err
	}
	w.assign()
	return nil
}

// assign tells every shard whether it belongs to this worker. Nothing is asked
// before each of them has heard it.
func (w *Worker) assign() {
	w.forgetLeft()
	for _, t := range w.tenants {
		ids := w.peers.Load().whoKnows(t.cfg.Name)
		for _, s := range t.shards() {
			mine := owner(ids, t.cfg.Name, s.number) == w.cfg.ID
			s.want(mine, mine && s.held.Load() == nil && w.blocks(s))
		}
	}
	w.surveyed.Store(true)
}

// owner is the live worker with the highest rendezvous hash of a shard.
func owner(ids []string, tenant string, shard int) string {
	best, bestHash := "", uint64(0)
	for _, id := range ids {
		h := fnv.New64a()
		_, _ = h.Write([]byte(tenant + "/" + strconv.Itoa(shard) + "/" + id))
		hash := mix(h.Sum64())
		if best == "" || hash > bestHash || hash == bestHash && id < best {
			best, bestHash = id, hash
		}
	}
	return best
}

// mix spreads FNV's output: its high bits hardly depend on the last bytes.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// shardOf is the shard that a meeting belongs to.
func shardOf(conferenceID string, shards int) int {
	if shards <= 1 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(conferenceID))
	return int(mix(h.Sum64()) % uint64(shards))
}
