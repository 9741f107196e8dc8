package ledger_test

import (
	"testing"
	"time"

	"rollcall/internal/ledger"
)

func TestPositionsTellLedgersApart(t *testing.T) {
	born := time.Date(2026, 11, 1, 0, 0, 0, 123456789, time.UTC)
	earlier := ledger.Position{Stream: "MEETINGS", Created: born, Last: 900}
	for name, c := range map[string]struct {
		now  ledger.Position
		same bool
	}{
		"nothing happened":       {earlier, true},
		"more was stored":        {ledger.Position{Stream: "MEETINGS", Created: born.In(time.FixedZone("", 3600)), Last: 901}, true},
		"restored from a backup": {ledger.Position{Stream: "MEETINGS", Created: born, Last: 899}, false},
		"made anew":              {ledger.Position{Stream: "MEETINGS", Created: born.Add(1), Last: 5000}, false},
		"purged":                 {ledger.Position{Stream: "MEETINGS", Created: born, First: 901, Last: 900}, false},
		"older ones ran out":     {ledger.Position{Stream: "MEETINGS", Created: born, First: 900, Last: 950}, true},
		"another stream":         {ledger.Position{Stream: "OTHER", Created: born, Last: 5000}, false},
	} {
		if err := c.now.Follows(earlier); (err == nil) != c.same {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := earlier.Follows(ledger.Position{}); err != nil {
		t.Errorf("nothing was known before: %v", err)
	}
}
