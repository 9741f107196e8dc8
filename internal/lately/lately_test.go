package lately_test

import (
	"testing"
	"time"

	"rollcall/internal/lately"
)

func TestTheFirstTimeIsBelievedAndLaterOnesCountAQuarter(t *testing.T) {
	var d lately.Duration
	for _, step := range []struct{ took, want time.Duration }{
		{0, 0}, {100, 100}, {200, 125}, {25, 100}, {100, 100},
	} {
		if d.Learn(step.took); d.Now() != step.want {
			t.Errorf("after %d it is %d, want %d", step.took, d.Now(), step.want)
		}
	}
}
