package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/highwayhash"
)

// A block of nats-server 2.10 and later, neither compressed nor encrypted, as those of
// the embedded server are: records of a length in four bytes, whose highest bit says
// that there are headers; the sequence in eight, whose highest bits say that it is
// erased or a tombstone; the time in eight; the length of the subject in two; the
// subject, the headers with their length in four, the message; and a checksum in eight.
const (
	recordHead = 22
	recordSum  = 8
	withHeader = uint32(1) << 31
	erasedBit  = uint64(1) << 63
	tombBit    = uint64(1) << 62
)

// record is a message as it stands in a file.
type record struct {
	at, length int64
	sequence   uint64 // with the bits
	subject    string
	written    time.Time
	ages       bool // no header says how old it may become
}

// live reports whether it is a message that nobody has erased.
func (r record) live() bool { return r.sequence != 0 && r.sequence&(erasedBit|tombBit) == 0 }

// eachRecord calls do for each record of a file, up to the first that is not whole:
// what comes then is being written. A file that is gone has none.
func eachRecord(ctx context.Context, stream, file string, do func(record)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	sum, err := sumOf(stream, file)
	if err != nil {
		return err
	}
	for at := 0; ; {
		r, whole := readRecord(sum, data[at:])
		if !whole {
			return nil
		}
		r.at = int64(at)
		do(r)
		at += int(r.length)
	}
}

// readRecord reads the record at the beginning of data; whole is false where there is
// none with the right checksum.
func readRecord(sum hash.Hash64, data []byte) (r record, whole bool) {
	if len(data) < recordHead+recordSum {
		return r, false
	}
	length := binary.LittleEndian.Uint32(data)
	subject, skip := int(binary.LittleEndian.Uint16(data[20:])), 0
	if length&withHeader != 0 {
		length, skip = length&^withHeader, 4
	}
	end := int64(length) - recordSum
	if end > int64(len(data)-recordSum) || end < int64(recordHead+subject+skip) {
		return r, false
	}
	body := data[recordHead:end]
	sum.Reset()
	for _, part := range [][]byte{data[4:20], body[:subject], body[subject+skip:]} {
		_, _ = sum.Write(part) // never fails
	}
	if !bytes.Equal(sum.Sum(nil), data[end:end+recordSum]) {
		return r, false
	}
	return record{
		length: int64(length), sequence: binary.LittleEndian.Uint64(data[4:]), subject: string(body[:subject]),
		written: time.Unix(0, int64(binary.LittleEndian.Uint64(data[12:]))), ages: !bytes.Contains(body[subject:], []byte("\r\nNats-TTL:")),
	}, true
}

// erased is what stands in a record's place: one of the same length that says nothing.
func (r record) erased(sum hash.Hash64) []byte {
	data := make([]byte, r.length)
	binary.LittleEndian.PutUint32(data, uint32(r.length))
	binary.LittleEndian.PutUint64(data[4:], r.sequence&^tombBit|erasedBit)
	end := r.length - recordSum
	sum.Reset()
	_, _ = sum.Write(data[4:20])
	_, _ = sum.Write(data[recordHead:end])
	return append(data[:end], sum.Sum(nil)...)
}

// sumOf is the checksum of a block, which depends on whose it is.
func sumOf(stream, file string) (hash.Hash64, error) {
	key := sha256.Sum256([]byte(stream + "-" + strings.TrimSuffix(filepath.Base(file), ".blk")))
	return highwayhash.New64(key[:])
}

func syncFile(name string) error {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// patch is what is being overwritten, as it stands in the redo file.
type patch struct {
	Stream  string
	File    string // from the redo file's directory
	Records []patched
}

type patched struct {
	At, Length int64
	Sequence   uint64
}

// overwrite erases records of a file. NATS drops everything behind a record that is
// half overwritten: so what is to be done is written down before.
func overwrite(redo, stream, file string, dead []record) error {
	p := patch{Stream: stream}
	var err error
	if p.File, err = filepath.Rel(filepath.Dir(redo), file); err != nil {
		return err
	}
	for _, r := range dead {
		p.Records = append(p.Records, patched{r.at, r.length, r.sequence})
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(redo+".new", text, 0o600); err != nil {
		return err
	}
	if err := errors.Join(syncFile(redo+".new"), os.Rename(redo+".new", redo)); err != nil {
		return err
	}
	if err := p.apply(redo); err != nil {
		return err
	}
	return os.Remove(redo)
}

// finish does again what a process that died was overwriting. No server runs then.
func finish(redo string) error {
	text, err := os.ReadFile(redo)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var p patch
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err == nil {
		err = p.apply(redo)
	}
	if err != nil {
		return fmt.Errorf("overwrite again what %s names: %w", redo, err)
	}
	return os.Remove(redo)
}

// apply overwrites what still stands where it did. A file that NATS has replaced since
// has nothing of it, or is looked through again.
func (p *patch) apply(redo string) error {
	file, err := os.OpenFile(filepath.Join(filepath.Dir(redo), p.File), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	sum, err := sumOf(p.Stream, p.File)
	for _, r := range p.Records {
		if err != nil {
			break
		}
		head := make([]byte, recordHead)
		if _, readErr := file.ReadAt(head, r.At); readErr != nil {
			continue // the file is shorter now
		}
		length, sequence := binary.LittleEndian.Uint32(head)&^withHeader, binary.LittleEndian.Uint64(head[4:])&^erasedBit
		if int64(length) != r.Length || sequence != r.Sequence {
			continue
		}
		_, err = file.WriteAt(record{length: r.Length, sequence: r.Sequence}.erased(sum), r.At)
	}
	return errors.Join(err, file.Sync(), file.Close())
}
