package worker

import (
	"context"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/worker/ground"
	"rollcall/worker/membership"
)

// scope is which meetings a shard has, and what it works with. Nothing in it
// changes; each part of the shard has it.
type scope struct {
	cfg     *Config
	tenant  *Tenant
	named   map[string]bool // the configuration's conferences
	number  int
	of      int // how many shards the tenant's meetings form together
	log     *zap.Logger
	metrics *metrics
	heart   *membership.Heartbeat
	peers   *membership.Peers
	ground  *ground.Ledger
	drafts  *sync.Pool // of *ledger.Draft, empty
}

func (c *scope) mine(conferenceID string) bool {
	return membership.ShardOf(conferenceID, c.of) == c.number
}

// records names what the shard has read, among what can be wrong.
func (c *scope) records() string { return fmt.Sprintf("records of %s/%d", c.tenant.Name, c.number) }

// holder reads who claimed the shard last.
func (c *scope) holder(ctx context.Context) (ledger.Claim, error) {
	claim, err := c.cfg.Ledger.Holder(ctx, c.tenant.Name, c.number)
	if err != nil {
		return claim, fmt.Errorf("read who holds shard %d of tenant %s: %w", c.number, c.tenant.Name, err)
	}
	return claim, nil
}

// size is what messages count for against the limit of a batch, in bytes.
func (c *scope) size(msgs ...ledger.Message) int {
	n := 0
	for i := range msgs {
		n += msgs[i].Size(c.cfg.Names)
	}
	return n
}

// trackMessage puts a meeting on the tracked set.
func (c *scope) trackMessage(t ledger.Tracking) (ledger.Message, error) {
	msg, err := ledger.TrackMessage(c.cfg.Names, c.tenant.Name, t)
	if err != nil {
		return msg, fmt.Errorf("encode the entry of meeting %q in the tracked set: %w", t.ConferenceID, err)
	}
	return msg, nil
}

// untrackMessage takes a meeting off the tracked set.
func (c *scope) untrackMessage(id string) ledger.Message {
	return ledger.UntrackMessage(c.cfg.Names, c.tenant.Name, id)
}

// encodeRecord lets the record of a meeting that is over age out, unless the
// configuration still names it: then it must be known not to ask again.
func (c *scope) encodeRecord(draft *ledger.Draft, r *rollcall.Record, expect uint64) error {
	ended := r.Meeting.Status == rollcall.StatusEnded
	keep := !r.Untracked && (!ended || c.named[r.ConferenceID])
	if err := ledger.DraftRecord(draft, c.cfg.Names, r, expect, keep); err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	return nil
}

// recordMessage is encodeRecord for a message of its own.
func (c *scope) recordMessage(r *rollcall.Record, expect uint64) (ledger.Message, error) {
	var own ledger.Draft
	if err := c.encodeRecord(&own, r, expect); err != nil {
		return ledger.Message{}, err
	}
	return own.Messages[0], nil
}
