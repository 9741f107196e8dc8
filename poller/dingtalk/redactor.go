package dingtalk

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// dots stand for a secret that a text contained.
const dots = "•••"

// userInfo is what stands before the host of an address: a proxy's password.
var userInfo = regexp.MustCompile(`//[^/\s"@]*@`)

// redactor takes out of foreign texts what must not be seen: secrets of this
// client, which a server may echo, and characters that play with a terminal.
type redactor struct {
	mu     sync.Mutex
	hidden []string // the latest last
}

// hide remembers a secret. Old ones are forgotten once many came after them;
// very short ones would only riddle every text.
func (r *redactor) hide(value string) {
	const most, shortest = 16, 4
	if len(value) < shortest {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, known := range r.hidden {
		if known == value {
			r.hidden = append(r.hidden[:i], r.hidden[i+1:]...)
			break
		}
	}
	r.hidden = append(r.hidden, value)
	if len(r.hidden) > most {
		r.hidden = r.hidden[1:]
	}
}

// clean returns a foreign text as it may be shown, cut at most bytes.
func (r *redactor) clean(text string, most int) string {
	text = strings.Map(printable, strings.ToValidUTF8(text, "\uFFFD"))
	text = userInfo.ReplaceAllString(text, "//"+dots+"@")
	r.mu.Lock()
	for _, value := range r.hidden {
		text = strings.ReplaceAll(text, value, dots)
	}
	r.mu.Unlock()
	return clip(strings.TrimSpace(text), most)
}

// printable drops controls and invisible marks, and makes any space a blank.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return -1
}

// clip cuts at most bytes, on a rune boundary.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}
