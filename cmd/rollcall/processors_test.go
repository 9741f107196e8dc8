package main

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestGovernor(t *testing.T) {
	for name, c := range map[string]struct {
		used []float64
		want []bool
	}{
		"calm":                         {[]float64{.1, .1, .1, .1, .1, .1}, []bool{true}},
		"not for long enough":          {[]float64{.1, .1, .1, .5, .1, .1, .1}, nil},
		"busy":                         {[]float64{1.5, 1.5, 1.5, 1.5, 1.5}, nil},
		"one is enough":                {[]float64{.3, .3, .3, .3, .5, .5, .5}, []bool{true}},
		"one is not enough any more":   {[]float64{.1, .1, .1, .1, .8, 1.1, .6, .6}, []bool{true, false}},
		"not again before it is calm":  {[]float64{.1, .1, .1, .1, .8, .1, .1, .1}, []bool{true, false}},
		"one is enough again, in time": {[]float64{.1, .1, .1, .1, .8, .1, .1, .1, .1}, []bool{true, false, true}},
	} {
		var got []bool
		g := governor{limit: func(narrow bool) { got = append(got, narrow) }}
		for _, used := range c.used {
			g.look(used)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestGovernorGivesBackWhatItTook(t *testing.T) {
	if _, told := cpuTime(); !told {
		t.Skip("the CPU time of a process is not told on this system")
	}
	synctest.Test(t, func(t *testing.T) {
		var got []bool
		g := governor{limit: func(narrow bool) { got = append(got, narrow) }}
		over, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			g.run(over)
		}()
		time.Sleep(time.Minute) // of the bubble's: nothing is used meanwhile
		close(over)
		<-done
		if !slices.Equal(got, []bool{true, false}) {
			t.Errorf("%v, want one processor, and many at the end", got)
		}
	})
}

func TestProcessorsAreLeftToWhoeverSetsThem(t *testing.T) {
	_, told := cpuTime()
	if value, set := os.LookupEnv("GOMAXPROCS"); set {
		_ = os.Unsetenv("GOMAXPROCS")
		defer func() { _ = os.Setenv("GOMAXPROCS", value) }()
	}
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	if governable() != told {
		t.Errorf("two processors, nothing in the environment: %v, want %v", !told, told)
	}
	runtime.GOMAXPROCS(1)
	if governable() {
		t.Error("the only processor is to be done without")
	}
	runtime.GOMAXPROCS(2)
	t.Setenv("GOMAXPROCS", "2")
	if governable() {
		t.Error("GOMAXPROCS in the environment is not heeded")
	}
}
