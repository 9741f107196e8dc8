package backlog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// openFile opens the file and looks it through: what is whole, whose it is, and
// for which ledger it was written. A torn end is cut off.
func openFile(cfg Config) (*file, Found, error) {
	f := &file{File: cfg.File}
	if f.File == nil {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return nil, Found{}, fmt.Errorf("open the journal: make data_dir: %w", err)
		}
		opened, err := openDisk(cfg.Dir)
		if err != nil {
			return nil, Found{}, fmt.Errorf("open the journal: %w", err)
		}
		f.File, f.path = opened, filepath.Join(cfg.Dir, fileName)
	}
	found, err := f.look()
	if err != nil {
		_ = f.Close() // it was only read
		return nil, Found{}, fmt.Errorf("open the journal %s: %w", f.path, err)
	}
	return f, found, nil
}

// look reads the whole file, piece by piece.
func (f *file) look() (Found, error) {
	found := nothing()
	size, err := f.Size()
	if err != nil || size == 0 {
		return found, err
	}
	head := make([]byte, min(size, int64(len(magic))))
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return found, err
	}
	switch {
	case len(head) < len(magic):
		found.Damage = append(found.Damage, fmt.Errorf("the header was unfinished; %d bytes were cut off", size))
		return found, f.Truncate(0)
	case string(head) == magic1:
		f.old = true
	case string(head) != magic:
		return found, fmt.Errorf("%w: it begins with %q; move it away, or run the version that wrote it until it is empty", errNewer, head)
	}
	if err := f.lookAt(&found, size); err != nil {
		return found, err
	}
	if f.size < size {
		found.Damage = append(found.Damage, fmt.Errorf("the last %d bytes are an unfinished record and were cut off", size-f.size))
		return found, f.Truncate(f.size)
	}
	return found, nil
}

// lookAt goes from record to record.
func (f *file) lookAt(found *Found, size int64) error {
	f.size = int64(len(magic))
	r := newReader(f, f.size, size)
	for {
		start, length, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start > f.size {
			found.Damage = append(found.Damage, fmt.Errorf("%d bytes are damaged; the observation in them is lost", start-f.size))
		}
		f.size = start + int64(frameBytes) + length
		if err := f.account(r, found, start, length); err != nil {
			return err
		}
	}
}

// account notes whose a record is.
func (f *file) account(r *reader, found *Found, start, length int64) error {
	front, err := r.peek(start, min(length, frontBytes))
	if err != nil {
		return err
	}
	if origin, is := decodeOrigin(front); is {
		f.origin = origin
		return nil
	}
	whole := func() ([]byte, error) { return r.payload(start, length) }
	h, err := headOf(front, whole)
	switch {
	case errors.Is(err, errNewer):
		return err
	case err != nil:
		found.Damage = append(found.Damage, err)
		return nil
	}
	if f.observed.IsZero() {
		f.observed = h.asked
	}
	f.term = max(f.term, h.term)
	found.Observations[h.key]++
	return nil
}

// read returns what comes next for a lane between two places of the file, until
// it takes room bytes, and where to go on.
func (l *Lane) read(f *file, from, to, room int64) (got []item, at int64, err error) {
	r := newReader(f, from, to)
	for at = from; room > 0; {
		start, length, err := r.next()
		if errors.Is(err, io.EOF) {
			return got, to, nil
		}
		if err != nil {
			return got, at, fmt.Errorf("read the journal: %w", err)
		}
		at = start + int64(frameBytes) + length
		it, err := l.pick(r, start, length)
		if err != nil {
			l.b.onDamage(err)
			continue
		}
		if it.obs != nil {
			got = append(got, it)
			room -= it.bytes
		}
	}
	return got, at, nil
}

