package backlog

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"rollcall/internal/ledger"
)

// The first record of a file holds the position of the ledger that it was begun
// for: its origin.

func encodeOrigin(p ledger.Position) []byte {
	data, err := json.Marshal(p)
	if err != nil { // a text, a time and a number
		data = []byte("{}")
	}
	return append([]byte{version, originKey}, data...)
}

func decodeOrigin(front []byte) (p ledger.Position, is bool) {
	if len(front) < 2 || front[0] != version || front[1] != originKey {
		return ledger.Position{}, false
	}
	if json.Unmarshal(front[2:], &p) != nil {
		return ledger.Position{}, true
	}
	return p, true
}

// Aside is what was set aside: what waited for a ledger that no longer exists.
type Aside struct {
	Why          error
	Observations int    // about; 0: nothing was
	Path         string // the file with them; "": they are lost
}

// Adopt says which ledger it is that stores what waits now. What waits for
// another one, or for a later state of it than it has now, is set aside in a
// file beside the journal: in this one it could be false. It is called
// before the first Take, and whenever the ledger may have been replaced.
//
// A file of the version before does not say what it was written for. It is
// taken where the ledger is older than its first observation and has come as
// far as its last one.
func (b *Backlog) Adopt(now ledger.Position) (Aside, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return Aside{}, nil
	}
	before, why := b.file.ours, b.file.foreign(now)
	b.file.ours = now
	if why == nil {
		return Aside{}, nil
	}
	return b.setAside(why, before)
}

// foreign says why what is in the file, or what waits, is not for the ledger as
// it is now; nil: it is.
func (f *file) foreign(now ledger.Position) error {
	if f.size == 0 {
		return now.Follows(f.ours)
	}
	origin := f.origin
	if !origin.Known() {
		if f.observed.Before(now.Created) {
			return fmt.Errorf("stream %s was created at %s, after what it holds was observed (%s)",
				now.Stream, now.Created.UTC().Format(time.RFC3339), f.observed.UTC().Format(time.RFC3339))
		}
		origin.Stream, origin.Created = now.Stream, now.Created
	}
	origin.Last = max(origin.Last, f.term) // a claim's term is the sequence that it has in the stream
	return now.Follows(origin)
}

// setAside moves the file away, with everything that waits in it, and begins anew.
func (b *Backlog) setAside(why error, before ledger.Position) (Aside, error) {
	aside := Aside{Why: why}
	for _, l := range b.lanes {
		aside.Observations += l.len()
	}
	if len(b.lanes) == 0 {
		for _, n := range b.found.Observations {
			aside.Observations += n
		}
	}
	ours := b.file.ours
	b.file.ours, b.on = before, true
	for _, l := range b.lanes {
		l.place() // so that what is in memory alone goes with it
	}
	b.on, b.full, b.found = false, false, nothing()
	for _, l := range b.lanes {
		l.forget()
	}
	next, err := b.file.moveAway(b.cfg)
	if err != nil {
		b.file = nil
		return aside, fmt.Errorf("set the journal aside: %w: nothing is journaled until a restart", err)
	}
	aside.Path = next.moved
	next.ours = ours
	b.file = next
	return aside, nil
}

// moveAway renames the file and opens a new one in its place.
func (f *file) moveAway(cfg Config) (*file, error) {
	if f.size == 0 || f.path == "" {
		return &file{File: f.File, path: f.path}, f.Truncate(0)
	}
	defer func() { _ = f.Close() }() // it is renamed, and synced before
	if err := f.sync(); err != nil {
		return nil, err
	}
	moved := fmt.Sprintf("%s.aside-%s", f.path, time.Now().UTC().Format("20060102T150405.000"))
	if err := os.Rename(f.path, moved); err != nil {
		return nil, err
	}
	opened, err := openDisk(cfg.Dir)
	if err != nil {
		return nil, err
	}
	return &file{File: opened, path: f.path, moved: moved}, nil
}

// Clear drops all that waits in the lane.
func (l *Lane) Clear() {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	l.forget()
	l.b.stored()
}

// forget drops all that waits.
func (l *Lane) forget() {
	l.head, l.kept, l.headBytes = nil, 0, 0
	l.from, l.to, l.spilled, l.unsure = 0, 0, 0, false
	l.tail, l.tailBytes = nil, 0
	l.same = map[string]time.Time{}
	l.rested()
	signal(l.fewer)
	signal(l.moved)
}
