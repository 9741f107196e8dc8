package publisher

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
)

// A broker that reaches a limit in the middle of a batch may store a part of it.
// So batches stop before a limit that is known: below a reserve, which is a
// twentieth of what the limit allows, and at most that.
const (
	mostReserve = 64 << 20
	lookAgain   = 10 * time.Second // others store too
	lookWithin  = time.Second
)

// Disk returns how many bytes are free where the broker stores, and how many
// there are in all.
type Disk func() (free, total int64, err error)

// room knows how much can still be stored.
type room struct {
	mu     sync.Mutex
	looked time.Time
	left   int64  // bytes above the reserve
	limit  string // what bounds them
}

// limits are what NATS says of the bytes of the account and of the stream.
type limits struct {
	account struct {
		tier
		Tiers map[string]tier `json:"tiers"`
	}
	stream struct {
		Config jetstream.StreamConfig `json:"config"`
		State  struct {
			Bytes int64 `json:"bytes"`
		} `json:"state"`
	}
}

type tier struct {
	Storage int64 `json:"storage"`
	Limits  struct {
		MaxStorage int64 `json:"max_storage"`
	} `json:"limits"`
}

// take takes the room for a batch; without it the error matches
// [ledger.ErrFull] and names the limit. One message alone is stored or not.
func (p *Publisher) take(ctx context.Context, msgs []ledger.Message) error {
	if len(msgs) == 1 {
		return nil
	}
	need := int64(0)
	for i := range msgs {
		need += int64(msgs[i].Size(p.Names))
	}
	r := &p.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if need > r.left || time.Since(r.looked) > lookAgain {
		p.look(ctx)
	}
	if need > r.left {
		return fmt.Errorf("%w: nothing is stored before it: %s", ledger.ErrFull, r.limit)
	}
	r.left -= need
	return nil
}

// Room is how many bytes batches may still take before the nearest limit of the
// stream, the account or the disk, as last measured for a batch. It is not
// bounded where no limit is known, or nothing was measured yet.
func (p *Publisher) Room() (left int64, bounded bool) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	return p.room.left, p.room.limit != ""
}

// look measures the room. What cannot be found out is no limit.
func (p *Publisher) look(ctx context.Context) {
	p.room.left, p.room.limit, p.room.looked = math.MaxInt64, "", time.Now()
	var now limits
	if p.Conn.IsConnected() {
		p.ask(ctx, "INFO", &now.account)
		p.ask(ctx, "STREAM.INFO."+p.Names.Stream, &now.stream)
	}
	replicas := int64(max(1, now.stream.Config.Replicas))
	p.bound("max_bytes of stream "+p.Names.Stream+" is nearly reached: raise it, or shorten the retention",
		now.stream.Config.MaxBytes, now.stream.Config.MaxBytes-now.stream.State.Bytes, 1)
	tiers := []tier{now.account.tier, now.account.Tiers[fmt.Sprintf("R%d", replicas)]}
	for _, t := range tiers {
		p.bound("the storage of the NATS account is nearly used up: raise its limit, or free some",
			t.Limits.MaxStorage, t.Limits.MaxStorage-t.Storage, replicas)
	}
	if p.Disk == nil {
		return
	}
	if free, total, err := p.Disk(); err == nil {
		p.bound("the disk of data_dir "+p.DataDir+" is nearly full: free some space", total, free, 2) // a batch is staged before it is stored
	}
}

// bound applies a limit, 0 or less for none: left is what remains of it, each
// what one byte of a batch takes.
func (p *Publisher) bound(name string, limit, left, each int64) {
	if limit <= 0 {
		return
	}
	reserve := Reserve(limit)
	if room := (left - reserve) / each; room < p.room.left {
		p.room.left = max(room, 0)
		p.room.limit = fmt.Sprintf("%s (%s)", name, Left(left, limit))
	}
}

// Reserve is how much of a limit no batch takes, in bytes.
func Reserve(limit int64) int64 { return min(limit/20, mostReserve) }

// Left says how much of a limit is left, and from which share on batches stop:
// 3.0 MiB of 100.0 are left, and batches need more than 5.0.
func Left(left, limit int64) string {
	const mebi = 1 << 20
	return fmt.Sprintf("%.1f MiB of %.1f are left, and batches need more than %.1f",
		float64(max(left, 0))/mebi, float64(limit)/mebi, float64(Reserve(limit))/mebi)
}

// ask asks NATS about itself, and leaves into as it is where it does not answer.
func (p *Publisher) ask(ctx context.Context, request string, into any) {
	subject := "$JS.API." + request
	if p.API != nil {
		subject = p.API(request)
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if reply, err := p.Conn.RequestWithContext(ctx, subject, nil); err == nil {
		_ = json.Unmarshal(reply.Data, into) // then nothing is known, as without an answer
	}
}
