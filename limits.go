package rollcall

import (
	"strings"
	"unicode/utf8"
)

// MaxText is how many bytes of a name, a title or any other text from DingTalk
// are kept.
const MaxText = 256

// MaxID is the length in bytes of the longest id that is accepted. Ids are
// never cut: two could become one.
const MaxID = 256

// Clip makes s valid UTF-8 and cuts it at [MaxText] bytes, on a rune boundary.
func Clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= MaxText {
		return s
	}
	end := MaxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// ValidTenant reports whether name is a tenant's name: [a-z0-9-]{1,32}.
func ValidTenant(name string) bool {
	if name == "" || len(name) > 32 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
