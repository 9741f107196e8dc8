package dingtalk

import (
	"math"
	"strconv"
	"time"
)

// The functions below read one valid JSON value, leniently.

// given reports whether there is a value at all: neither absent nor null.
func given(raw []byte) bool { return len(raw) > 0 && raw[0] != 'n' }

// typeOf names the type of a value.
func typeOf(raw []byte) string {
	switch raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// text reads a string; ok is false for any other type.
func text(raw []byte) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return string(plain(raw)), true
}

// integer reads a whole number, even one in a string or written as a float; ok
// is false for any other value, and for none.
func integer(raw []byte) (n int64, ok bool) {
	if len(raw) > 2 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	if len(raw) == 0 || raw[0] != '-' && !isDigit(raw[0]) || skipNumber(raw, 0) != len(raw) {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	const exact = 1 << 53 // beyond, a float no longer holds every whole number
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, false
	}
	return int64(f), true
}

// moment reads Unix milliseconds. Zero is no moment; ok is false for what no
// meeting can have: a time before 2000 or after 2100.
func moment(raw []byte) (t time.Time, ok bool) {
	ms, ok := integer(raw)
	if !ok || ms == 0 {
		return time.Time{}, ok
	}
	t = time.UnixMilli(ms).UTC()
	if t.Year() < 2000 || t.Year() > 2100 {
		return time.Time{}, false
	}
	return t, true
}

// shown returns a value as it may be shown to anybody: short, escaped, and
// without the contents of what may hold names.
func shown(raw []byte) string {
	const most = 32
	switch kind := typeOf(raw); kind {
	case "object", "array":
		return kind
	case "string":
		return strconv.QuoteToASCII(clip(unquote(raw), most))
	}
	return string(raw[:min(len(raw), most)])
}
