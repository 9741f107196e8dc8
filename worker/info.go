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
	said := Info{Schema: InfoSchema, Shards: []Held{}}
	for _, s := range w.shards() {
		if h := s.held.Load(); h != nil {
			said.Shards = append(said.Shards, Held{
				Tenant: s.tenant.cfg.Name, Shard: s.number, Term: h.term,
				Tracked: s.tracks(), LastGood: s.tenant.lastGood().Truncate(time.Millisecond),
			})
		}
	}
	data, err := json.Marshal(said)
	if err != nil {
		w.log.DPanic("cannot say what this worker holds", zap.Error(err))
	}
	return data
}
