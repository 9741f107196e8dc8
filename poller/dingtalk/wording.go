package dingtalk

import (
	"encoding/binary"
	"encoding/json"
	"strings"
)

// queryBody writes the question about many meetings as encoding/json would.
func queryBody(ids []string) []byte {
	const frame = `{"conferenceIdList":[]}`
	size := len(frame)
	for _, id := range ids {
		size += len(id) + len(`"",`)
	}
	body := append(make([]byte, 0, size), frame[:len(frame)-2]...)
	for i, id := range ids {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendText(body, id)
	}
	return append(body, frame[len(frame)-2:]...)
}

// appendText writes a string in JSON.
func appendText(body []byte, text string) []byte {
	start := len(body)
	body = append(append(append(body, '"'), text...), '"')
	if unescaped(body[start+1 : len(body)-1]) {
		return body
	}
	encoded, _ := json.Marshal(text) // of a string it never fails
	return append(body[:start], encoded...)
}

// unescaped reports whether JSON writes a text as it is. Ids are mostly so.
func unescaped(text []byte) bool {
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		if (word|special(word)|equal(word, '<')|equal(word, '>')|equal(word, '&'))&highs != 0 {
			return false
		}
	}
	for _, c := range text {
		if c < ' ' || c > '~' || strings.IndexByte(`"\<>&`, c) >= 0 {
			return false
		}
	}
	return true
}

// equal marks the high bit of the bytes of an ASCII word that are this one.
// Bytes after the first one may be marked wrongly.
func equal(word uint64, c byte) uint64 { return word ^ uint64(c)*ones - ones }
