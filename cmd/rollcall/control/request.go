package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"rollcall"
	"rollcall/internal/safetext"
)

// request is what a verb is asked with.
type request struct {
	ConferenceID string `json:"conferenceId,omitempty"`
	After        string `json:"after,omitempty"` // list only
}

// decodeRequest reads a request strictly. Its errors are for the one who sent it.
func decodeRequest(verb string, data []byte) (request, error) {
	if len(data) > MaxRequest {
		return request{}, fmt.Errorf("the request has %d bytes; at most %d are read", len(data), MaxRequest)
	}
	if !utf8.Valid(data) {
		return request{}, errors.New("the request is not UTF-8")
	}
	member := "conferenceId"
	if verb == verbList {
		member = "after"
		if len(bytes.TrimSpace(data)) == 0 {
			return request{}, nil
		}
	}
	value, err := onlyMember(data, member)
	if err != nil {
		return request{}, err
	}
	if verb == verbList {
		return request{After: value}, nil
	}
	if err := CheckID(value); err != nil {
		return request{}, fmt.Errorf("the request's %q: %w", member, err)
	}
	return request{ConferenceID: value}, nil
}

// onlyMember reads an object that has at most the one member, a string.
// encoding/json itself would take other spellings of it, and the last of several.
func onlyMember(data []byte, name string) (value string, err error) {
	given := false
	d := json.NewDecoder(bytes.NewReader(data))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return "", fmt.Errorf("the request is no JSON object; send {%q:\"…\"}", name)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return "", errors.New("the request is no valid JSON")
		}
		if key != name || given {
			return "", fmt.Errorf("the request may have the member %q, once; it has %q", name, safetext.Field(fmt.Sprint(key), 40))
		}
		token, err := d.Token()
		text, ok := token.(string)
		if err != nil || !ok {
			return "", fmt.Errorf("the request's member %q is no string", name)
		}
		value, given = text, true
	}
	if _, err := d.Token(); err != nil {
		return "", errors.New("the request is no valid JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("something follows the request's JSON object")
	}
	return value, nil
}

// CheckID refuses what cannot be the id of a meeting. The replacement character
// stands for something that was lost, so that two ids could become one.
func CheckID(id string) error {
	if id == "" || len(id) > rollcall.MaxID {
		return fmt.Errorf("an id of a meeting has 1 to %d bytes, not %d", rollcall.MaxID, len(id))
	}
	if strings.ContainsRune(id, utf8.RuneError) {
		return errors.New("an id of a meeting holds no broken characters")
	}
	if strings.TrimSpace(id) != id {
		return errors.New("an id of a meeting has no blanks around it; leave them out")
	}
	return nil
}
