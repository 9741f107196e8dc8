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

// veil takes out of foreign texts what must not be seen: secrets of this
// client, which a server may echo, and characters that play with a terminal.
type veil struct {
	mu     sync.Mutex
	hidden []string // the latest last
}

// hide remembers a secret. Old ones are forgotten once many came after them;
// very short ones would only riddle every text.
func (v *veil) hide(value string) {
	const most, shortest = 16, 4
	if len(value) < shortest {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, known := range v.hidden {
		if known == value {
			v.hidden = append(v.hidden[:i], v.hidden[i+1:]...)
			break
		}
	}
	v.hidden = append(v.hidden, value)
	if len(v.hidden) > most {
		v.hidden = v.hidden[1:]
	}
}

// clean returns a foreign text as it may be shown, cut at most bytes.
func (v *veil) clean(text string, most int) string {
	text = strings.Map(printable, strings.ToValidUTF8(text, "\uFFFD"))
	text = userInfo.ReplaceAllString(text, "//"+dots+"@")
	v.mu.Lock()
	for _, value := range v.hidden {
		text = strings.ReplaceAll(text, value, dots)
	}
	v.mu.Unlock()
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
