package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// heapFloor is how large, in bytes, the heap may become before garbage is
// collected, however little of it is alive.
const heapFloor = 64 << 20

// lazyGC collects garbage less often while little is alive: a worker of a
// thousand meetings keeps 5 MB and would otherwise spend a fifth of its time on
// marking them over and over. Beyond half the floor the collector works as ever.
// GOMEMLIMIT still holds, and who sets GOGC has decided otherwise. The function
// that it gives ends it.
func lazyGC(floor uint64) (end func()) {
	if _, set := os.LookupEnv("GOGC"); set {
		return func() {}
	}
	p := &gcPacer{floor: floor, usual: debug.SetGCPercent(100)}
	p.percent.Store(100)
	p.collected()
	return p.end
}

// gcPacer sets the percentage anew after each collection.
type gcPacer struct {
	floor   uint64
	usual   int
	percent atomic.Int64 // that is set
	over    atomic.Bool
}

// collected is called after each collection, since the object that it makes is
// garbage by then.
func (p *gcPacer) collected() {
	if p.over.Load() {
		return
	}
	scanned := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(scanned)
	next := gcPercent(scanned[0].Value.Uint64(), scanned[1].Value.Uint64()+scanned[2].Value.Uint64(), p.floor)
	if worthwhile(int(p.percent.Load()), next) {
		p.percent.Store(int64(next))
		debug.SetGCPercent(next)
	}
	runtime.AddCleanup(&struct{ of *gcPacer }{p}, (*gcPacer).collected, p)
}

func (p *gcPacer) end() {
	p.over.Store(true)
	debug.SetGCPercent(p.usual)
}

// gcPercent is how much garbage may come to what is alive, in percent of that and
// of the stacks and globals that are scanned with it.
func gcPercent(live, beside, floor uint64) int {
	const usual = 100
	const smallest = 4 << 20 // the runtime's heap at the usual percentage, even if nothing is alive
	if live >= floor {
		return usual
	}
	return int(max(usual, usual*(floor-live)/max(live+beside, smallest)))
}

// worthwhile tells what is worth stopping the world for a moment.
func worthwhile(from, to int) bool { return 8*max(from-to, to-from) > min(from, to) }
