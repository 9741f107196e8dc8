package dingtalk

import (
	"bytes"
	"slices"

	"rollcall/poller"
)

// splitter finds the asked meetings in the answer of a batch query without
// decoding them, in the one pass that also proves that the answer is JSON.
type splitter struct {
	cursor
	ids     []string
	numbers map[string]int // where in ids an id stands
	places  []int          // for each id where in Found it stands, from 1; 0: nowhere; -1: contradicted
	answers poller.Answers
	lists   int // how many members are called infos
	listed  bool
	id      []byte // of the element at hand, as it stands in JSON
}

// split gives the asked meetings of an answer. listed is false for an answer
// without a usable list of meetings, ok for one that is not a JSON object.
func split(body []byte, ids []string) (answers poller.Answers, listed, ok bool) {
	s := splitter{cursor: *newCursor(body), ids: ids, numbers: make(map[string]int, len(ids)), places: make([]int, len(ids))}
	for i, id := range ids {
		s.numbers[id] = i
	}
	s.answers = poller.Answers{Complete: true, Found: make([]poller.Found, 0, len(ids))}
	if s.peek() != '{' {
		return poller.Answers{}, false, false
	}
	s.object(s.member)
	if !s.done() {
		return poller.Answers{}, false, false
	}
	if s.lists != 1 || !s.listed {
		return poller.Answers{}, false, true
	}
	return s.result(), true, true
}

func (s *splitter) member(name []byte) {
	if string(name) != "infos" {
		s.value()
		return
	}
	s.lists++
	if s.listed = s.peek() == '['; !s.listed {
		s.value()
		return
	}
	elementMember := s.elementMember // bound once, not for each element
	s.array(func() { s.element(elementMember) })
}

// element passes one element of the list and files it under its id.
func (s *splitter) element(member func(name []byte)) {
	if s.peek() != '{' {
		s.value()
		s.answers.Complete = false
		return
	}
	start := s.at
	s.id = nil
	s.object(member)
	if s.at != bad {
		s.file(s.data[start:s.at:s.at])
	}
}

func (s *splitter) elementMember(name []byte) {
	value := s.value()
	if string(name) == "conferenceId" {
		s.id = value
	}
}

// file puts an element where it belongs.
func (s *splitter) file(raw []byte) {
	id, ok := idBytes(s.id)
	if !ok {
		s.answers.Complete = false
		return
	}
	number, asked := s.numbers[string(id)]
	if !asked {
		s.answers.Unasked++
		return
	}
	switch place := s.places[number]; {
	case place == 0:
		s.answers.Found = append(s.answers.Found, poller.Found{ConferenceID: s.ids[number], Raw: raw})
		s.places[number] = len(s.answers.Found)
	case place > 0 && !bytes.Equal(s.answers.Found[place-1].Raw, raw):
		s.places[number] = -1
	}
}

// result takes contradicted ids out of what was found.
func (s *splitter) result() poller.Answers {
	for number, place := range s.places {
		if place < 0 {
			s.answers.Malformed = append(s.answers.Malformed, s.ids[number])
		}
	}
	if len(s.answers.Malformed) > 0 {
		s.answers.Found = slices.DeleteFunc(s.answers.Found, func(f poller.Found) bool {
			return s.places[s.numbers[f.ConferenceID]] < 0
		})
	}
	return s.answers
}

// idBytes reads an id: a string that is not empty, or a number of digits only.
func idBytes(raw []byte) (id []byte, ok bool) {
	if len(raw) == 0 {
		return nil, false
	}
	if raw[0] != '"' {
		return raw, skipDigits(raw, 0) == len(raw)
	}
	id = plain(raw)
	return id, len(id) > 0
}

// idOf is idBytes as a string; "" when there is none.
func idOf(raw []byte) string {
	if id, ok := idBytes(raw); ok {
		return string(id)
	}
	return ""
}
