package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

// goal is the size of the heap at which the next collection begins.
func goal() uint64 {
	runtime.GC()
	runtime.GC() // what the first one has swept no longer counts
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NextGC
}

func TestBallastLetsGarbageLie(t *testing.T) {
	if value, set := os.LookupEnv("GOGC"); set {
		_ = os.Unsetenv("GOGC")
		defer t.Setenv("GOGC", value)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for name, c := range map[string]struct {
		limit        int64
		least, below uint64
	}{
		"no limit":           {1 << 62, 2 * ballastBytes, 2*ballastBytes + 32<<20},
		"that of Kubernetes": {460 << 20, 2 * ballastBytes, 2*ballastBytes + 32<<20},
		"a small limit":      {64 << 20, 2 * 8 << 20, 2*8<<20 + 32<<20},
	} {
		before := debug.SetMemoryLimit(c.limit)
		drop := ballast()
		with := goal()
		drop()
		debug.SetMemoryLimit(before)
		if with < c.least || with > c.below {
			t.Errorf("%s: a collection begins at %d MB, want %d to %d", name, with>>20, c.least>>20, c.below>>20)
		}
		if without := goal(); without > c.below/2 && c.limit > 64<<20 {
			t.Errorf("%s: dropped, and still a collection begins only at %d MB", name, without>>20)
		}
	}
}

func TestBallastHeedsTheEnvironment(t *testing.T) {
	t.Setenv("GOGC", "77")
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	before := goal()
	drop := ballast()
	with := goal()
	drop()
	if with > before+ballastBytes/2 {
		t.Errorf("GOGC is set, and a collection begins at %d MB instead of %d", with>>20, before>>20)
	}
}
