// Package safetext makes text from strangers safe to show on a terminal, in a
// table or in a log: what it returns never moves the cursor, never colours,
// never changes the direction of writing, never hides, and never looks like a
// second line. What could becomes a visible escape: \x1b, \u202e.
package safetext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may stand on one character. Written
// languages need up to three; more are used to paint over other lines.
const maxMarks = 3

// Line returns s as one line that is safe to show. Spaces of any kind become a
// plain space; everything that does not print becomes an escape.
func Line(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	w := writer{}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		b.WriteString(w.next(r, s[i:i+size]))
		i += size
	}
	return b.String()
}

// plain reports whether s is printable ASCII, as most text is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// writer remembers what the marks that come next would stand on. Its zero
// value is the start of a line.
type writer struct {
	based bool // there is a character for a mark to stand on
	marks int  // how many marks stand on it
}

// next returns the safe form of r, whose bytes are raw.
func (w *writer) next(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		w.based = false
		return fmt.Sprintf(`\x%02x`, raw[0])
	case unicode.Is(unicode.Zs, r):
		*w = writer{based: true}
		return " "
	case hidden(r):
		w.based = false
		return escape(r)
	case mark(r):
		w.marks++
		if !w.based || w.marks > maxMarks {
			return escape(r)
		}
		return raw
	}
	*w = writer{based: true}
	return raw
}

// hidden reports whether r does not show itself: controls, format characters
// such as those that turn the direction of writing, what is private or not
// assigned, line breaks, and letters that are drawn as nothing.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == '\u2800' || r == '\u034f' ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// mark reports whether r is drawn over the character before it.
func mark(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me) }

// escape writes r in visible ASCII.
func escape(r rune) string {
	switch {
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
