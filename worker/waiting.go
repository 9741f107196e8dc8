package worker

import (
	"fmt"
	"strings"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/worker/backlog"
)

// lane is where the shard's observations wait. Of what an earlier process left
// the first division takes its part, whatever the shards were then.
func (s *scope) lane(first bool) *backlog.Lane {
	name, of := s.tenant.Name, fmt.Sprintf("/%d", s.of)
	return s.cfg.Backlog.Lane(fmt.Sprintf("%s#%d%s", name, s.number, of), backlog.Strays{
		From: func(key string) bool {
			tenant, shard, _ := strings.Cut(key, "#")
			return first && tenant == name && !strings.HasSuffix(shard, of)
		},
		Part: func(obs *rollcall.Observation) *rollcall.Observation {
			part := *obs
			part.Shard, part.Sightings = s.number, nil
			for _, sighting := range obs.Sightings {
				if s.mine(sighting.ConferenceID) {
					part.Sightings = append(part.Sightings, sighting)
				}
			}
			if obs.Tenant != name || len(part.Sightings) == 0 {
				return nil
			}
			return &part
		},
	})
}

// logFound logs what an earlier process left waiting.
func (w *Worker) logFound() {
	left, unknown := 0, 0
	for key, n := range w.backlog.Found().Observations {
		tenant, _, _ := strings.Cut(key, "#")
		if w.tenant(tenant) == nil {
			unknown += n
		} else {
			left += n
		}
	}
	if unknown > 0 {
		w.log.Error("the journal holds observations of tenants that are not configured any more; they are dropped",
			zap.Int("observations", unknown))
	}
	if left > 0 {
		w.log.Info("the journal is replayed before anything is asked", zap.Int("observations", left))
	}
}

// tooMuchWaits reports whether polling has to pause, and says so once.
func (t *tenant) tooMuchWaits() bool {
	full := false
	for _, s := range t.shards() {
		full = full || s.queue.Full()
	}
	was := t.paused.Swap(full)
	if full && !was {
		used, most := t.w.backlog.Size()
		t.log.Error(errPaused.Error(), zap.Int64("journal_bytes", used), zap.Int64("journal_max_bytes", most),
			zap.Int64("memory_bytes", t.w.backlog.Memory()))
	}
	if !full && was {
		t.log.Info("polling resumed: there is room for observations again")
	}
	return full
}

// Adopt says which ledger stores what waits from now on. What waits for another
// one is set aside in a file, and logged.
func Adopt(b *backlog.Backlog, now ledger.Position, log *zap.Logger) error {
	aside, err := b.Adopt(now)
	if aside.Observations == 0 {
		return err
	}
	log.Error("the journal is set aside: what waits in it belongs to another ledger, and told to this one could be false",
		zap.Int("observations", aside.Observations), zap.String("path", aside.Path), zap.NamedError("reason", aside.Why), zap.Error(err))
	return err
}
