package worker

import (
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// InfoSchema is the version of the JSON of an [Info].
const InfoSchema = 1

// Info is what a worker says of itself in its heartbeat.
type Info struct {
	Schema int    `json:"schema"`
	Shards []Held `json:"shards"`
	// Tenants are those of which it holds a shard.
	Tenants map[string]Standing `json:"tenants,omitempty"`
}

// Standing is how a tenant stands, as one of its workers sees it.
type Standing struct {
	// Unlimited says that the calls are not counted against a budget.
	Unlimited bool `json:"unlimited,omitempty"`
	// Ages are those of what was known of meetings while they went on, in the
	// last 60 minutes in which any did; none since the worker's start: empty.
	Ages []Aged `json:"ages,omitempty"`
}

// Held is a shard that a worker holds.
type Held struct {
	Tenant   string    `json:"tenant"`
	Shard    int       `json:"shard"`
	Term     uint64    `json:"term"`
	Tracked  int       `json:"tracked"`               // meetings that are asked about
	LastGood time.Time `json:"lastGoodPoll,omitzero"` // of the tenant's last pass that was answered
}

// ParseInfo reads what a worker says of itself.
func ParseInfo(data []byte) (Info, error) {
	var info Info
	if err := json.Unmarshal(data, &info); err != nil {
		return Info{}, fmt.Errorf("read what a worker says of itself: %w", err)
	}
	return info, nil
}

func (w *Worker) info() []byte {
	said := Info{Schema: InfoSchema, Shards: []Held{}, Tenants: make(map[string]Standing)}
	for _, t := range w.tenants {
		before := len(said.Shards)
		for _, s := range t.shards {
			if h := s.held.Load(); h != nil {
				said.Shards = append(said.Shards, Held{
					Tenant: t.cfg.Name, Shard: s.number, Term: h.term,
					Tracked: s.tracks(), LastGood: t.lastGood().Truncate(time.Millisecond),
				})
			}
		}
		if len(said.Shards) > before {
			said.Tenants[t.cfg.Name] = Standing{Unlimited: t.cfg.Budget == nil, Ages: t.fresh.ages()}
		}
	}
	data, err := json.Marshal(said)
	if err != nil {
		w.log.DPanic("cannot say what this worker holds", zap.Error(err))
	}
	return data
}
