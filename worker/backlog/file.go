package backlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
)

// The file is empty, or a header of eight bytes and then records: a mark, the
// length of the payload and the CRC-32C of length and payload, four bytes each,
// little-endian, and the payload (payload.go). The mark is where reading goes on
// behind damage.
const (
	magic      = "RCJRNL2\n"
	magic1     = "RCJRNL1\n" // of the version before: JSON payloads, and no origin
	mark       = "\xffRC\xfe"
	frameBytes = len(mark) + 8
	fileName   = "waiting.journal"
)

// File is where a backlog writes, as [os.File] does it.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
	Size() (int64, error)
}

// onDisk is a real one.
type onDisk struct{ *os.File }

// Size asks the system.
func (f onDisk) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func openDisk(dir string) (File, error) {
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data_dir must be writable: %w", err)
	}
	return onDisk{f}, nil
}

// file is the open one. All but sync is called with the backlog's lock held, or
// reads what no longer changes.
type file struct {
	File
	path     string          // "": it is none of a directory
	moved    string          // where what was there before it has gone
	size     int64           // up to which it is whole
	origin   ledger.Position // of what is in it; zero: not known
	term     uint64          // the highest of what is in it
	old      bool            // the header is that of the version before
	writes   atomic.Uint64
	syncing  sync.Mutex
	synced   uint64          // writes that the last sync has covered
	ours     ledger.Position // of the ledger now
	observed time.Time
}

// append writes a record, the first one with all that stands before it.
func (f *file) append(key string, obs *rollcall.Observation, same map[string]time.Time, most int64) (from, to int64, err error) {
	payload, err := encode(key, obs, same)
	if err != nil || payload == nil {
		return f.size, f.size, err
	}
	var front []byte
	if f.size == 0 {
		front = append([]byte(magic), frame(encodeOrigin(f.ours))...)
	}
	data := append(front, frame(payload)...)
	if f.size+int64(len(data)) > most {
		return 0, 0, fmt.Errorf("append to the journal: %w: %d of %d bytes (journal.max_bytes) are used", ErrFull, f.size, most)
	}
	if err := f.renew(); err != nil {
		return 0, 0, err
	}
	if _, err := f.WriteAt(data, f.size); err != nil {
		_ = f.Truncate(f.size) // half a record would be cut off at the next start as well
		return 0, 0, fmt.Errorf("append to the journal: %w", err)
	}
	if f.size == 0 {
		f.origin, f.term = f.ours, 0
	}
	leaveOut(obs, same)
	from = f.size + int64(len(front))
	f.size += int64(len(data))
	f.term = max(f.term, obs.Number.Term)
	f.writes.Add(1)
	return from, f.size, nil
}

// renew returns a file of the version before the header of this one: from here on
// that version cannot read all of it, and must not try.
func (f *file) renew() error {
	if !f.old {
		return nil
	}
	if _, err := f.WriteAt([]byte(magic), 0); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	f.old = false
	return nil
}

func (f *file) clear() error {
	if err := f.Truncate(0); err != nil {
		if size, unknown := f.Size(); unknown != nil || size > 0 {
			return fmt.Errorf("clear the journal: %w", err)
		}
	}
	f.size, f.origin, f.term, f.old = 0, ledger.Position{}, 0, false
	f.writes.Add(1)
	return nil
}

// sync makes what was written survive a power failure.
func (f *file) sync() error {
	f.syncing.Lock()
	defer f.syncing.Unlock()
	writes := f.writes.Load()
	if writes == f.synced {
		return nil
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync the journal: %w", err)
	}
	f.synced = writes
	return nil
}

// frame puts mark, length and checksum before a payload.
func frame(payload []byte) []byte {
	record := make([]byte, 0, frameBytes+len(payload))
	record = append(record, mark...)
	record = binary.LittleEndian.AppendUint32(record, uint32(len(payload)))
	record = binary.LittleEndian.AppendUint32(record, checksum(record[len(mark):], payload))
	return append(record, payload...)
}

func checksum(length, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(length, table), table, payload)
}

// errDamaged says that no whole record begins there.
var errDamaged = errors.New("damaged")
