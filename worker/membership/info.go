package membership

import (
	"encoding/json"
	"fmt"
	"time"

	"rollcall/worker/freshness"
)

// InfoSchema is the version of the JSON of an [Info].
const InfoSchema = 1

// Info is what a worker says of itself in its heartbeat.
type Info struct {
	Schema int `json:"schema"`
	// Version is that of the program; "": one that did not say.
	Version string `json:"version,omitempty"`
	Shards  []Held `json:"shards"`
	// Knows are the tenants that it is configured for; null: all of them, as
	// with a worker of an earlier version.
	Knows []string `json:"knows"`
	// Leaving are shards that it does not hold and has not let go of: what it
	// asked about them is not processed yet.
	Leaving []Leaving `json:"leaving,omitempty"`
	Beat    uint64    `json:"beat"` // how often it has said so
	// Tenants are those it holds a shard of.
	Tenants map[string]TenantReport `json:"tenants,omitempty"`
}

// TenantReport is what one of a tenant's workers says of the tenant.
type TenantReport struct {
	// Unlimited says that the calls are not counted against a budget.
	Unlimited bool `json:"unlimited,omitempty"`
	// Ages are those of what was known of meetings while they went on, in the
	// last 60 minutes in which any did; none since the worker's start: empty.
	Ages []freshness.Bucket `json:"ages,omitempty"`
}

// Held is a shard that a worker holds.
type Held struct {
	Tenant   string    `json:"tenant"`
	Shard    int       `json:"shard"`
	Of       int       `json:"of,omitempty"` // shards of the tenant; 0: a worker of an earlier version
	Term     uint64    `json:"term"`
	Tracked  int       `json:"tracked"`               // meetings that are asked about
	LastGood time.Time `json:"lastGoodPoll,omitzero"` // of the last pass over the shard that was answered
	LookedAt time.Time `json:"lookedAt,omitzero"`     // when that pass began
	State    string    `json:"state,omitempty"`       // how that pass went; "": there was none
	Waiting  int       `json:"waiting,omitempty"`     // observations that are not processed yet
	Settled  uint64    `json:"settled,omitempty"`     // how many were processed so far
}

// Leaving is a shard that a worker has not let go of.
type Leaving struct {
	Tenant  string `json:"tenant"`
	Shard   int    `json:"shard"`
	Of      int    `json:"of"`
	Waiting int    `json:"waiting"` // observations that are not processed yet
	Settled uint64 `json:"settled"` // how many were processed so far
}

// ParseInfo reads what a worker says of itself.
func ParseInfo(data []byte) (Info, error) {
	var info Info
	if err := json.Unmarshal(data, &info); err != nil {
		return Info{}, fmt.Errorf("read what a worker says of itself: %w", err)
	}
	return info, nil
}
