package poller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/wait"
)

// watch runs a loop of a 15 s schedule for a while, and gives the seconds at
// which its passes began and how many ticks it missed.
func watch(t *testing.T, l *Loop, long time.Duration, pass func(ctx context.Context, n int)) (began []int, missed int) {
	t.Helper()
	schedule, err := ParseSchedule("@every 15s", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	start := time.Now()
	l.Schedule = schedule
	l.Missed = func(n int) { missed += n }
	l.Pass = func(ctx context.Context, _ time.Time) {
		began = append(began, int(time.Since(start)/time.Second))
		pass(ctx, len(began))
	}
	if err := l.Run(ctx); err != nil {
		t.Errorf("run: %v", err)
	}
	if over := time.Since(start) - long; over != 0 {
		t.Errorf("stopped %v late", over)
	}
	return began, missed
}

func TestLoopTicks(t *testing.T) {
	for atOnce, want := range map[bool][]int{true: {0, 15, 30, 45}, false: {15, 30, 45}} {
		synctest.Test(t, func(t *testing.T) {
			began, missed := watch(t, &Loop{AtOnce: atOnce}, 50*time.Second, func(context.Context, int) {})
			if diff := cmp.Diff(want, began); diff != "" || missed != 0 {
				t.Errorf("missed %d, %s", missed, diff)
			}
		})
	}
}

func TestLoopCollapsesMissedTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, missed := watch(t, &Loop{AtOnce: true}, 100*time.Second, func(ctx context.Context, n int) {
			if n == 2 {
				wait.For(ctx, 47*time.Second) // from 15 to 62: over 30, 45 and 60
			}
		})
		if diff := cmp.Diff([]int{0, 15, 62, 75, 90}, began); diff != "" || missed != 2 {
			t.Errorf("missed %d, %s", missed, diff)
		}
	})
}

func TestLoopStopsDuringAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, _ := watch(t, &Loop{AtOnce: true}, 5*time.Second, func(ctx context.Context, _ int) { <-ctx.Done() })
		if len(began) != 1 {
			t.Errorf("passes at %v", began)
		}
	})
}

// TestLoopSurvivesClockJumps sets the wall clock during a wait, as a suspended
// machine or an operator does.
func TestLoopSurvivesClockJumps(t *testing.T) {
	for name, c := range map[string]struct {
		jump   time.Duration
		after  time.Duration // the second pass
		missed int
	}{
		"forward":       {3 * time.Hour, time.Second, 720},
		"years forward": {20 * 365 * 24 * time.Hour, time.Second, mostMissed},
		"back":          {-3 * time.Hour, time.Second, 0},
		"a moment back": {-300 * time.Millisecond, -time.Nanosecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var set time.Time
				l := &Loop{Now: func() time.Time {
					if !set.IsZero() && time.Now().After(set) {
						return time.Now().Add(c.jump)
					}
					return time.Now()
				}}
				began, missed := watch(t, l, 125*time.Second, func(_ context.Context, n int) {
					if n == 2 {
						set = time.Now().Add(c.after)
					}
				})
				if len(began) < 7 || len(began) > 8 || missed != c.missed {
					t.Errorf("passes at %v, missed %d", began, missed)
				}
				for i := 1; i < len(began); i++ {
					if pause := began[i] - began[i-1]; pause < 14 || pause > 30 {
						t.Errorf("passes at %v", began)
					}
				}
			})
		})
	}
}

// TestLoopNoticesAJumpDuringALongWait has an hour to wait, of which most goes
// by while the machine sleeps.
func TestLoopNoticesAJumpDuringALongWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hourly, err := ParseSchedule("@hourly", "")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		l := &Loop{
			Schedule: hourly,
			Now: func() time.Time {
				if time.Since(start) > 10*time.Minute {
					return time.Now().Add(2 * time.Hour)
				}
				return time.Now()
			},
			Pass: func(context.Context, time.Time) { cancel() },
		}
		if err := l.Run(ctx); err != nil || time.Since(start) > 11*time.Minute {
			t.Errorf("the pass comes after %v: %v", time.Since(start), err)
		}
	})
}

func TestLoopWithoutTicksIsAnError(t *testing.T) {
	l := &Loop{Schedule: Schedule{}, Pass: func(context.Context, time.Time) { t.Error("a pass without a tick") }}
	if err := l.Run(t.Context()); err == nil {
		t.Error("a loop that can never tick runs")
	}
}
