package wire

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// canonical walks JSON in which every byte but the values is known beforehand.
// After the first thing that is not as expected it returns zero values, and
// ended says so.
type canonical struct {
	rest  string
	other bool // it has another form
}

func (c *canonical) require(as bool) { c.other = c.other || !as }

func (c *canonical) ended() bool { return !c.other && c.rest == "" }

// took passes over a literal, if it comes next.
func (c *canonical) took(literal string) bool {
	rest, found := strings.CutPrefix(c.rest, literal)
	c.rest = rest
	return found
}

func (c *canonical) expect(literal string) {
	if !c.other && !c.took(literal) {
		c.other = true
	}
}

// element passes over the comma before all elements of a list but the first.
func (c *canonical) element(i int) {
	if i > 0 {
		c.expect(",")
	}
}

// count is how often a literal stands before another. Neither can stand in a
// text, where quotation marks have a backslash.
func (c *canonical) count(literal, before string) int {
	part, _, found := strings.Cut(c.rest, before)
	if c.other || !found {
		return 0
	}
	return strings.Count(part, literal)
}

func (c *canonical) text() string {
	if c.expect(`"`); c.other {
		return ""
	}
	for i := range len(c.rest) {
		switch b := c.rest[i]; {
		case b == '"':
			text := c.rest[:i]
			c.rest = c.rest[i+1:]
			return text
		case b == '\\':
			return c.escaped(i)
		case b < ' ':
			c.other = true
			return ""
		}
	}
	c.other = true
	return ""
}

// texts reads the rest of a list of them, which is not empty.
func (c *canonical) texts() (all []string) {
	for {
		all = append(all, c.text())
		if !c.took(",") {
			c.expect("]")
			return all
		}
	}
}

// escaped reads a text with escapes, the first of them at from. They are rare.
func (c *canonical) escaped(from int) (text string) {
	for i := from; i < len(c.rest); i++ {
		switch c.rest[i] {
		case '\\':
			i++
		case '"':
			c.require(json.Unmarshal([]byte(`"`+c.rest[:i+1]), &text) == nil)
			c.rest = c.rest[i+1:]
			return text
		}
	}
	c.other = true
	return ""
}

// number cuts off a whole number as JSON writes it: no zero before other digits.
func (c *canonical) number() string {
	end := 0
	for end < len(c.rest) && (c.rest[end] >= '0' && c.rest[end] <= '9' || end == 0 && c.rest[end] == '-') {
		end++
	}
	digits := strings.TrimPrefix(c.rest[:end], "-")
	c.require(len(digits) == 1 || len(digits) > 1 && digits[0] != '0')
	number := c.rest[:end]
	c.rest = c.rest[end:]
	return number
}

func (c *canonical) uint() uint64 {
	n, err := strconv.ParseUint(c.number(), 10, 64)
	c.require(err == nil)
	return n
}

func (c *canonical) int64() int64 { return c.signed(64) }

func (c *canonical) int() int { return int(c.signed(strconv.IntSize)) }

func (c *canonical) signed(bits int) int64 {
	n, err := strconv.ParseInt(c.number(), 10, bits)
	c.require(err == nil)
	return n
}

func (c *canonical) bool() bool {
	if c.took("true") {
		return true
	}
	c.expect("false")
	return false
}

func (c *canonical) time() time.Time {
	if c.took("null") {
		return time.Time{}
	}
	at, err := ParseTime(c.text())
	c.require(err == nil)
	return at
}
