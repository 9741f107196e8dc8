package natsproxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// frame is one operation of the protocol with its payload, exactly as it came.
type frame struct {
	bytes   []byte
	verb    string // upper case: HPUB
	subject string
	reply   string // of a publication; "" for none
	header  []byte // of HPUB and HMSG
	payload []byte // of publications and messages, without the header
}

// readFrame reads the next operation.
func readFrame(r *bufio.Reader) (frame, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return frame{}, err
	}
	f := frame{bytes: line}
	words := bytes.Fields(line)
	if len(words) == 0 {
		return f, nil
	}
	f.verb = string(bytes.ToUpper(words[0]))
	fixed, sizes := shape(f.verb)
	if fixed == 0 {
		return f, nil
	}
	if len(words) < fixed || len(words) > fixed+1 {
		return f, fmt.Errorf("read %s: %d words", f.verb, len(words))
	}
	f.subject = string(words[1])
	if f.verb[len(f.verb)-3:] == "PUB" && len(words) > fixed {
		f.reply = string(words[2])
	}
	return f, f.readBody(r, words[len(words)-sizes:])
}

// readSome reads what has come, as one operation without a name.
func readSome(r *bufio.Reader) (frame, error) {
	if _, err := r.Peek(1); err != nil {
		return frame{}, err
	}
	f := frame{bytes: make([]byte, r.Buffered())}
	_, err := io.ReadFull(r, f.bytes)
	return f, err
}

// shape is how many words an operation with a payload has, apart from the
// optional reply, and how many of them, the last ones, are sizes.
func shape(verb string) (words, sizes int) {
	switch verb {
	case "PUB": // subject [reply] size
		return 3, 1
	case "MSG": // subject sid [reply] size
		return 4, 1
	case "HPUB": // subject [reply] header-size total-size
		return 4, 2
	case "HMSG": // subject sid [reply] header-size total-size
		return 5, 2
	}
	return 0, 0
}

func (f *frame) readBody(r *bufio.Reader, sizes [][]byte) error {
	total, err := strconv.Atoi(string(sizes[len(sizes)-1]))
	if err != nil || total < 0 {
		return fmt.Errorf("read %s: size %q", f.verb, sizes[len(sizes)-1])
	}
	header := 0
	if len(sizes) == 2 {
		if header, err = strconv.Atoi(string(sizes[0])); err != nil || header < 0 || header > total {
			return fmt.Errorf("read %s: header size %q of %d", f.verb, sizes[0], total)
		}
	}
	start := len(f.bytes)
	f.bytes = append(f.bytes, make([]byte, total+len("\r\n"))...)
	if _, err := io.ReadFull(r, f.bytes[start:]); err != nil {
		return err
	}
	body := f.bytes[start : start+total]
	f.header, f.payload = body[:header], body[header:]
	return nil
}

// value returns the first value of a header; "" when it is not there.
func (f *frame) value(name string) string {
	for line := range bytes.Lines(f.header) {
		if key, value, ok := bytes.Cut(line, []byte(":")); ok && string(key) == name {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}
