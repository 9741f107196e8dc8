package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
)

const evil = "x\ny\x1b[2J\u009b\u202e\x7f"

func logged(t *testing.T, cfg config.Log, log func(*zap.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	logger, err := newLogger(&out, cfg)
	if err != nil {
		t.Fatal(err)
	}
	log(logger)
	return out.String()
}

func TestLogShowsNothingThatHides(t *testing.T) {
	for _, format := range []string{"json", "console"} {
		out := logged(t, config.Log{Level: "info", Format: format}, func(l *zap.Logger) {
			l.Named(evil).Info(evil, zap.String("error", evil), zap.String(evil, ""), zap.Strings("list", []string{evil}))
		})
		if strings.Count(out, "\n") != 1 || strings.ContainsAny(out, "\x1b\u009b\u202e\x7f") {
			t.Errorf("%s: %q", format, out)
		}
	}
}

func TestJSONLogKeepsItsValues(t *testing.T) {
	out := logged(t, config.Log{Level: "info", Format: "json"}, func(l *zap.Logger) {
		l.WithOptions(zap.WithClock(inShanghai{})).Info("m", zap.String("error", evil))
	})
	var line struct{ Level, Time, Msg, Error string }
	if err := json.Unmarshal([]byte(out), &line); err != nil {
		t.Fatal(err)
	}
	if line.Error != evil || line.Level != "info" || line.Msg != "m" || line.Time != "2026-11-23T01:15:00.000Z" {
		t.Errorf("%+v", line)
	}
}

// inShanghai is a clock that stands at 9:15 there.
type inShanghai struct{}

func (inShanghai) Now() time.Time {
	return time.Date(2026, 11, 23, 9, 15, 0, 0, time.FixedZone("CST", 8*60*60))
}

func (inShanghai) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

func TestLogDropsNothingButLowerLevels(t *testing.T) {
	out := logged(t, config.Log{Level: "warn", Format: "json"}, func(l *zap.Logger) {
		for range 1000 {
			l.Info("quiet")
			l.Warn("loud")
		}
	})
	if got := strings.Count(out, "loud"); got != 1000 || strings.Contains(out, "quiet") {
		t.Errorf("%d of 1000 lines, quiet ones: %v", got, strings.Contains(out, "quiet"))
	}
}
