package control

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"

	"go.uber.org/zap"

	"rollcall/worker"
)

// slow is a worker whose track takes until its context ends, or longer.
type slow struct {
	Worker
	over    time.Duration // how long it goes on after its context has ended
	tracked bool
	showErr error
}

func (s *slow) TrackAs(ctx context.Context, _, _, _ string, _ rollcall.Labels) (worker.View, error) {
	<-ctx.Done()
	if s.over > 0 {
		<-time.After(s.over)
	}
	return worker.View{}, fmt.Errorf("show meeting: wait for the shard's turn: %w", context.Cause(ctx))
}

func (s *slow) Show(context.Context, string, string) (worker.View, error) {
	return worker.View{ConferenceID: "c1", Tracked: s.tracked}, s.showErr
}

func TestATrackThatTakesTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		worker slow
		want   string
	}{
		"tracked":           {slow{tracked: true}, `"not_answered","message":"meeting c1 is tracked now, but DingTalk told nothing of it (no answer in time); it stays tracked`},
		"tracked, and deaf": {slow{tracked: true, over: time.Hour}, `"not_answered"`},
		"not tracked":       {slow{}, `it may be tracked by now`},
		"nobody knows":      {slow{tracked: true, showErr: worker.ErrNotTracked}, `it may be tracked by now`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEndpoint(&Service{worker: &c.worker, log: zap.NewNop()}, Tenant{Name: "acme"}, verbTrack)
				began := time.Now()
				answer, held := e.local(t.Context(), request{ConferenceID: "c1"})
				if took := time.Since(began); !held || took > limit(verbTrack) {
					t.Errorf("held %v, after %s", held, took)
				}
				if !strings.Contains(string(answer.body), c.want) {
					t.Errorf("the answer is %s, want %s", answer.body, c.want)
				}
				e.service.running.Wait()
			})
		})
	}
}
