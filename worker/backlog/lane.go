package backlog

import (
	"context"
	"slices"
	"time"

	"rollcall"
)

// Lane is a queue of observations. Any number of goroutines may push; one takes.
//
// What waits stands in three places, one behind the other: head in memory, then
// a stretch of the file, then tail in memory, which the file has not taken.
type Lane struct {
	b      *Backlog
	key    string
	strays Strays

	// Guarded by the backlog's lock.
	head      []item
	kept      int // so many of head, from the front, are in the file too
	headBytes int64
	from, to  int64 // the stretch of the file that is still to be read; from is to: none
	spilled   int   // records of this lane in it
	tail      []item
	tailBytes int64
	unsure    bool                 // there may be records for it in the stretch that are not counted
	front     time.Time            // when the oldest was answered, as far as it is known
	same      map[string]time.Time // when meetings were asked whose answer was left out of the file
	idle      chan struct{}        // closed and renewed whenever nothing waits
	done      uint64               // how many were stored

	ready, fewer, moved chan struct{}
}

// item is an observation in memory, and what it takes there.
type item struct {
	obs   *rollcall.Observation
	bytes int64
}

// Strays says what of the records belongs to a lane that lanes of other keys
// have written, in an earlier process.
type Strays struct {
	// From reports whether there may be any among the records of a key.
	From func(key string) bool
	// Part returns what of an observation belongs to the lane; nil: nothing.
	Part func(*rollcall.Observation) *rollcall.Observation
}

// Lane adds a lane, which begins with what stands in the file for it. The key,
// of at most 100 bytes, says whose it is in a later process as well.
func (b *Backlog) Lane(key string, strays Strays) *Lane {
	l := &Lane{
		b: b, key: key, strays: strays, same: map[string]time.Time{}, idle: make(chan struct{}),
		ready: make(chan struct{}, 1), fewer: make(chan struct{}, 1), moved: make(chan struct{}, 1),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lanes = append(b.lanes, l)
	if b.file != nil && b.file.size > 0 {
		l.inherit()
	}
	return l
}

// inherit finds what stands in the file for the lane.
func (l *Lane) inherit() {
	l.spilled = l.b.found.Observations[l.key]
	for key := range l.b.found.Observations {
		l.unsure = l.unsure || key != l.key && l.strays.From != nil && l.strays.From(key)
	}
	if l.unsure || l.spilled > 0 {
		l.from, l.to, l.front = int64(len(magic)), l.b.file.size, time.Now()
		signal(l.ready)
	}
}

// Close takes the lane out, and returns what is in memory alone, in order. What
// is in the file goes to lanes that are added later.
func (l *Lane) Close() (left []*rollcall.Observation) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	for _, it := range slices.Concat(l.head[l.kept:], l.tail) {
		left = append(left, it.obs)
	}
	if inFile := l.kept + l.spilled; inFile > 0 {
		l.b.found.Observations[l.key] += inFile
	}
	l.b.lanes = slices.DeleteFunc(l.b.lanes, func(other *Lane) bool { return other == l })
	return left
}

// weigh estimates what an observation keeps in memory. Bytes that are shared
// with an earlier answer (no Answer was decoded) are not counted again.
func weigh(obs *rollcall.Observation) int64 {
	n := int64(256)
	for i := range obs.Sightings {
		n += 128
		if obs.Sightings[i].Answer != nil {
			n += 2 * int64(len(obs.Sightings[i].Raw))
		}
	}
	return n
}

// Push puts in an observation. It takes each, even one for which there is no
// room: the caller checks [Lane.Full] before asking.
func (l *Lane) Push(obs *rollcall.Observation) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	if l.len() == 0 {
		l.front = obs.AnsweredAt
	}
	it := item{obs, weigh(obs)}
	l.tail, l.tailBytes = append(l.tail, it), l.tailBytes+it.bytes
	for _, other := range l.b.lanes {
		l.b.on = l.b.on || other.len() > 0 && time.Since(other.front) > Slow
	}
	if !l.b.on {
		l.place()
	} else {
		for _, other := range l.b.lanes {
			other.place()
		}
	}
	signal(l.ready)
}

// place moves tail to where it belongs: into head while there is room, and into
// the file where it is to be kept, or where something before it is only there.
func (l *Lane) place() {
	if l.b.on {
		_ = l.keep() // it is reported, and tried again with the next one
	}
	for len(l.tail) > 0 {
		it := l.tail[0]
		room := l.from == l.to && (len(l.head) == 0 || l.headBytes+it.bytes <= l.b.share())
		if l.b.on || !room {
			if err := l.file(it.obs, room); err != nil && !room {
				return
			}
		}
		if room {
			l.head, l.headBytes = append(l.head, it), l.headBytes+it.bytes
		}
		l.tail, l.tailBytes = l.tail[1:], l.tailBytes-it.bytes
	}
	l.tail = nil
}

// file writes the next of tail, which may stay in memory too.
func (l *Lane) file(obs *rollcall.Observation, inHead bool) error {
	if err := l.keep(); err != nil {
		return err
	}
	start, end, err := l.b.write(l, obs)
	switch {
	case err != nil:
		return err
	case inHead:
		l.kept++
	case start == end: // what came before says it all
	default:
		if l.from == l.to {
			l.from = start
		}
		l.to = end
		l.spilled++
	}
	return nil
}

// keep writes those of head that are not in the file: nothing may stand there
// that came later.
func (l *Lane) keep() error {
	for l.kept < len(l.head) {
		if _, _, err := l.b.write(l, l.head[l.kept].obs); err != nil {
			return err
		}
		l.kept++
	}
	return nil
}

func (l *Lane) len() int {
	n := len(l.head) + len(l.tail) + l.spilled
	if l.unsure {
		n = max(n, 1)
	}
	return n
}

// Waiting is how many observations wait, and since when the oldest does (zero:
// none). What an earlier process left counts from the start.
func (l *Lane) Waiting() (n int, oldest time.Time) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	if n = l.len(); n > 0 {
		oldest = l.front
	}
	return n, oldest
}

// Stored is how many observations were stored so far.
func (l *Lane) Stored() uint64 {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	return l.done
}

// Full reports whether there is no room for what comes next.
func (l *Lane) Full() bool {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	return len(l.tail) > 0 && (l.b.full || l.b.memory() >= l.b.cfg.MaxMemory)
}

// Ready returns a token when something has come.
func (l *Lane) Ready() <-chan struct{} { return l.ready }

// Wake returns the token of [Lane.Ready] though nothing has come.
func (l *Lane) Wake() { signal(l.ready) }

// Moved returns a token when something was stored, or the ledger has begun to fail.
func (l *Lane) Moved() <-chan struct{} { return l.moved }

// AwaitFewer waits until fewer than n observations wait, or ctx ends.
func (l *Lane) AwaitFewer(ctx context.Context, n int) {
	for {
		if waiting, _ := l.Waiting(); waiting < n {
			return
		}
		select {
		case <-l.fewer:
		case <-ctx.Done():
			return
		}
	}
}

// Drain waits until nothing waits or ctx ends, and returns how many still do.
func (l *Lane) Drain(ctx context.Context) int {
	for {
		l.b.mu.Lock()
		n, idle := l.len(), l.idle
		l.b.mu.Unlock()
		if n == 0 {
			return 0
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return n
		}
	}
}
