//go:build unix

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// clockStep is how far a clock is set forward or back.
	clockStep = time.Hour
	// clockVariable names the file that holds by how many seconds a clock is wrong.
	clockVariable = "ROLLCALL_ENDTOEND_CLOCK"
)

// clocks are what each worker takes for the time of day, which can be set while it runs.
// Its timers go by the steady clock, as where somebody sets the machine's.
type clocks struct {
	program string // rollcall, built with a package time that reads the files
	dir     string // a file for each worker
}

// setClock is what Go's time.Now does besides.
const setClock = `
var setBy, setAt atomic.Int64

func wrongBy(now int64) int64 {
	if now-setAt.Load() < 20e6 {
		return setBy.Load()
	}
	setAt.Store(now)
	path, ok := syscall.Getenv("` + clockVariable + `")
	if !ok {
		return 0
	}
	file, err := open(path)
	if err != nil {
		return setBy.Load()
	}
	defer closefd(file)
	text := make([]byte, 16)
	n, err := read(file, text)
	if n <= 0 || err != nil {
		return setBy.Load()
	}
	seconds, sign := int64(0), int64(1)
	for _, c := range text[:n] {
		if c == '-' {
			sign = -1
		} else {
			seconds = 10*seconds + int64(c-'0')
		}
	}
	setBy.Store(sign * seconds)
	return setBy.Load()
}
`

// newClocks builds rollcall with Go's package time edited.
func newClocks(t testing.TB) *clocks {
	t.Helper()
	file := filepath.Join(strings.TrimSpace(output(t, "go", "env", "GOROOT")), "src", "time", "time.go")
	source := contents(t, file)
	for old, fresh := range map[string]string{
		"	sec, nsec, mono := runtimeNow()\n	if mono == 0 {": "	sec, nsec, mono := runtimeNow()\n	sec += wrongBy(mono)\n	if mono == 0 {",
		"	\"math/bits\"\n": "	\"math/bits\"\n	\"sync/atomic\"\n	\"syscall\"\n",
	} {
		if strings.Count(source, old) != 1 {
			t.Fatalf("%s holds %q %d times: this Go tells the time in another way", file, old, strings.Count(source, old))
		}
		source = strings.Replace(source, old, fresh, 1)
	}
	dir := t.TempDir()
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: write(t, dir, "time.go", source+setClock)}})
	if err != nil {
		t.Fatal(err)
	}
	c := &clocks{program: filepath.Join(dir, "rollcall"), dir: t.TempDir()}
	output(t, "go", "build", "-overlay", write(t, dir, "overlay.json", string(overlay)), "-o", c.program, "..")
	return c
}

// worker returns the program that a worker runs, and what it needs to know.
func (c *clocks) worker(t testing.TB, name string) (program string, env []string) {
	t.Helper()
	if c == nil {
		return binary(t), nil
	}
	return c.program, []string{clockVariable + "=" + filepath.Join(c.dir, name)}
}

// set has a worker's clock be wrong by so much from now on.
func (c *clocks) set(t testing.TB, name string, by time.Duration) {
	t.Helper()
	next := write(t, t.TempDir(), "next", fmt.Sprint(int64(by/time.Second)))
	if err := os.Rename(next, filepath.Join(c.dir, name)); err != nil {
		t.Error(err)
	}
}
