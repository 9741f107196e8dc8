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

// object passes an object: each is called with the cursor before the value of a
// member and must pass it. The key may be escaped still, see [isKey].
func (c *cursor) object(each func(key []byte)) {
	c.container('}', func() {
		start := c.at
		if c.at = skipKey(c.data, start); c.at == bad {
			return
		}
		end := skipString(c.data, start)
		each(c.data[start:end])
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

// isKey reports whether a key as it stands in JSON, quotes and all, means name.
func isKey(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') < 0 {
		return len(key) == len(name)+2 && string(key[1:len(key)-1]) == name
	}
	return unquote(key) == name
}

// unquote gives what a valid JSON string means; what is not UTF-8 is replaced.
func unquote(raw []byte) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return ""
	}
	return s
}
