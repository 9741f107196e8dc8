package differ

import "strings"

const (
	anonPrefix = "anon:"
	idPrefix   = "id:"
)

// KeyOf returns the key of somebody with a user id. Without the id: a user
// could pose as somebody without an id. It is also put before an id that
// already looks so escaped: otherwise id:anon:x and anon:x would be one person.
func KeyOf(userID string) string {
	rest := userID
	for strings.HasPrefix(rest, idPrefix) {
		rest = rest[len(idPrefix):]
	}
	if strings.HasPrefix(rest, anonPrefix) {
		return idPrefix + userID
	}
	return userID
}
