package safetext

import (
	"strings"
	"unicode/utf8"
)

// ellipsis stands for what was cut off.
const ellipsis = "…"

// Field returns s as a safe line of at most maxWidth columns of a terminal; what
// does not fit is cut, and an ellipsis says so. A maxWidth below 1 returns "".
func Field(s string, maxWidth int) string {
	if maxWidth < 1 {
		return ""
	}
	safe := Line(s)
	if Width(safe) <= maxWidth {
		return safe
	}
	end, used := 0, 0
	for i, r := range safe {
		used += columns(r)
		if used > maxWidth-1 {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return safe[:end] + ellipsis
}

// Pad returns s as [Field] does and fills it with spaces up to width columns.
func Pad(s string, width int) string {
	field := Field(s, width)
	return field + strings.Repeat(" ", max(0, width-Width(field)))
}

// Width is the number of columns that the safe line s takes.
func Width(s string) int {
	width := 0
	for _, r := range s {
		width += columns(r)
	}
	return width
}

// columns is how many columns r takes: none for a mark, two for what East
// Asian type draws wide and for emoji. Where terminals disagree the larger
// number is taken: a column too short is ugly, one too long breaks the table.
func columns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case mark(r):
		return 0
	case wide(r):
		return 2
	}
	return 1
}

// wide follows the blocks of Unicode, not its table of widths: everything in
// these blocks is wide, or so rare that an extra space does not matter.
func wide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115f, // Hangul syllables' beginnings
		r >= 0x231a && r <= 0x23ff, // watches, hourglasses, media keys
		r >= 0x2600 && r <= 0x27bf, // symbols and dingbats, many of them emoji
		r >= 0x2b1b && r <= 0x2b55, // squares, stars, circles
		r >= 0x2e80 && r <= 0xa4cf, // radicals to Yi: Chinese, Japanese
		r >= 0xa960 && r <= 0xa97f, // Hangul
		r >= 0xac00 && r <= 0xd7a3, // Hangul
		r >= 0xf900 && r <= 0xfaff, // compatibility ideographs
		r >= 0xfe30 && r <= 0xfe6f, // vertical and small forms
		r >= 0xff01 && r <= 0xff60, // full-width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x16fe0 && r <= 0x1b2ff, // Tangut, Khitan, old kana
		r >= 0x1f000 && r <= 0x1faff, // tiles, cards, emoji
		r >= 0x20000 && r <= 0x3fffd: // more ideographs
		return true
	}
	return false
}
