package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// ballastBytes is how much garbage may come together, however little is alive.
const ballastBytes = 32 << 20

// ballastPiece is the size of its parts. A part that lies where something was
// before is cleared, and takes room in RAM like that before it: of one large piece
// all would be.
const ballastPiece = 256 << 10

// ballast lets garbage be collected less often while little is alive: a worker
// of a thousand meetings keeps 5 MB, and would mark them over and over. It is
// memory that counts as alive and is never touched, so it takes no room in RAM.
// GOMEMLIMIT counts it too, hence an eighth of that at most; who sets GOGC has
// decided otherwise. The function that it returns drops it.
func ballast() (drop func()) {
	if _, set := os.LookupEnv("GOGC"); set {
		return func() {}
	}
	untouched := make([][]byte, min(ballastBytes, debug.SetMemoryLimit(-1)/8)/ballastPiece)
	for i := range untouched {
		untouched[i] = make([]byte, ballastPiece)
	}
	return func() { runtime.KeepAlive(untouched) }
}
