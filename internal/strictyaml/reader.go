// Package strictyaml reads YAML that people write: one document, in which every
// key is known, written once, and written out (no anchors, aliases or tags). It
// promises that all mistakes of a file are met at once, each as a [Complaint]
// with its line, its key and what is allowed, in words that are safe to show.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
)

// Reader gathers what is wrong with one file while it is read.
type Reader struct {
	// EmptyRefused makes a key without a value a mistake. Otherwise it is as if
	// the key were not there: its value was commented out.
	EmptyRefused bool
	// File names what is read now, for complaints; "" where there is but one.
	File string

	complaints Complaints
	places     map[string]Place  // by key: where it is written
	allowed    map[string]string // by key: what it takes
	refused    map[string]bool   // by key: there is a complaint about its value
	misspelt   map[string]bool   // by key: another key was written where this one was meant
}

// Place is where a key is written.
type Place struct {
	File string // as in [Reader.File]
	Line int    // from 1; 0: the whole of it
}

// New makes a reader.
func New() *Reader {
	return &Reader{places: map[string]Place{}, allowed: map[string]string{}, refused: map[string]bool{}, misspelt: map[string]bool{}}
}

// Document returns the root of the one document in data; nil where there is
// nothing in it. most bounds its bytes, and what names it in a complaint. An
// error makes the rest unreadable and is [Complaints].
func (r *Reader) Document(data []byte, most int, what string) (*yaml.Node, error) {
	if len(data) > most {
		return nil, Complaints{{File: r.File, Problem: fmt.Sprintf("the file has more than %d bytes, the most that is read", most)}}
	}
	if complaint := notText(data); complaint != nil {
		complaint.File = r.File
		return nil, Complaints{*complaint}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, Complaints{r.syntax(data, err)}
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, Complaints{r.syntax(data, err)}
	}
	switch err := loader.Load(&second); {
	case err == nil:
		r.Add(max(second.Line, 1), "", "a second YAML document begins here; "+what+" is one document")
	case !errors.Is(err, io.EOF):
		return nil, Complaints{r.syntax(data, err)}
	}
	if len(first.Content) == 0 {
		return nil, nil
	}
	return first.Content[0], nil
}

// Err returns the complaints so far in the order of their files and lines; nil: none.
func (r *Reader) Err() error {
	if len(r.complaints) == 0 {
		return nil
	}
	slices.SortStableFunc(r.complaints, func(a, b Complaint) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return r.complaints
}

// Count is how many complaints there are so far.
func (r *Reader) Count() int { return len(r.complaints) }

// Add complains about a place in the file that is read now.
func (r *Reader) Add(line int, key, problem string) { r.add(Place{r.File, line}, key, problem) }

func (r *Reader) add(at Place, key, problem string) {
	r.complaints = append(r.complaints, Complaint{File: safetext.Line(at.File), Line: at.Line, Key: safetext.Line(key), Problem: safetext.Line(problem)})
}

// Collect adds the complaints of a file that cannot be read, so that others are read on.
func (r *Reader) Collect(all Complaints) { r.complaints = append(r.complaints, all...) }

// Mark notes where a key is written that is read in another way than by [Reader.Section].
func (r *Reader) Mark(key string, at Place) { r.places[key] = at }

// Written is where a key is written; false: nowhere.
func (r *Reader) Written(key string) (Place, bool) {
	at, is := r.places[key]
	return at, is
}

// Forget takes back what is known of a key and of all that is in it: another value
// stands in its place.
func (r *Reader) Forget(key string) {
	for k := range r.places {
		if rest, in := strings.CutPrefix(k, key); in && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			delete(r.places, k)
		}
	}
}

// Allow notes what a key takes, written or not, for complaints to quote.
func (r *Reader) Allow(key, what string) { r.allowed[key] = what }

// Refuse complains about the value of a key, once: what could not be read is
// not also impossible, nor is what stands in it missing.
func (r *Reader) Refuse(key, problem string) {
	for k := key; k != ""; k = parent(k) {
		if r.refused[k] {
			return
		}
	}
	if r.refused[""] { // the whole file
		return
	}
	r.refused[key] = true
	if allowed := r.allowed[key]; allowed != "" {
		problem += "; allowed: " + allowed
	}
	r.add(r.place(key), key, problem)
}

// Missing complains about a key that is not there, unless it is there misspelt:
// one mistake causes one complaint.
func (r *Reader) Missing(key, problem string) {
	if !r.misspelt[key] {
		r.Refuse(key, problem)
	}
}

// place is where a key is written, or the section in which it is missing.
func (r *Reader) place(key string) Place {
	for k := key; k != ""; k = parent(k) {
		if at, ok := r.places[k]; ok {
			return at
		}
	}
	return Place{Line: 1}
}

// parent is the key of the section or the list that holds the key.
func parent(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

// Join is the path of a key in a section.
func Join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}
