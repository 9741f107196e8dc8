package control

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// verbHinted is not for operators: the worker that hears DingTalk's pushes sends
// to all, itself among them, which meetings these are about, and each makes those
// of its shards due.
const verbHinted = "hinted"

// hinted is what pushes say.
type hinted struct {
	Schema  int      `json:"schema"`
	Due     []string `json:"due,omitempty"`
	Healthy bool     `json:"healthy"` // all that happens is heard of
}

// Hinted has all workers take which meetings pushes are about; see [Tenant]. Nobody
// answers: a worker that misses it asks as the schedule has it.
func (s *Service) Hinted(tenant string, ids []string, healthy bool) {
	parts := slices.Collect(slices.Chunk(ids, mostFound))
	if len(parts) == 0 {
		parts = [][]string{nil} // it still says how pushes are
	}
	for _, part := range parts {
		data, err := json.Marshal(hinted{Schema: Schema, Due: part, Healthy: healthy})
		if err == nil {
			err = s.conn.Publish(s.names.Shard(tenant, verbHinted), data)
		}
		if err != nil {
			s.log.Debug("hints not passed on to the workers", zap.String("tenant", tenant), zap.Error(err))
			return
		}
	}
}

// hearHints takes what another worker hears of a tenant.
func (s *Service) hearHints(t Tenant) error {
	if t.Hinted == nil {
		return nil
	}
	err := s.subscribe(t.Name, s.names.Shard(t.Name, verbHinted), "", func(m *nats.Msg) {
		var h hinted
		if json.Unmarshal(m.Data, &h) == nil && h.Schema == Schema {
			t.Hinted(h.Due, h.Healthy)
		}
	})
	if err != nil {
		return fmt.Errorf("tenant %s, %s: %w", t.Name, verbHinted, err)
	}
	return nil
}
