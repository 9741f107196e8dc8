// Package backlog keeps the observations that wait to be stored, in order, in
// lanes, each settled by one goroutine. While all goes well they are in memory
// alone and there is no file. What fails or lags is written to one file, and
// what is beyond a small window of memory lives in that file alone and is read
// back in its turn, by this process or by the next one on the same directory.
// It promises
//
//   - that a lane returns its observations in the order in which they came, also
//     after kill -9 at any byte, and after a power failure what [Backlog.Run]
//     has synced;
//   - that memory holds no more than the window and one observation a lane, and
//     the file no more than its bound;
//   - that a torn end, which a crash in the middle of a write leaves, is cut
//     off, and a damaged record is lost alone; both are reported;
//   - that what was written for another ledger is never returned, but set aside in
//     a file beside it.
//
// An observation that was returned before may be returned again by the next
// process: its number shows it.
package backlog

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"rollcall"
)

// The bounds where [Config] does not say.
const (
	DefaultMaxBytes  = 256 << 20
	DefaultWindow    = 8 << 20
	DefaultMaxMemory = 64 << 20
)

// Slow is how long an observation may wait before it counts as not taken,
// though nothing has failed yet.
const Slow = 3 * time.Second

// ErrFull says that neither the file nor memory can take more.
var ErrFull = errors.New("too much waits to be stored")

// Config says where the file is and how much may wait.
type Config struct {
	Dir      string // of the file; made where absent
	File     File   // in the place of one in Dir
	MaxBytes int64  // of the file. Default [DefaultMaxBytes]
	Window   int64  // bytes in memory, of all lanes, where the file can take the rest. Default [DefaultWindow]
	// MaxMemory bounds memory where there is no file or it takes nothing.
	// Default [DefaultMaxMemory].
	MaxMemory int64
}

// Backlog is a set of lanes and the file they share. It is safe for concurrent use.
type Backlog struct {
	cfg   Config
	dirty chan struct{} // something was written that is not synced

	mu    sync.Mutex
	file  *file // nil: there is none
	lanes []*Lane
	on    bool // what comes is written: the ledger fails or lags
	full  bool // the file has refused something for its bound
	found Found
	done  time.Time // when an observation was stored last; zero: none was
	// See [Backlog.Tell].
	onError, onDamage func(error)
}

// Found is what an earlier process left.
type Found struct {
	// Observations counts the records by the key of the lane that wrote them;
	// of a file of the version before by the tenant alone.
	Observations map[string]int
	// Damage says, piece by piece, what cannot be read and is lost.
	Damage []error
}

// Open opens the file and looks at what an earlier process left in it, which
// the lanes return first. It reads it through without keeping it.
func Open(cfg Config) (*Backlog, error) {
	cfg.MaxBytes = cmp.Or(max(cfg.MaxBytes, 0), DefaultMaxBytes)
	cfg.Window = cmp.Or(max(cfg.Window, 0), DefaultWindow)
	cfg.MaxMemory = cmp.Or(max(cfg.MaxMemory, 0), DefaultMaxMemory)
	b := InMemory(cfg.MaxMemory)
	b.cfg = cfg
	opened, found, err := openFile(cfg)
	if err != nil {
		return nil, err
	}
	b.file, b.found = opened, found
	return b, nil
}

// InMemory returns a backlog that has no file; most bounds its bytes, and 0 is
// [DefaultMaxMemory].
func InMemory(most int64) *Backlog {
	most = cmp.Or(max(most, 0), DefaultMaxMemory)
	none := func(error) {}
	return &Backlog{cfg: Config{Window: most, MaxMemory: most}, dirty: make(chan struct{}, 1), found: nothing(), onError: none, onDamage: none}
}

func nothing() Found { return Found{Observations: map[string]int{}} }

// Found is what [Open] saw that an earlier process had left.
func (b *Backlog) Found() Found { return b.found }

// Tell has onError called with the outcome of each access to the file, nil for
// success, one after the other, and onDamage for each record that turns out to
// be unreadable when its turn comes. They must not call the backlog.
func (b *Backlog) Tell(onError, onDamage func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onError, b.onDamage = onError, onDamage
}

// Hold has everything that waits written to the file, and what comes, until
// something is stored again.
func (b *Backlog) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = true
	for _, l := range b.lanes {
		l.place()
		signal(l.moved)
	}
}

// Holding reports whether the ledger fails or lags.
func (b *Backlog) Holding() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on
}

// LastDone is when an observation of any lane was stored last; zero: none was.
func (b *Backlog) LastDone() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

// Kept reports whether everything that waits is in the file.
func (b *Backlog) Kept() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lanes {
		if l.kept < len(l.head) || len(l.tail) > 0 {
			return false
		}
	}
	return b.file != nil
}

// Size is how many bytes the file takes, and how many it may.
func (b *Backlog) Size() (used, most int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return 0, 0
	}
	return b.file.size, b.cfg.MaxBytes
}

// Memory is how many bytes of observations are in memory, as estimated.
func (b *Backlog) Memory() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.memory()
}

// share is how much of the window each lane may take.
func (b *Backlog) share() int64 { return b.cfg.Window / int64(len(b.lanes)) }

func (b *Backlog) memory() (n int64) {
	for _, l := range b.lanes {
		n += l.headBytes + l.tailBytes
	}
	return n
}

// Run syncs what is written, as often as the disk can, until ctx ends.
func (b *Backlog) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.dirty:
			b.sync()
		}
	}
}

func (b *Backlog) sync() {
	b.mu.Lock()
	f := b.file
	b.mu.Unlock()
	if f == nil {
		return
	}
	err := f.sync() // without the lock: it may take long
	b.mu.Lock()
	defer b.mu.Unlock()
	if f == b.file && err != nil { // the next write shows when it works again
		b.onError(err)
	}
}

// Close syncs the file and releases it. What waits stays in it.
func (b *Backlog) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return nil
	}
	err := errors.Join(b.file.sync(), b.file.Close())
	b.file = nil
	return err
}

// write adds an observation of a lane to the file. Of one that says nothing
// that is not in the file already nothing is written: from is to.
func (b *Backlog) write(l *Lane, obs *rollcall.Observation) (from, to int64, err error) {
	if b.file == nil {
		return 0, 0, errNoFile
	}
	from, to, err = b.file.append(l.key, obs, l.same, b.cfg.MaxBytes)
	b.full = b.full || errors.Is(err, ErrFull)
	b.onError(err)
	signal(b.dirty)
	return from, to, err
}

var errNoFile = errors.New("there is no file")

// stored notes that the ledger takes observations, and empties the file once
// none of those in it waits in any lane.
func (b *Backlog) stored() {
	b.on = false
	if b.file == nil || b.file.size == 0 {
		return
	}
	for _, l := range b.lanes {
		if l.kept > 0 || l.from < l.to {
			return
		}
	}
	err := b.file.clear()
	b.onError(err)
	if err != nil {
		return
	}
	signal(b.dirty)
	b.full, b.found = false, nothing()
	for _, l := range b.lanes {
		l.same = map[string]time.Time{}
		l.from, l.to = 0, 0
		l.place()
	}
}

// signal wakes the goroutine that waits, now or next.
func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
