package target

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// ellipsis stands for what was cut off.
const ellipsis = "…"

// cutLines returns the longest beginning of a body, in whole lines and with an
// ellipsis for the rest, that fits; false where not even the first line does.
// It never cuts within a line, whose markup would then stay open.
func cutLines(body string, fits func(string) bool) (string, bool) {
	if fits(body) {
		return body, true
	}
	lines := strings.Split(body, "\n")
	beginning := func(n int) string { return strings.Join(lines[:n], "\n") + "\n" + ellipsis }
	n := sort.Search(len(lines), func(n int) bool { return !fits(beginning(n)) }) - 1
	if n < 1 {
		return "", false
	}
	return beginning(n), true
}

// cutRunes returns the longest beginning of text without markup that fits, on a
// rune boundary and with an ellipsis for the rest.
func cutRunes(text string, fits func(string) bool) string {
	if fits(text) {
		return text
	}
	beginning := func(n int) string {
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		return text[:n] + ellipsis
	}
	n := sort.Search(len(text), func(n int) bool { return !fits(beginning(n)) }) - 1
	return beginning(max(n, 0))
}
