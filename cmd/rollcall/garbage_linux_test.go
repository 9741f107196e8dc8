//go:build !race

// The race detector touches a shadow of all memory.

package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestBallastTakesNoRoom has a heap that was used before: what is handed out again
// is cleared, and a ballast of one piece would be in RAM from then on.
func TestBallastTakesNoRoom(t *testing.T) {
	t.Setenv("GOGC", "") // which restores it
	_ = os.Unsetenv("GOGC")
	used := make([][]byte, 64)
	for i := range used {
		used[i] = bytes.Repeat([]byte{1}, 128<<10)
	}
	clear(used)
	runtime.GC()
	before := inRAM(t)
	drop := ballast()
	after := inRAM(t)
	drop()
	if grown := after - before; grown > ballastBytes/4 {
		t.Errorf("the ballast takes %d MB of RAM", grown>>20)
	}
}

// inRAM is how many bytes of this process that no file holds are in RAM.
func inRAM(t *testing.T) (bytes int) {
	t.Helper()
	var size, resident, shared int
	data, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(data), &size, &resident, &shared)
	}
	if err != nil {
		t.Fatal(err)
	}
	return (resident - shared) * os.Getpagesize()
}
