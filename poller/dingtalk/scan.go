package dingtalk

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is how deeply encoding/json lets values nest.
const maxDepth = 10000

// bad is what the skip functions return instead of a position in broken JSON.
const bad = -1

// The skip functions below take the position where something begins and return
// the one after it. Together they accept exactly what encoding/json accepts.
// Those that begin a step of a walk take bad, too, and leave it so.

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t') }

// skipValue skips any value; depth counts the containers around it.
func skipValue(b []byte, i, depth int) int {
	if uint(i) >= uint(len(b)) {
		return bad
	}
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '{':
		return skipObject(b, i, depth+1)
	case c == '[':
		return skipArray(b, i, depth+1)
	case c == '-' || isDigit(c):
		return skipNumber(b, i)
	}
	return skipLiteral(b, i)
}

func skipObject(b []byte, i, depth int) int {
	if depth > maxDepth {
		return bad
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i = skipKey(b, i); i == bad {
			return bad
		}
		if i = skipValue(b, i, depth); i == bad {
			return bad
		}
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == '}' {
			return i + 1
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
}

func skipArray(b []byte, i, depth int) int {
	if depth > maxDepth {
		return bad
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(b, i, depth); i == bad {
			return bad
		}
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == ']' {
			return i + 1
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
}

// skipKey skips a member's name, its colon and the space around that.
func skipKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return bad
	}
	if i = skipString(b, i); i == bad {
		return bad
	}
	return skipColon(b, i)
}

// skipColon skips a colon and the space around it.
func skipColon(b []byte, i int) int {
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return bad
	}
	return skipSpace(b, i+1)
}

func skipString(b []byte, i int) int {
	end, _ := skipText(b, i)
	return end
}

// skipText skips a string, the better part of any answer, eight bytes at a time,
// and reports how it is written.
func skipText(b []byte, i int) (end int, form form) {
	var beyond uint64
	for i++; ; {
		if i+8 <= len(b) {
			word := binary.LittleEndian.Uint64(b[i:])
			hit := special(word)
			if hit == 0 {
				beyond |= word
				i += 8
				continue
			}
			beyond |= word & (hit&-hit - 1) // what comes before the byte that was hit
			i += bits.TrailingZeros64(hit) >> 3
		}
		if i >= len(b) || b[i] < ' ' {
			return bad, form
		}
		switch b[i] {
		case '"':
			return i + 1, form | formOf(beyond)
		case '\\':
			form |= escaped
			if i = skipEscape(b, i); i == bad {
				return bad, form
			}
		default:
			beyond |= uint64(b[i])
			i++
		}
	}
}

// form is how a string is written. The zero value: it means what stands between
// its quotes, all of it ASCII.
type form uint8

const (
	escaped form = 1 << iota // it has a backslash
	wide                     // it has bytes beyond ASCII
)

// formOf returns the form of bytes that are no backslash; their bits are laid over
// one another.
func formOf(word uint64) form {
	if word&highs != 0 {
		return wide
	}
	return 0
}

// highs has the high bit of each byte, ones the low one.
const (
	highs = 0x8080808080808080
	ones  = 0x0101010101010101
)

// special marks the high bit of the bytes of word that end a plain run of a
// string: quotes, backslashes, controls. Bytes after the first one may be
// marked wrongly.
func special(word uint64) uint64 {
	quote := word ^ '"'*ones
	slash := word ^ '\\'*ones
	// What is beyond ASCII is none of these, whatever the subtractions make of it.
	return ((quote - ones) | (slash - ones) | (word - ' '*ones)) &^ word & highs
}

func skipEscape(b []byte, i int) int {
	if i++; i >= len(b) {
		return bad
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		return skipHex(b, i+1)
	}
	return bad
}

func skipHex(b []byte, i int) int {
	if i+4 > len(b) {
		return bad
	}
	for _, c := range b[i : i+4] {
		if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'f') {
			return bad
		}
	}
	return i + 4
}

func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	start := i
	if i = skipDigits(b, i); i == start || b[start] == '0' && i > start+1 {
		return bad
	}
	if i < len(b) && b[i] == '.' {
		start = i + 1
		if i = skipDigits(b, start); i == start {
			return bad
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		return skipExponent(b, i+1)
	}
	return i
}

func skipExponent(b []byte, i int) int {
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	end := skipDigits(b, i)
	if end == i {
		return bad
	}
	return end
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

func skipLiteral(b []byte, i int) int {
	switch rest := b[i:]; {
	case len(rest) >= 4 && (string(rest[:4]) == "null" || string(rest[:4]) == "true"):
		return i + 4
	case len(rest) >= 5 && string(rest[:5]) == "false":
		return i + 5
	}
	return bad
}

func isDigit(c byte) bool { return c-'0' <= 9 }
