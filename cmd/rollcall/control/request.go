package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"rollcall"
	"rollcall/internal/safetext"
)

// request is what a verb is asked with.
type request struct {
	ConferenceID string           `json:"conferenceId,omitempty"`
	Labels       *rollcall.Labels `json:"labels,omitempty"` // track only; nil: not a word about them
	After        string           `json:"after,omitempty"`  // list only
	User         string           `json:"user,omitempty"`   // forget only
	Files        bool             `json:"files,omitempty"`  // forget only: NATS's files, and no meeting
}

// labels are those that are given, nil for none.
func (r *request) labels() rollcall.Labels {
	if r.Labels == nil {
		return nil
	}
	return *r.Labels
}

// members are what a request may have.
func members(verb string) []string {
	switch verb {
	case verbTrack:
		return []string{"conferenceId", "labels"}
	case verbList:
		return []string{"after"}
	case verbForget:
		return []string{"user", "conferenceId", "files"}
	}
	return []string{"conferenceId"}
}

// decodeRequest reads a request strictly. Its errors are for the one who sent it.
func decodeRequest(verb string, data []byte) (request, error) {
	if len(data) > MaxRequest {
		return request{}, fmt.Errorf("the request has %d bytes; at most %d are read", len(data), MaxRequest)
	}
	if !utf8.Valid(data) {
		return request{}, errors.New("the request is not UTF-8")
	}
	if verb == verbList && len(bytes.TrimSpace(data)) == 0 {
		return request{}, nil
	}
	wanted, err := readMembers(data, members(verb))
	if err != nil || verb == verbList {
		return wanted, err
	}
	if verb == verbForget {
		if err := CheckUser(wanted.User); err != nil {
			return request{}, fmt.Errorf("the request's \"user\": %w", err)
		}
		if wanted.ConferenceID == "" {
			return wanted, nil
		}
	}
	if err := CheckID(wanted.ConferenceID); err != nil {
		return request{}, fmt.Errorf("the request's \"conferenceId\": %w", err)
	}
	if err := wanted.labels().Check(); err != nil {
		return request{}, fmt.Errorf("the request's \"labels\": %w", err)
	}
	return wanted, nil
}

// readMembers reads an object that has no other members than these, each once.
// encoding/json itself would take other spellings of them, and the last of several.
func readMembers(data []byte, names []string) (request, error) {
	var wanted request
	d := json.NewDecoder(bytes.NewReader(data))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return request{}, fmt.Errorf("the request is no JSON object; send {%q:\"…\"}", names[0])
	}
	for left := slices.Clone(names); d.More(); {
		key, err := d.Token()
		if err != nil {
			return request{}, errors.New("the request is no valid JSON")
		}
		at := slices.Index(left, fmt.Sprint(key))
		if at < 0 {
			return request{}, fmt.Errorf("the request may have the member %s, once; it has %q", quoted(names), safetext.Field(fmt.Sprint(key), 40))
		}
		if err := wanted.read(d, left[at]); err != nil {
			return request{}, err
		}
		left = slices.Delete(left, at, at+1)
	}
	if _, err := d.Token(); err != nil {
		return request{}, errors.New("the request is no valid JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return request{}, errors.New("something follows the request's JSON object")
	}
	return wanted, nil
}

func quoted(names []string) string { return `"` + strings.Join(names, `" or "`) + `"` }

// read reads the value of a member.
func (r *request) read(d *json.Decoder, name string) (err error) {
	switch name {
	case "labels":
		r.Labels, err = readLabels(d)
	case "after":
		r.After, err = readText(d, name)
	case "user":
		r.User, err = readText(d, name)
	case "files":
		token, tokenErr := d.Token()
		yes, ok := token.(bool)
		if r.Files = yes; tokenErr != nil || !ok {
			err = fmt.Errorf("the request's member %q is neither true nor false", name)
		}
	default:
		r.ConferenceID, err = readText(d, name)
	}
	return err
}

func readText(d *json.Decoder, name string) (string, error) {
	token, err := d.Token()
	text, ok := token.(string)
	if err != nil || !ok {
		return "", fmt.Errorf("the request's member %q is no string", name)
	}
	return text, nil
}

func readLabels(d *json.Decoder) (*rollcall.Labels, error) {
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("the request's member \"labels\" is no object of strings")
	}
	labels := rollcall.Labels{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, errors.New("the request is no valid JSON")
		}
		key := fmt.Sprint(token)
		shown := safetext.Field(key, 80)
		value, err := readText(d, "labels."+shown)
		if err != nil {
			return nil, err
		}
		if _, twice := labels[key]; twice {
			return nil, fmt.Errorf("the request has the label %q twice", shown)
		}
		labels[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the request is no valid JSON")
	}
	return &labels, nil
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
