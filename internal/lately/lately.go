// Package lately follows how long something takes that is done again and again.
package lately

import (
	"sync/atomic"
	"time"
)

// Duration is how long it took lately: each time counts a quarter of all before it. Any
// goroutine may use it; the zero value knows nothing.
type Duration struct{ ns atomic.Int64 }

// Now is how long it takes; 0: that is not known.
func (d *Duration) Now() time.Duration { return time.Duration(d.ns.Load()) }

// Learn takes how long it took once.
func (d *Duration) Learn(took time.Duration) {
	was := d.ns.Load()
	if was == 0 {
		was = int64(took)
	}
	d.ns.Store(was + (int64(took)-was)/4)
}
