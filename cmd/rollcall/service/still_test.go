package service

import (
	"testing"
	"time"
)

func TestHowLongALoopMayStandStill(t *testing.T) {
	now := time.Now()
	for still, want := range map[time.Duration]string{
		0: "", 30 * time.Second: "", time.Minute: "", 61 * time.Second: "the worker's loop has not moved for 1m1s", time.Hour: "the worker's loop has not moved for 1h0m0s",
	} {
		if got := stoodStill(now.Add(-still), now); got != want {
			t.Errorf("after %s it says %q, want %q", still, got, want)
		}
	}
	if got := stoodStill(time.Time{}, now); got != "" {
		t.Errorf("before it begins it says %q", got)
	}
}