// pick returns what of a record belongs to the lane.
func (l *Lane) pick(r *reader, start, length int64) (item, error) {
	front, err := r.peek(start, min(length, frontBytes))
	if err != nil {
		return item{}, err
	}
	if _, is := decodeOrigin(front); is {
		return item{}, nil
	}
	key, stray := keyOf(front), false
	if key != l.key {
		if stray = key == "" || l.strays.From != nil && l.strays.From(key); !stray {
			return item{}, nil
		}
	}
	payload, err := r.payload(start, length)
	if err != nil {
		return item{}, err
	}
	obs, err := decode(payload)
	if err != nil {
		return item{}, err
	}
	if stray && l.strays.Part != nil {
		obs = l.strays.Part(obs)
	} else if stray {
		obs = nil
	}
	return item{obs, 256 + 2*length}, nil
}

// reader goes from record to record without keeping what it passes.
type reader struct {
	f      io.ReaderAt
	at, to int64
	buf    []byte // of the file, from where
	where  int64
}

// window is how much of the file is read together.
const window = 64 << 10

func newReader(f io.ReaderAt, from, to int64) *reader { return &reader{f: f, at: from, to: to} }

// next finds the first whole record from where it stands on: where its frame
// starts and how long its payload is. [io.EOF]: there is none.
func (r *reader) next() (start, length int64, err error) {
	for {
		length, err := r.whole(r.at)
		if err == nil {
			start := r.at
			r.at += int64(frameBytes) + length
			return start, length, nil
		}
		if !errors.Is(err, errDamaged) {
			return 0, 0, err
		}
		if err := r.seek(r.at + 1); err != nil {
			return 0, 0, err
		}
	}
}

// whole returns the length of the payload of the record that begins there.
func (r *reader) whole(at int64) (int64, error) {
	head, err := r.bytes(at, int64(frameBytes))
	if err != nil {
		return 0, err
	}
	if string(head[:len(mark)]) != mark {
		return 0, errDamaged
	}
	length := int64(binary.LittleEndian.Uint32(head[len(mark):]))
	want := binary.LittleEndian.Uint32(head[len(mark)+4:])
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Checksum(head[len(mark):len(mark)+4], table)
	end := at + int64(frameBytes) + length
	if end > r.to {
		return 0, errDamaged
	}
	for at += int64(frameBytes); at < end; {
		piece, err := r.bytes(at, min(end-at, window))
		if err != nil {
			return 0, err
		}
		sum = crc32.Update(sum, table, piece)
		at += int64(len(piece))
	}
	if sum != want {
		return 0, errDamaged
	}
	return length, nil
}

// seek goes on at the next mark from there on.
func (r *reader) seek(from int64) error {
	in := bufio.NewReaderSize(io.NewSectionReader(r.f, from, max(r.to-from, 0)), window)
	for {
		piece, err := in.Peek(window)
		if i := bytes.Index(piece, []byte(mark)); i >= 0 {
			r.at = from + int64(i)
			return nil
		}
		if err != nil { // the end: what was peeked is all that is left
			return err
		}
		n, _ := in.Discard(len(piece) - len(mark) + 1)
		from += int64(n)
	}
}

// bytes returns n bytes from at on, at most a window, until the next call.
// [io.EOF]: there are not as many, or none at all.
func (r *reader) bytes(at, n int64) ([]byte, error) {
	if at+n > r.to {
		if at >= r.to {
			return nil, io.EOF
		}
		return nil, errDamaged
	}
	if at < r.where || at+n > r.where+int64(len(r.buf)) {
		if r.buf == nil {
			r.buf = make([]byte, window)
		}
		r.buf = r.buf[:min(window, r.to-at)]
		if _, err := r.f.ReadAt(r.buf, at); err != nil && !errors.Is(err, io.EOF) {
			r.buf = r.buf[:0]
			return nil, err
		}
		r.where = at
	}
	return r.buf[at-r.where:][:n], nil
}

func (r *reader) peek(start, n int64) ([]byte, error) { return r.bytes(start+int64(frameBytes), n) }

func (r *reader) payload(start, length int64) ([]byte, error) {
	payload := make([]byte, length)
	_, err := r.f.ReadAt(payload, start+int64(frameBytes))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return payload, err
}
