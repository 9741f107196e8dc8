package wait

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAWaitEndsWithItsContext(t *testing.T) {
	for name, c := range map[string]struct {
		wait, life time.Duration
		want       bool
		took       time.Duration
	}{
		"it passes":             {time.Second, time.Hour, true, time.Second},
		"the context ends":      {time.Hour, time.Second, false, time.Second},
		"nothing to wait for":   {0, time.Hour, true, 0},
		"less than nothing":     {-time.Hour, time.Hour, true, 0},
		"the context was over":  {time.Hour, 0, false, 0},
		"both were over before": {-time.Hour, 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.life)
				defer cancel()
				began := time.Now()
				if got := For(ctx, c.wait); got != c.want || time.Since(began) != c.took {
					t.Errorf("%v after %v", got, time.Since(began))
				}
			})
		})
	}
}
