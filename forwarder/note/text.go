package note

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Text is text in the markup of the service: what strangers wrote in it is
// escaped. However a template prints it, it comes out whole, so that no escape
// is cut in half.
type Text string

// Format writes the text, whatever the verb, the width and the precision.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, string(t)) }

// The lengths, in runes, to which what strangers wrote is cut: the note stays
// readable.
const (
	maxName   = 40
	maxTitle  = 60
	maxReason = 80
	maxDetail = 200
)

// clip cuts s to so many runes, the last an ellipsis, and makes it valid UTF-8.
func clip(s string, runes int) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\ufffd"))
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	for i := range s {
		if runes--; runes == 0 {
			return s[:i] + "…"
		}
	}
	return s
}
