package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/internal/safetext"
)

// Word is what is expected of one event: what it leaves out may be anything.
type Word struct {
	Type    rollcall.Type
	Key     string            // of the participant; "" leaves it open
	Details map[string]string // by name, see the table of details
}

// details are what a word may say of an event besides its type and its key.
func details() map[string]func(rollcall.Event) string {
	return map[string]func(rollcall.Event) string{
		"reason":     func(e rollcall.Event) string { return string(e.Reason) },
		"provenance": func(e rollcall.Event) string { return string(e.Provenance) },
		"title":      func(e rollcall.Event) string { return e.Meeting.Title },
		"present":    func(e rollcall.Event) string { return strconv.Itoa(e.Meeting.Present) },
		"start":      func(e rollcall.Event) string { return e.Meeting.StartTime.UTC().Format("2006-01-02T15:04:05Z07:00") },
		"nick":       ofPerson(func(p *rollcall.Participant) string { return p.Nick }),
		"session":    ofPerson(func(p *rollcall.Participant) string { return strconv.Itoa(p.Session) }),
		"excuse":     ofPerson(func(p *rollcall.Participant) string { return p.RejectDescription }),
	}
}

func ofPerson(tell func(*rollcall.Participant) string) func(rollcall.Event) string {
	return func(e rollcall.Event) string {
		if e.Participant == nil {
			return ""
		}
		return tell(e.Participant)
	}
}

// Fits reports whether the event is one of those that the word means.
func (w Word) Fits(e rollcall.Event) bool {
	if w.Type != e.Type || w.Key != "" && (e.Participant == nil || w.Key != e.Participant.Key) {
		return false
	}
	tell := details()
	for name, value := range w.Details {
		if tell[name](e) != value {
			return false
		}
	}
	return true
}

// String returns the word as a file has it.
func (w Word) String() string {
	parts := []string{string(w.Type)}
	if w.Key != "" {
		parts = append(parts, quoted(w.Key))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Details)) {
		parts = append(parts, name+"="+quoted(w.Details[name]))
	}
	return strings.Join(parts, " ")
}

// WordOf returns an event as a file may expect it: with its key, and with what
// its type leaves open.
func WordOf(e rollcall.Event) Word {
	w := Word{Type: e.Type, Details: map[string]string{}}
	if e.Participant != nil {
		w.Key = e.Participant.Key
	}
	if e.Reason != "" {
		w.Details["reason"] = string(e.Reason)
	}
	if e.Provenance == rollcall.ProvenanceInferred {
		w.Details["provenance"] = string(e.Provenance)
	}
	return w
}

func quoted(text string) string {
	if text == "" || safetext.Line(text) != text || strings.ContainsAny(text, " \"=") {
		return strconv.QuoteToASCII(text)
	}
	return text
}

// parseWord reads a word.
func parseWord(text string) (Word, error) {
	parts, err := tokens(text)
	if err != nil {
		return Word{}, err
	}
	w := Word{Details: map[string]string{}}
	for i, part := range parts {
		switch {
		case i == 0:
			w.Type = rollcall.Type(part.value)
		case part.name == "" && w.Key == "":
			w.Key = part.value
		case part.name == "" || w.Details[part.name] != "":
			return Word{}, fmt.Errorf("%q is too many", part.value)
		default:
			w.Details[part.name] = part.value
		}
	}
	return w, w.check()
}

func (w Word) check() error {
	if !slices.Contains(rollcall.Types(), w.Type) {
		return fmt.Errorf("%q is no type of event; allowed: %s", w.Type, listed(rollcall.Types()))
	}
	known := slices.Sorted(maps.Keys(details()))
	personal := []string{"excuse", "nick", "session"}
	if w.Type.Entity() == "meeting" {
		known = slices.DeleteFunc(known, func(name string) bool { return slices.Contains(personal, name) })
		if w.Key != "" {
			return fmt.Errorf("%s is about nobody in particular, and %q is somebody", w.Type, w.Key)
		}
	}
	for name, value := range w.Details {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%q is no detail of %s; allowed: %s", name, w.Type, listed(known))
		}
		if name == "reason" && !slices.Contains(reasons(), rollcall.Reason(value)) {
			return fmt.Errorf("%q is no reason; allowed: %s", value, listed(reasons()))
		}
	}
	return nil
}

func reasons() []rollcall.Reason {
	return []rollcall.Reason{
		rollcall.ReasonReopened, rollcall.ReasonLeft, rollcall.ReasonVanished, rollcall.ReasonCalledAgain,
		rollcall.ReasonMeetingEnded, rollcall.ReasonStatus, rollcall.ReasonResourceClosed,
	}
}

func listed[T ~string](words []T) string {
	parts := make([]string, len(words))
	for i, word := range words {
		parts[i] = string(word)
	}
	return strings.Join(parts, ", ")
}

// token is a part of a word: a value, or NAME=VALUE.
type token struct{ name, value string }

// tokens splits a text at its spaces, except those in quotes.
func tokens(text string) ([]token, error) {
	var all []token
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		var next token
		if i := strings.IndexAny(text, " =\""); i > 0 && text[i] == '=' {
			next.name, text = text[:i], text[i+1:]
		}
		end := cmp.Or(max(strings.IndexByte(text, ' '), 0), len(text))
		next.value = text[:end]
		if strings.HasPrefix(text, `"`) {
			prefix, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, errors.New("a quote does not close, or has an unknown escape in it")
			}
			end = len(prefix)
			next.value, _ = strconv.Unquote(prefix)
		}
		all, text = append(all, next), text[end:]
	}
	if len(all) == 0 {
		return nil, errors.New("the text is empty; the type of an event is needed")
	}
	return all, nil
}
