package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/ledger"
)

// readersAtOnce readers, each with an answer on its way, stay far below the
// 64 MiB that a server holds for a connection before it drops it. Two keep two
// processors busy: one answer is decoded while another is read.
const readersAtOnce = 2

// standing is what the stream's leader says of it.
type standing struct {
	Error   *jetstream.APIError `json:"error"`
	Created time.Time           `json:"created"`
	Total   int                 `json:"total"` // subjects that match, of which this answer may name a part
	Config  struct {
		Replicas int `json:"num_replicas"`
	} `json:"config"`
	State struct {
		FirstSeq uint64            `json:"first_seq"`
		LastSeq  uint64            `json:"last_seq"`
		Subjects map[string]uint64 `json:"subjects"`
	} `json:"state"`
}

const codeNoStream jetstream.ErrorCode = 10059

// ask asks the stream's leader, for the subjects that match as well. It needs
// no consumer; a stream has only so many.
func (r *reader) ask(ctx context.Context, filter string, offset int) (standing, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	request, err := json.Marshal(struct {
		Filter string `json:"subjects_filter,omitempty"`
		Offset int    `json:"offset,omitempty"`
	}{filter, offset})
	if err != nil {
		return standing{}, err
	}
	reply, err := r.js.Conn().RequestWithContext(ctx, r.api("STREAM.INFO."+r.names.Stream), request)
	if err != nil {
		return standing{}, fmt.Errorf("look at stream %s: %w", r.names.Stream, err)
	}
	var found standing
	if err := json.Unmarshal(reply.Data, &found); err != nil {
		return standing{}, fmt.Errorf("look at stream %s: %w", r.names.Stream, err)
	}
	if found.Error != nil && found.Error.ErrorCode == codeNoStream {
		return standing{}, fmt.Errorf("look at stream %s: %w: %w", r.names.Stream, ledger.ErrGone, found.Error)
	}
	if found.Error != nil {
		return standing{}, fmt.Errorf("look at stream %s: %w", r.names.Stream, found.Error)
	}
	return found, nil
}

// Position asks the stream's leader which ledger this is and how far it has
// come. Its error matches [ledger.ErrGone] where there is no stream.
func (s *JetStream) Position(ctx context.Context) (ledger.Position, error) {
	found, err := s.read.ask(ctx, "", 0)
	if err != nil {
		return ledger.Position{}, err
	}
	return ledger.Position{
		Stream: s.names.Stream, Created: found.Created, Last: found.State.LastSeq,
		First: found.State.FirstSeq, Alone: found.Config.Replicas == 1,
	}, nil
}

// Renew creates what is absent, as [Open] does, and forgets what this ledger
// has seen to be stored: it may be another one now.
func (s *JetStream) Renew(ctx context.Context) error {
	if s.renew == nil {
		return fmt.Errorf("renew ledger: it is only attached")
	}
	s.read.seen.forget()
	return s.renew(ctx)
}

// opened is how a ledger that was opened is opened again.
func (s *JetStream) opened(cfg StreamConfig, logger *zap.Logger) {
	s.renew = func(ctx context.Context) error {
		_, err := Open(ctx, s.js, s.names, cfg, logger)
		if again := s.counts.Load(); err == nil && again != nil {
			err = (*again)(ctx)
		}
		return err
	}
}

// stored counts the messages of each subject that has one, as the leader knows them.
func (r *reader) stored(ctx context.Context, filter string) (all map[string]uint64, err error) {
	_, least := r.seen.last()
	err = r.caughtUp(ctx, func() error {
		all = map[string]uint64{}
		for total := 1; len(all) < total; {
			found, err := r.ask(ctx, filter, len(all))
			if err != nil {
				return err
			}
			if found.State.LastSeq < least || len(all) > 0 && found.Total != total || found.Total > len(all) && len(found.State.Subjects) == 0 {
				return fmt.Errorf("list %s: %w, or the subjects changed meanwhile", filter, errBehind)
			}
			total = found.Total
			maps.Copy(all, found.State.Subjects)
		}
		return nil
	})
	return all, err
}

// readAll reads the last message of every subject that matches the filter, and
// passes each to take, which must be safe for concurrent use.
func (r *reader) readAll(ctx context.Context, filter string, take func(got)) error {
	stored, err := r.stored(ctx, filter)
	if err != nil {
		return err
	}
	subjects := slices.Collect(maps.Keys(stored))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	chunks := make(chan []string)
	var readers sync.WaitGroup
	var failed atomic.Pointer[error]
	for range min(readersAtOnce, len(subjects)/maxGetSubjects+1) {
		readers.Go(func() {
			for chunk := range chunks {
				if err := r.readChunk(ctx, chunk, take); err != nil {
					failed.CompareAndSwap(nil, &err)
					cancel(err)
				}
			}
		})
	}
	for len(subjects) > 0 && failed.Load() == nil {
		n := fitting(subjects)
		chunks <- subjects[:n]
		subjects = subjects[n:]
	}
	close(chunks)
	readers.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// readChunk waits for its turn: at a start all tenants read at once.
func (r *reader) readChunk(ctx context.Context, subjects []string, take func(got)) error {
	select {
	case r.turns <- struct{}{}:
		defer func() { <-r.turns }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	found := make(map[string]got, len(subjects))
	if err := r.getChunk(ctx, r.names.Stream, subjects, found); err != nil {
		return err
	}
	for _, m := range found {
		take(m)
	}
	return nil
}
