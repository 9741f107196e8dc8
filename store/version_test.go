package store

import (
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestVersionsOfTheServer(t *testing.T) {
	for reported, c := range map[string]struct {
		refusal string
		warned  bool
	}{
		"":              {"not connected", false},
		"2.10.29":       {"2.14.4", false},
		"2.14.3":        {"upgrade every server to 2.14.4", false},
		"2.14.3-RC.2":   {"2.14.4", false},
		"1.99.99":       {"too old", false},
		"2.14.4":        {"", true},
		"v2.14.10":      {"", true},
		"2.15.0-beta.1": {"", false},
		"2.15.2":        {"", false},
		"2.15.3":        {"", false},
		"3.0.0":         {"", false},
		"2.15":          {"is none", false},
		"two.15.2":      {"is none", false},
	} {
		core, logs := observer.New(zap.WarnLevel)
		err := checkServer(reported, zap.New(core))
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%q: %v, want %q", reported, err, c.refusal)
		}
		if (logs.Len() > 0) != c.warned {
			t.Errorf("%q: warned %d times", reported, logs.Len())
		}
	}
}
