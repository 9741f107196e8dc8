package differ

import (
	"strconv"
	"strings"
)

const (
	anonPrefix = "anon:"
	idPrefix   = "id:"
)

// keyOf gives the key of somebody with a user id. Without the id: a user could
// call himself somebody without an id. It is also put before an id that already
// looks so escaped: else id:anon:x and anon:x would be one person.
func keyOf(userID string) string {
	rest := userID
	for strings.HasPrefix(rest, idPrefix) {
		rest = rest[len(idPrefix):]
	}
	if strings.HasPrefix(rest, anonPrefix) {
		return idPrefix + userID
	}
	return userID
}

// anonKey gives the key of the n-th person of a nick without a user id.
func anonKey(nick string, n int) string {
	return anonPrefix + nick + "#" + strconv.Itoa(n)
}

// isAnonKey reports whether key is that of a person of the nick to which the
// prefix anon:<nick># belongs. Another nick may begin alike: a and a#1.
func isAnonKey(key, prefix string) bool {
	rest := key[len(prefix):]
	return strings.Trim(rest, "0123456789") == "" && rest != ""
}
