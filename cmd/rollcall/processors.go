package main

import (
	"os"
	"runtime"
	"time"
)

// fewProcessors lets the worker run on one processor while that is enough. It
// waits most of the time, for answers and acknowledgements; with more, each that
// comes in wakes up others that find nothing to do, which is a quarter of its
// CPU. Who sets GOMAXPROCS has decided otherwise. The function that it gives
// ends it.
func fewProcessors() (end func()) {
	if !governable() {
		return func() {}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		g := governor{limit: func(narrow bool) {
			if narrow {
				runtime.GOMAXPROCS(1)
				return
			}
			runtime.SetDefaultGOMAXPROCS()
		}}
		g.run(over)
	}()
	return func() {
		close(over)
		<-done
	}
}

// governable reports whether there are processors to do without, and nobody has
// said how many there are to be.
func governable() bool {
	_, set := os.LookupEnv("GOMAXPROCS")
	_, told := cpuTime()
	return !set && told && runtime.GOMAXPROCS(0) > 1
}

// governor decides between one processor and as many as there are, beginning
// with many.
type governor struct {
	limit  func(narrow bool)
	narrow bool
	calm   int // measurements in a row with little to do
}

// How busy a processor is that needs another one, and how idle the process is
// for how many measurements before one will do. What it uses of several is more
// than it needs of one: between the two there is room. On a machine that others
// keep busy it gets two thirds of one processor at most.
const (
	tooBusy    = 0.6
	idleEnough = 0.4
	calmEnough = 4
	lookEvery  = 500 * time.Millisecond
)

func (g *governor) run(over <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, _ := cpuTime()
	for at := time.Now(); ; {
		select {
		case <-over:
			g.turn(false)
			return
		case <-tick.C:
		}
		used, _ := cpuTime()
		now := time.Now()
		g.look(float64(used-last) / float64(now.Sub(at)))
		last, at = used, now
	}
}

// look takes what the process uses, in processors.
func (g *governor) look(used float64) {
	switch {
	case g.narrow && used > tooBusy:
		g.turn(false)
	case g.narrow:
	case used < idleEnough:
		if g.calm++; g.calm >= calmEnough {
			g.turn(true)
		}
	default:
		g.calm = 0
	}
}

func (g *governor) turn(narrow bool) {
	g.calm = 0
	if g.narrow != narrow {
		g.narrow = narrow
		g.limit(narrow)
	}
}
