package dingtalk

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
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

// peek gives the first byte of the value ahead, which tells its type; 0 when
// there is none.
func (c *cursor) peek() byte {
	if c.at == bad || c.at >= len(c.data) {
		return 0
	}
	return c.data[c.at]
}

// value passes one value and gives its bytes, which alias the data.
func (c *cursor) value() []byte {
	if c.at == bad {
		return nil
	}
	start := c.at
	if c.at = skipValue(c.data, start, c.depth); c.at == bad {
		return nil
	}
	return c.data[start:c.at:c.at]
}

// object passes an object: each is called with the name of a member, and with
// the cursor before its value, which it must pass.
func (c *cursor) object(each func(name []byte)) {
	c.container('}', func() {
		start := c.at
		if c.at = skipKey(c.data, start); c.at != bad {
			each(plain(c.data[start:skipString(c.data, start)]))
		}
	})
}

// array passes an array: each is called with the cursor before an element and
// must pass it.
func (c *cursor) array(each func()) { c.container(']', each) }

// container passes what stands between brackets, of which the cursor stands
// before the first.
func (c *cursor) container(closing byte, each func()) {
	if c.depth++; c.depth > maxDepth {
		c.at = bad
		return
	}
	if c.at = skipSpace(c.data, c.at+1); c.peek() != closing {
		for more := true; more; more = c.separator(closing) {
			each()
		}
	} else {
		c.at++
	}
	c.depth--
}

// separator passes what follows an element and reports whether another one comes.
func (c *cursor) separator(closing byte) bool {
	if c.at == bad {
		return false
	}
	c.at = skipSpace(c.data, c.at)
	next := c.peek()
	if next != ',' && next != closing {
		c.at = bad
		return false
	}
	c.at++
	if next == ',' {
		c.at = skipSpace(c.data, c.at)
	}
	return next == ','
}

// plain gives what a valid JSON string means, without a copy where it can.
func plain(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	return []byte(unquote(raw))
}

// unquote gives what a valid JSON string means; what is not UTF-8 is replaced.
func unquote(raw []byte) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return ""
	}
	return s
}
