package dingtalk

import "encoding/json"

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
	if !unescaped(text) {
		encoded, _ := json.Marshal(text) // of a string it never fails
		return append(body, encoded...)
	}
	body = append(body, '"')
	body = append(body, text...)
	return append(body, '"')
}

// unescaped reports whether JSON writes a text as it is. Ids are mostly so.
func unescaped(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}
