package membership

import (
	"context"
	"fmt"

	"rollcall/internal/ledger"
)

// ShardLedger is where the numbers of shards are changed, by compare-and-swap.
type ShardLedger interface {
	SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (ledger.Shards, error)
}

// ShardCount keeps to what the ledger says of the number of a tenant's shards.
// It belongs to one goroutine.
type ShardCount struct {
	Tenant     string
	Configured int    // says the configuration
	By         string // the worker's id

	said  bool // the ledger has heard the configured number
	older int  // how often in a row the ledger showed an earlier one
}

// Say writes the number of the configuration to the ledger, once, and the
// number in force where the ledger has lost it. It returns what the ledger says
// then; changed: this worker has changed it.
func (c *ShardCount) Say(ctx context.Context, l ShardLedger, said ledger.Shards, inForce int) (now ledger.Shards, changed bool, err error) {
	count := c.Configured
	if c.said {
		count = inForce
	}
	if said.Count == count || c.said && said.Count != 0 {
		c.said = true
		return said, false, nil
	}
	now, err = l.SetShards(ctx, c.Tenant, count, c.By, said.Revision)
	if err != nil {
		return said, false, fmt.Errorf("say the number of shards: %w", err)
	}
	c.said = true
	return now, said.Count != 0, nil
}

// Follows reports whether a number of shards of this revision takes the place of
// the one in force. An earlier one is what a lagging follower shows: only another
// ledger goes on showing it.
func (c *ShardCount) Follows(revision, inForce uint64) bool {
	if revision == inForce {
		c.older = 0
		return false
	}
	if c.older++; revision < inForce && c.older < 3 {
		return false
	}
	c.older = 0
	return true
}
