package main

import (
	"fmt"
	"strings"
	"time"
)

// parseWhen reads a time as people write it: a duration before now (10m, or 10m
// ago), RFC 3339, or as a clock on the wall shows it, with the day, or today.
func parseWhen(word string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(strings.TrimSpace(strings.TrimSuffix(word, "ago"))); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339Nano, word)
	for _, layout := range []string{"2006-01-02 15:04:05.999", "2006-01-02T15:04:05.999", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if err != nil {
			at, err = time.ParseInLocation(layout, word, now.Location())
		}
	}
	for _, layout := range []string{"15:04:05.999", "15:04"} {
		if err != nil {
			at, err = time.ParseInLocation(time.DateOnly+" "+layout, now.Format(time.DateOnly)+" "+word, now.Location())
		}
	}
	switch {
	case err != nil:
		return at, fmt.Errorf("%.60q is no time; write 10m for ten minutes ago, 14:05, \"2026-11-23 14:05:30\" or 2026-11-23T14:05:30Z", word)
	case at.After(now):
		return at, fmt.Errorf("%.60q lies in the future", word)
	}
	return at, nil
}
