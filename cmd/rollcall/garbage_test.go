package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

var kept []byte

// collections counts them while so much garbage is made.
func collections(size int) uint32 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range size >> 16 {
		kept = make([]byte, 1<<16)
	}
	runtime.ReadMemStats(&after)
	return after.NumGC - before.NumGC
}

func TestLazyGC(t *testing.T) {
	if value, set := os.LookupEnv("GOGC"); set {
		_ = os.Unsetenv("GOGC")
		defer t.Setenv("GOGC", value)
	}
	usual := debug.SetGCPercent(100)
	defer debug.SetGCPercent(usual)

	often := collections(1 << 30)
	end := lazyGC(256 << 20)
	runtime.GC() // the pacer has seen what is alive
	seldom := collections(1 << 30)
	end()
	if percent := debug.SetGCPercent(100); percent != 100 {
		t.Errorf("afterwards GOGC is %d, was 100", percent)
	}
	if seldom*2 > often {
		t.Errorf("%d collections with a floor, %d without", seldom, often)
	}
}

func TestLazyGCHeedsTheEnvironment(t *testing.T) {
	t.Setenv("GOGC", "77")
	usual := debug.SetGCPercent(77)
	defer debug.SetGCPercent(usual)
	defer lazyGC(256 << 20)()
	runtime.GC()
	if percent := debug.SetGCPercent(77); percent != 77 {
		t.Errorf("GOGC is %d, 77 was wanted", percent)
	}
}

func TestGCPercent(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		live, beside uint64
		want         int
	}{
		{0, 0, 1600},
		{mb, 0, 1575},
		{4 * mb, 0, 1500},
		{4 * mb, 6 * mb, 600},
		{2 * mb, 18 * mb, 310},
		{16 * mb, 0, 300},
		{32 * mb, 0, 100},
		{32 * mb, 8 * mb, 100},
		{64 * mb, 0, 100},
		{500 * mb, 0, 100},
	} {
		if got := gcPercent(c.live, c.beside, 64*mb); got != c.want {
			t.Errorf("%d MB alive, %d MB of stacks and globals: %d %%, want %d", c.live/mb, c.beside/mb, got, c.want)
		}
	}
}
