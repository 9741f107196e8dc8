// Package journal keeps observations in a file while NATS cannot take them, so
// that the next process on the same data directory can. It promises
//
//   - that what [Journal.Append] took is read back by [Open] after kill -9, and
//     after a power failure once [Journal.Sync] has returned;
//   - that a torn end, which a crash in the middle of a write leaves, is cut off
//     and reported, and that a damaged record is lost alone, and reported;
//   - that the file never grows beyond its bound.
//
// The file is a header of eight bytes and then records: a mark, the length of
// the payload and the CRC-32C of length and payload, four bytes each,
// little-endian, and the payload, which is JSON with a version of its own. The
// mark is where reading goes on behind damage.
package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"

	"rollcall"
)

// DefaultMaxBytes is the bound of the file where [Config] does not say.
const DefaultMaxBytes = 256 << 20

const (
	magic      = "RCJRNL1\n"
	mark       = "\xffRC\xfe"
	frameBytes = len(mark) + 8
)

// ErrFull says that the journal has reached its bound; nothing was appended.
var ErrFull = errors.New("the journal is full")

// Journal is one file of observations that wait. It is safe for concurrent use.
type Journal struct {
	path string
	max  int64

	mu    sync.Mutex
	file  *os.File
	size  int64
	dirty bool
}

// Config says where the journal is and how large it may become.
type Config struct {
	Dir      string // created where absent
	MaxBytes int64  // 0: [DefaultMaxBytes]
}

// Found is what [Open] read from an earlier process.
type Found struct {
	Observations []*rollcall.Observation // in the order in which they were appended
	// Damage tells, record by record, what could not be read and was lost.
	Damage []error
}

// Open opens the journal and reads what an earlier process left in it. What
// was read stays in the file until [Journal.Clear].
func Open(cfg Config) (*Journal, Found, error) {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, Found{}, fmt.Errorf("open journal: make data_dir: %w", err)
	}
	path := filepath.Join(cfg.Dir, "waiting.journal")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Found{}, fmt.Errorf("open journal: data_dir must be writable: %w", err)
	}
	j := &Journal{path: path, max: cfg.MaxBytes, file: file}
	found, err := j.read()
	if err != nil {
		_ = file.Close()
		return nil, Found{}, fmt.Errorf("open journal %s: %w", path, err)
	}
	return j, found, nil
}

// Append adds an observation. After an error nothing was added.
func (j *Journal) Append(obs *rollcall.Observation) error {
	payload, err := encode(obs)
	if err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	record := frame(payload)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size+int64(len(record)) > j.max {
		return fmt.Errorf("append to journal %s: %w: %d of %d bytes are used", j.path, ErrFull, j.size, j.max)
	}
	if _, err := j.file.WriteAt(record, j.size); err != nil {
		_ = j.file.Truncate(j.size) // half a record would be cut off at the next start as well
		return fmt.Errorf("append to journal: %w", err)
	}
	j.size += int64(len(record))
	j.dirty = true
	return nil
}

// Sync makes what was appended survive a power failure. It does nothing when
// nothing was appended since the last time.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.dirty {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	j.dirty = false
	return nil
}

// Clear removes everything, because it is stored elsewhere now.
func (j *Journal) Clear() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size == int64(len(magic)) {
		return nil
	}
	if err := j.file.Truncate(int64(len(magic))); err != nil {
		return fmt.Errorf("clear journal: %w", err)
	}
	j.size, j.dirty = int64(len(magic)), true
	return nil
}

// Size is how many bytes the journal takes, and how many it may.
func (j *Journal) Size() (used, most int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size, j.max
}

// Empty reports whether nothing waits in the file.
func (j *Journal) Empty() bool {
	used, _ := j.Size()
	return used <= int64(len(magic))
}

// Close gives the file back. What waits stays in it.
func (j *Journal) Close() error {
	err := j.Sync()
	return errors.Join(err, j.file.Close())
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

// read reads the whole file and cuts off a torn end.
func (j *Journal) read() (Found, error) {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return Found{}, err
	}
	if len(data) < len(magic) {
		return j.begin(data)
	}
	if string(data[:len(magic)]) != magic {
		return Found{}, fmt.Errorf("%w: it begins with %q; move it away, or run the version that wrote it until it is empty",
			errNewer, data[:len(magic)])
	}
	found, whole, err := parse(data[len(magic):])
	if err != nil {
		return Found{}, err
	}
	j.size = int64(len(magic) + whole)
	if j.size < int64(len(data)) {
		found.Damage = append(found.Damage, fmt.Errorf("the last %d bytes are an unfinished record and were cut off", int64(len(data))-j.size))
		if err := j.file.Truncate(j.size); err != nil {
			return Found{}, err
		}
	}
	return found, nil
}

// begin writes the header into a file that is new, or whose header is torn.
func (j *Journal) begin(data []byte) (Found, error) {
	var found Found
	if len(data) > 0 {
		found.Damage = append(found.Damage, fmt.Errorf("the header was unfinished; %d bytes were cut off", len(data)))
	}
	if err := j.file.Truncate(0); err != nil {
		return Found{}, err
	}
	if _, err := j.file.WriteAt([]byte(magic), 0); err != nil {
		return Found{}, err
	}
	j.size, j.dirty = int64(len(magic)), true
	return found, nil
}

// parse reads the records, and gives up to where they are whole. What is
// damaged between two of them is reported; a newer version ends it with an error.
func parse(data []byte) (found Found, whole int, err error) {
	for at := 0; ; {
		payload, start := next(data, at)
		if payload == nil {
			return found, whole, nil
		}
		if start > at {
			found.Damage = append(found.Damage, fmt.Errorf("%d bytes are damaged; the observation in them is lost", start-at))
		}
		at = start + frameBytes + len(payload)
		whole = at
		obs, err := decode(payload)
		if errors.Is(err, errNewer) {
			return Found{}, 0, err
		}
		if err != nil {
			found.Damage = append(found.Damage, err)
			continue
		}
		found.Observations = append(found.Observations, obs)
	}
}

// next finds the first whole record from at on: its payload and where its
// frame starts. nil: there is none.
func next(data []byte, at int) (payload []byte, start int) {
	for {
		step := bytes.Index(data[at:], []byte(mark))
		if step < 0 {
			return nil, 0
		}
		at += step
		if payload := whole(data[at:]); payload != nil {
			return payload, at
		}
		at++
	}
}

// whole gives the payload of the record that data begins with; nil where it
// is unfinished or damaged.
func whole(data []byte) []byte {
	if len(data) < frameBytes {
		return nil
	}
	head := data[len(mark):frameBytes]
	length := binary.LittleEndian.Uint32(head)
	if uint64(length) > uint64(len(data)-frameBytes) {
		return nil
	}
	payload := data[frameBytes : frameBytes+int(length)]
	if checksum(head[:4], payload) != binary.LittleEndian.Uint32(head[4:]) {
		return nil
	}
	return payload
}
