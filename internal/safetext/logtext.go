package safetext

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns JSON text on one line, with every character that does not show
// itself written as \uXXXX. The value stays the same, since such characters
// stand in JSON's strings only, and blanks between its tokens mean nothing.
func JSON(text []byte) []byte {
	return escapeAll(bytes.TrimSpace(text), ' ')
}

// Log returns a line of a log with every character that does not show itself
// written as \uXXXX. It leaves the tabs that stand between the columns, and
// one line break at the end; valid JSON on one line stays the same value.
func Log(line []byte) []byte {
	body, ended := bytes.CutSuffix(line, []byte("\n"))
	safe := escapeAll(body, 0)
	if ended {
		safe = append(safe, '\n')
	}
	return safe
}

// escapeAll escapes what is hidden. Line breaks and tabs become blank, unless
// blank is 0: then a tab stays and a line break is escaped like the rest.
func escapeAll(text []byte, blank byte) []byte {
	out := make([]byte, 0, len(text)+1)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case blank != 0 && (r == '\n' || r == '\r' || r == '\t'):
			out = append(out, blank)
		case r == '\t', unicode.Is(unicode.Zs, r), !hidden(r) && (r != utf8.RuneError || size > 1):
			out = append(out, text[:size]...)
		default:
			out = appendUnits(out, r)
		}
		text = text[size:]
	}
	return out
}

// appendUnits writes r as JSON does: two escapes for what is beyond \uffff.
func appendUnits(out []byte, r rune) []byte {
	for _, unit := range utf16.Encode([]rune{r}) {
		out = fmt.Appendf(out, `\u%04x`, unit)
	}
	return out
}
