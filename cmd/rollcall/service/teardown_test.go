package service

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Whatever fails, everything is given back, the last first, and once.
func TestEverythingIsGivenBackInReverse(t *testing.T) {
	var back []string
	var all teardown
	broken := errors.New("disk full")
	all.push("first", quietly(func() { back = append(back, "first") }))
	all.push("second", func() error { back = append(back, "second"); return broken })
	all.push("third", quietly(func() { back = append(back, "third") }))
	all.push("fourth", func() error { back = append(back, "fourth"); return errors.New("gone") })
	err := all.run()
	if want := []string{"fourth", "third", "second", "first"}; !slices.Equal(back, want) {
		t.Errorf("given back in the order %v, want %v", back, want)
	}
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "second: disk full") || !strings.Contains(err.Error(), "fourth: gone") {
		t.Errorf("the errors are %v", err)
	}
	if err := all.run(); err != nil || len(back) != 4 {
		t.Errorf("a second time: %v, %v", back, err)
	}
}
