package target

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// brk is a space without width: it shows nothing, and ends what a client would
// otherwise take for a link, an emoji's name or the end of a style.
const brk = "\u200b"

// maxMarks is how many combining marks may stand on one character; more are
// used to paint over other lines.
const maxMarks = 3

// oneLine returns s as one line of characters that show themselves: white
// space becomes blanks, and what is hidden is left out.
func oneLine(s string) string {
	var b strings.Builder
	var last rune // what was written last; 0 at the start
	marks := 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case joins(r):
			if !unicode.Is(unicode.So, last) && !unicode.Is(unicode.Sk, last) && last != emojiStyle {
				continue
			}
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; last == 0 || marks > maxMarks {
				continue
			}
			b.WriteRune(r)
			continue
		case hidden(r):
			continue
		}
		marks, last = 0, r
		b.WriteRune(r) // which writes U+FFFD for what is not UTF-8
	}
	return strings.TrimSpace(b.String())
}

// What joins emoji to one picture, or makes one of a symbol.
const (
	emojiJoiner = '\u200d'
	emojiStyle  = '\ufe0f'
)

func joins(r rune) bool { return r == emojiJoiner || r == emojiStyle }

// hidden reports whether r does not show itself: controls, what turns the
// direction of writing, what is private or not assigned, letters drawn as nothing.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == '\u2800' || r == '\u034f' ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// unlinked returns a line in which no client finds a mention, or an address to
// make a link of: the sign before a mention and the colon of a scheme become
// their full-width forms, and a host's name is broken at its dots, invisibly.
func unlinked(line string) string {
	line = strings.NewReplacer("@", "＠", "://", "：//").Replace(line)
	var b strings.Builder
	for i, r := range line {
		b.WriteRune(r)
		if r == '.' && nameAround(line[:i], line[i+1:]) {
			b.WriteString(brk)
		}
	}
	return b.String()
}

// nameAround reports whether a dot stands within a name, such as a host's.
func nameAround(before, after string) bool {
	a, _ := utf8.DecodeLastRuneInString(before)
	z, _ := utf8.DecodeRuneInString(after)
	return (unicode.IsLetter(a) || unicode.IsNumber(a) || unicode.IsMark(a) || a == '-') && unicode.IsLetter(z)
}

// wide returns a line in which every character of special, all of them ASCII,
// is its full-width form: for services whose markup has no escape that can be
// relied on. The form reads the same and means nothing to the service.
func wide(line, special string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && strings.ContainsRune(special, r) {
			return widened(r)
		}
		return r
	}, line)
}

// widened returns the full-width form of an ASCII character.
func widened(r rune) rune { return r - '!' + '！' }

// begun returns a line that starts no list, heading or rule, where it would
// come first on its line.
func begun(line string) string {
	if line == "" {
		return ""
	}
	if strings.ContainsRune("-+=", rune(line[0])) {
		return string(widened(rune(line[0]))) + line[1:]
	}
	number := strings.TrimLeft(line, "0123456789")
	if at := len(line) - len(number); at > 0 && number != "" && strings.ContainsRune(".)", rune(number[0])) {
		return line[:at] + string(widened(rune(number[0]))) + number[1:]
	}
	return line
}

// plainLines returns text for where a service takes text without markup: its
// lines stay, and nothing in them is a mention, a link or a tag.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = wide(unlinked(oneLine(line)), "<>&")
	}
	return strings.Join(lines, "\n")
}

// strong returns text between two markers that make it bold. The marker counts
// beside a letter or digit, in any language; beside others only the break makes
// sure that it does.
func strong(marker, escaped string) string {
	if escaped == "" {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(escaped)
	last, _ := utf8.DecodeLastRuneInString(escaped)
	if !wordy(first) {
		escaped = brk + escaped
	}
	if !wordy(last) {
		escaped += brk
	}
	return marker + escaped + marker
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// idOf returns the id of a service's user with nothing in it that ids do not have.
func idOf(user string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (wordy(r) || strings.ContainsRune("._-+$@", r)) {
			return r
		}
		return -1
	}, user)
}
