package main

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/internal/tracing"
)

// traced sends traces where the OTEL_ variables of the environment say so, until end.
func traced(ctx context.Context, env func(string) (string, bool), log *zap.Logger) (end func(), err error) {
	if !tracing.Wanted(env) {
		return func() {}, nil
	}
	var mu sync.Mutex
	trouble := streak.Log{Logger: log, What: "sending traces"}
	return tracing.Begin(ctx, thisBuild().Version, func(err error) {
		mu.Lock()
		defer mu.Unlock()
		trouble.Note(err)
	})
}
