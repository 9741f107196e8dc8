package worker

import (
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall/worker/freshness"
)

// InfoSchema is the version of the JSON of an [Info].
const InfoSchema = 1

// Info is what a worker says of itself in its heartbeat.
type Info struct {
	Schema int    `json:"schema"`
	Shards []Held `json:"shards"`
	// Knows are the tenants that it is configured for; null: all of them, as
	// with a worker of an earlier version.
	Knows []string `json:"knows"`
	// Leaving are shards that it does not hold and has not let go of: what it
	// asked about them is not settled yet.
	Leaving []Leaving `json:"leaving,omitempty"`
	Beat    uint64    `json:"beat"` // how often it has said so
	// Tenants are those of which it holds a shard.
	Tenants map[string]Standing `json:"tenants,omitempty"`
}

// Standing is how a tenant stands, as one of its workers sees it.
type Standing struct {
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
	State    string    `json:"state,omitempty"`       // how that pass went; "": there was none
	Waiting  int       `json:"waiting,omitempty"`     // observations that are not settled yet
	Settled  uint64    `json:"settled,omitempty"`     // how many were settled so far
}

// Leaving is a shard that a worker has not let go of.
type Leaving struct {
	Tenant  string `json:"tenant"`
	Shard   int    `json:"shard"`
	Of      int    `json:"of"`
	Waiting int    `json:"waiting"` // observations that are not settled yet
	Settled uint64 `json:"settled"` // how many were settled so far
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
	said := Info{
		Schema: InfoSchema, Shards: []Held{}, Tenants: make(map[string]Standing), Knows: []string{}, Beat: w.beats.Add(1),
	}
	for _, t := range w.tenants {
		said.Knows = append(said.Knows, t.cfg.Name)
		if _, _, held := t.sizes(); held {
			said.Tenants[t.cfg.Name] = Standing{Unlimited: t.cfg.Budget == nil, Ages: t.ages.Recent()}
		}
	}
	for _, s := range w.shards() {
		name := s.tenant.cfg.Name
		if h := s.held.Load(); h != nil {
			said.Shards = append(said.Shards, Held{
				Tenant: name, Shard: s.number, Of: s.of, Term: h.term,
				Tracked: s.tracks(), LastGood: s.lastGood().Truncate(time.Millisecond), State: s.state(),
				Waiting: s.waits(), Settled: s.settled.Load(),
			})
		} else if s.leaves() {
			said.Leaving = append(said.Leaving, Leaving{name, s.number, s.of, s.waits(), s.settled.Load()})
		}
	}
	data, err := json.Marshal(said)
	if err != nil {
		w.log.DPanic("cannot say what this worker holds", zap.Error(err))
	}
	return data
}
