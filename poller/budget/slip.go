package budget

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Slip is a small file that says what a worker has spent of what it reserved,
// so that the next process can give back the rest after a crash. A call is
// written down before it is made; a slip that cannot be read gives nothing back.
type Slip struct{ path string }

// NewSlip returns the slip of a tenant in a directory that only this process
// uses.
func NewSlip(dir, tenant string) *Slip {
	return &Slip{filepath.Join(dir, "budget-"+tenant+".slip")}
}

// note is what a slip says.
type note struct {
	Schema int              `json:"schema"`
	Holder string           `json:"holder"`
	Month  Month            `json:"month"`
	Spent  map[string]int64 `json:"spent"`
}

// slipBytes is the size of the file. It is written in place, and at once.
const slipBytes = 1024

// errNoNote says that nothing could be written down, and that no earlier note
// is left either.
var errNoNote = errors.New("nothing is written down")

// write makes the note survive whatever comes. When that fails the one before
// is taken away ([errNoNote]): it would give back too much.
func (s *Slip) write(n note) error {
	if s == nil {
		return nil
	}
	err := s.put(n)
	if err == nil {
		return nil
	}
	if trouble := s.remove(); trouble != nil {
		return fmt.Errorf("write down what was spent: %w, and the note before cannot be taken away: %w", err, trouble)
	}
	return fmt.Errorf("write down what was spent: %w: %w", errNoNote, err)
}

func (s *Slip) put(n note) (err error) {
	n.Schema = schema
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	line := fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text)
	if len(line) > slipBytes {
		return errors.New("it is too long")
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	line = append(line, bytes.Repeat([]byte(" "), slipBytes-len(line))...)
	if _, err := file.WriteAt(line, 0); err != nil {
		return err
	}
	return file.Sync()
}

// read returns the note of an earlier process; ok is false where there is none.
func (s *Slip) read() (n note, ok bool, err error) {
	if s == nil {
		return note{}, false, nil
	}
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return note{}, false, nil
	}
	if err != nil {
		return note{}, false, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, slipBytes))
	if err != nil {
		return note{}, false, err
	}
	n, err = parseNote(text)
	return n, err == nil, err
}

func parseNote(text []byte) (n note, err error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	check, body, _ := bytes.Cut(line, []byte(" "))
	if string(check) != fmt.Sprintf("%08x", crc32.ChecksumIEEE(body)) {
		return note{}, errors.New("it is torn")
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return note{}, err
	}
	if n.Schema != schema {
		return note{}, fmt.Errorf("schema %d is not the %d of this version", n.Schema, schema)
	}
	for op, count := range n.Spent {
		if count < 0 {
			return note{}, fmt.Errorf("%d calls of %q", count, op)
		}
	}
	return n, nil
}

// remove takes the note away.
func (s *Slip) remove() error {
	if s == nil {
		return nil
	}
	// Emptied as well, so that a power failure does not bring it back.
	_ = os.Truncate(s.path, 0)
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
