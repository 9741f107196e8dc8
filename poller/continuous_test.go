package poller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/wait"
)

func TestContinuousLooksOnceASecond(t *testing.T) {
	s, err := ParseSchedule(" @continuous ", "Asia/Shanghai")
	if err != nil || !s.Continuous() || s.String() != Continuous || s.Pace() != time.Second {
		t.Fatalf("%v, continuous %v, pace %v, error %v", s, s.Continuous(), s.Pace(), err)
	}
	at := time.Date(2026, 11, 26, 8, 0, 0, 300e6, time.UTC)
	if next := s.Next(at); !next.Equal(at.Truncate(time.Second).Add(time.Second)) {
		t.Errorf("after %v comes %v", at, next)
	}
	for _, other := range []string{"@every 1s", "* * * * * *"} {
		if s, err := ParseSchedule(other, ""); err != nil || s.Continuous() {
			t.Errorf("%s: continuous %v, error %v", other, s.Continuous(), err)
		}
	}
	if _, err := ParseSchedule("@continuous 5s", ""); err == nil {
		t.Error("a distance is taken")
	}
}

// TestLoopGoesOnAtOnce lets passes take 2.5 s, of which the third finds nothing
// more to do: the next one waits for a tick, and no tick counts as missed.
func TestLoopGoesOnAtOnce(t *testing.T) {
	for atOnce, want := range map[bool][]int{true: {0, 2, 5, 15}, false: {15, 17, 20, 30}} {
		synctest.Test(t, func(t *testing.T) {
			passes := 0
			l := &Loop{AtOnce: atOnce, Again: func() bool { return passes%3 != 0 }}
			began, missed := watch(t, l, time.Duration(want[3]+1)*time.Second, func(ctx context.Context, n int) {
				passes = n
				wait.For(ctx, 2500*time.Millisecond)
			})
			if diff := cmp.Diff(want, began); diff != "" || missed != 0 {
				t.Errorf("missed %d, %s", missed, diff)
			}
		})
	}
}

// TestLoopDoesNotMissWhatAPassTakesThePlaceOf has one pass over two ticks.
func TestLoopDoesNotMissWhatAPassTakesThePlaceOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Loop{Again: func() bool { return false }}
		began, missed := watch(t, l, 80*time.Second, func(ctx context.Context, n int) {
			if n == 1 {
				wait.For(ctx, 40*time.Second) // from 15 to 55, over 30 and 45
			}
		})
		if diff := cmp.Diff([]int{15, 60, 75}, began); diff != "" || missed != 0 {
			t.Errorf("missed %d, %s", missed, diff)
		}
	})
}
