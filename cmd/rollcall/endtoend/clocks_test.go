//go:build unix

package endtoend_test

import (
	encoding "encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clockVariable names the file in which a process built by [steppable] finds how far its
// clock is off, in seconds.
const clockVariable = "ROLLCALL_ENDTOEND_CLOCK"

// farthest is how far a clock is set.
const farthest = time.Hour

// TestChaosWithSteppedClocks attacks workers whose clocks are set by up to an hour
// meanwhile, forth and back, each by itself. Times on the wire are as wrong as the clocks;
// all else has to be right.
func TestChaosWithSteppedClocks(t *testing.T) {
	if os.Getenv("ROLLCALL_CHAOS_CLOCKS") == "" {
		t.Skip("all attacks, and clocks that are set: make chaos-clocks")
	}
	seed := uint64(numberFrom("ROLLCALL_SEED", 1))
	t.Setenv(binaryVariable, steppable(t))
	f := oneServer(t)
	f.apart = 2 * farthest
	f.more = []attack{{"a worker's clock is set", 8, func(f *battlefield, r *rand.Rand) {
		u := f.unit(r)
		u.clock.set(time.Duration(r.Int64N(2*int64(farthest))) - farthest)
		between(r, 0, 5*time.Second)
	}}}
	f.fight(seed, durationFrom("ROLLCALL_CHAOS", 90*time.Second))
	furthest := time.Duration(0)
	for _, m := range below(f.live.messages(), "meetings.state.") {
		r, err := decode[struct{ ObservedAt time.Time }](m.data)
		if err != nil {
			t.Fatal(err)
		}
		furthest = max(furthest, m.at.Sub(r.ObservedAt).Abs())
	}
	t.Logf("something was observed %s from when it was stored, by a clock that was set", furthest)
	if furthest < time.Minute {
		t.Error("no clock was ever set")
	}
}

// clock is how far that of a worker is off.
type clock struct {
	t    testing.TB
	file *os.File
}

func newClock(t testing.TB) clock {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "clock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	c := clock{t, file}
	c.set(0)
	return c
}

func (c clock) set(off time.Duration) {
	if _, err := c.file.WriteAt(encoding.NativeEndian.AppendUint64(nil, uint64(off/time.Second)), 0); err != nil {
		c.t.Error(err)
	}
}

// steppable builds rollcall with a Go whose time.Now follows a clock that can be set.
func steppable(t testing.TB) string {
	t.Helper()
	room := filepath.Join(strings.TrimSpace(output(t, "go", "env", "GOROOT")), "src", "time")
	return overlaid(t,
		edit{filepath.Join(room, "time.go"), "sec, nsec, mono := runtimeNow()", "sec, nsec, mono := runtimeNow()\n\tsec += *offBy"},
		edit{filepath.Join(room, "off_by.go"), "", `package time

import (
	"syscall"
	"unsafe"
)

var offBy = mapOffBy()

func mapOffBy() *int64 {
	path, ok := syscall.Getenv("` + clockVariable + `")
	if !ok {
		return new(int64)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(path + ": " + err.Error())
	}
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(path + ": " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&page[0]))
}
`})
}
