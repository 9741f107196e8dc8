package dingtalk

import (
	"bytes"
	"encoding/json"
)

// cursor walks JSON that nobody has checked yet: what it passes is valid, or at
// becomes bad and stays so.
type cursor struct {
	data  []byte
	at    int
	depth int // containers around at
}

// newCursor stands before the value of data.
func newCursor(data []byte) *cursor {
	return &cursor{data: data, at: skipSpace(data, 0)}
}

// done reports whether data was one valid value and nothing after it.
func (c *cursor) done() bool {
	return c.at != bad && skipSpace(c.data, c.at) == len(c.data)
}

// peek returns the first byte of the value ahead, which shows its type; 0 when
// there is none.
func (c *cursor) peek() byte {
	if c.at == bad || c.at >= len(c.data) {
		return 0
	}
	return c.data[c.at]
}

// value passes one value and returns its bytes, which alias the data.
func (c *cursor) value() []byte {
	start := c.at
	if c.at = skipValue(c.data, start, c.depth); c.at == bad {
		return nil
	}
	return c.data[start:c.at:c.at]
}

// object passes an object: each is called with the name of a member, and with
// the cursor before its value, which it must pass.
func (c *cursor) object(each func(name []byte)) {
	for more := c.open('}'); more; more = c.next('}') {
		if name := c.name(); c.at != bad {
			each(name)
		}
	}
}

// array passes an array: each is called with the cursor before an element and
// must pass it.
func (c *cursor) array(each func()) {
	for more := c.open(']'); more; more = c.next(']') {
		each()
	}
}

// open passes the bracket before which the cursor stands, and reports whether
// something comes before the closing one. If nothing does, that is passed, too.
func (c *cursor) open(closing byte) bool {
	if c.depth++; c.depth > maxDepth {
		c.at = bad
		return false
	}
	if c.at = skipSpace(c.data, c.at+1); c.peek() != closing {
		return true
	}
	c.at++
	c.depth--
	return false
}

// next passes what follows something between brackets, and reports whether more
// comes before the closing one.
func (c *cursor) next(closing byte) (more bool) {
	if c.at, more = skipNext(c.data, c.at, closing); !more {
		c.depth--
	}
	return more
}

// skipNext passes a comma or the closing bracket, and the space around it, and
// reports whether it was the comma.
func skipNext(b []byte, i int, closing byte) (end int, more bool) {
	if i == bad {
		return bad, false
	}
	if i = skipSpace(b, i); i >= len(b) {
		return bad, false
	}
	switch b[i] {
	case ',':
		return skipSpace(b, i+1), true
	case closing:
		return i + 1, false
	}
	return bad, false
}

// name passes the name of a member with its colon. In what it returns, bytes that
// are not UTF-8 may stand as they are.
func (c *cursor) name() (name []byte) {
	name, c.at = keyOf(c.data, c.at)
	return name
}

// keyOf is name for one who walks without a cursor.
func keyOf(b []byte, i int) (name []byte, end int) {
	if uint(i) >= uint(len(b)) || b[i] != '"' {
		return nil, bad
	}
	end, form := skipText(b, i)
	if end == bad {
		return nil, bad
	}
	if form&escaped != 0 {
		name = []byte(unquote(b[i:end]))
	} else {
		name = b[i+1 : end-1]
	}
	return name, skipColon(b, end)
}

// pick calls each with the members of an object, in their order, so that the
// last of a name wins; ok is false if raw is not an object.
func pick(raw []byte, each func(name, value []byte)) (ok bool) {
	c := newCursor(raw)
	if c.peek() != '{' {
		return false
	}
	c.object(func(name []byte) {
		if value := c.value(); value != nil {
			each(name, value)
		}
	})
	return c.done()
}

// unquote returns what a valid JSON string means; what is not UTF-8 is replaced.
func unquote(raw []byte) string {
	var s string
	// A copy, so that the compiler does not take whatever is read here to live on.
	if err := json.Unmarshal(bytes.Clone(raw), &s); err != nil {
		return ""
	}
	return s
}
