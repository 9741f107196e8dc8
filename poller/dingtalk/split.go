package dingtalk

import (
	"bytes"
	"slices"

	"rollcall/poller"
)

// splitter finds the asked meetings in the answer of a batch query and decodes
// them, in the one pass that also proves that the answer is JSON. An element that
// it knows from an earlier answer is proven already, and passed undecoded: the
// bytes of a JSON object show where it ends, whatever follows.
type splitter struct {
	decoder
	ids     []string
	known   [][]byte       // for each id the element it had before; it may be shorter
	likely  int            // where in ids the element after the last one is expected
	numbers map[string]int // where in ids an id stands; made when it is needed
	places  []int          // for each id where in Found it stands, from 1; 0: nowhere; -1: contradicted
	answers poller.Answers
	lists   int // how many members are called infos
	listed  bool
	wry     bool // a member may say that something is wrong
	start   int  // of the element at hand
	whose   int  // where in ids its id stands, nobody or stranger
	crowd   int  // people of the meetings that were decoded
}

// maxCrowd is how many people one answer may make: a thousand meetings of a
// thousand. An entry takes more memory than the fewest bytes that write it.
const maxCrowd = 1_000_000

// Whose an element is, when it is none of those asked about.
const (
	nobody   = -1 // it has no id
	stranger = -2
)

// split returns the asked meetings of an answer; what is found has memory of its
// own, or that of known where nothing has changed, and no answer is decoded.
// listed is false for an answer without a usable list of meetings, ok for one
// that is not a JSON object or lists too many people; wry says that a member
// beside the list may report a failure.
func split(body []byte, ids []string, known [][]byte) (answers poller.Answers, listed, wry, ok bool) {
	s := splitter{decoder: decoder{cursor: *newCursor(body)}, ids: ids, known: known, places: make([]int, len(ids))}
	s.answers = poller.Answers{Complete: true, Found: make([]poller.Found, 0, len(ids))}
	if s.peek() != '{' {
		return poller.Answers{}, false, false, false
	}
	s.object(s.outermost)
	if !s.done() {
		return poller.Answers{}, false, false, false
	}
	if s.lists != 1 || !s.listed {
		return poller.Answers{}, false, s.wry, true
	}
	return s.result(), true, s.wry, true
}

func (s *splitter) outermost(name []byte) {
	if string(name) != "infos" {
		s.wry = s.wry || complains(name)
		s.value()
		return
	}
	s.lists++
	if s.listed = s.peek() == '['; !s.listed {
		s.value()
		return
	}
	s.array(s.element)
}

// element passes one element of the list and files it under its id. Answers
// mostly keep an order, so that the next one is known before it is read.
func (s *splitter) element() {
	if s.peek() != '{' {
		s.value()
		s.answers.Complete = false
		return
	}
	s.start = s.at
	if end := s.endOfKnown(s.likely); end > 0 {
		s.at = end
		s.file(s.likely, true)
		return
	}
	same := s.read()
	switch {
	case s.at == bad:
	case s.whose == nobody:
		s.answers.Complete = false
	case s.whose == stranger:
		s.answers.Unasked++
	default:
		s.file(s.whose, same)
	}
}

// read decodes the element at hand and says whose it is. Once that is known,
// one that has not changed is passed up to its last bracket; an id that is
// repeated is not trusted again, since that could take unbounded time.
func (s *splitter) read() (same bool) {
	s.begin()
	s.whose = nobody
	told := false
	for more := s.open('}'); more; more = s.next('}') {
		name := s.inMeeting()
		if name != nameConferenceID {
			s.member(name)
			continue
		}
		s.whose = s.number(s.value())
		if told || s.whose < 0 || s.whose == s.likely { // that one is looked for already
			continue
		}
		told = true
		if end := s.endOfKnown(s.whose); end > 0 {
			s.at, same = end-1, true
		}
	}
	return same
}

// endOfKnown returns where the element at hand ends if it is the one that an id
// had before; 0 if it is not.
func (s *splitter) endOfKnown(number int) int {
	if number >= len(s.known) || len(s.known[number]) == 0 || !bytes.HasPrefix(s.data[s.start:], s.known[number]) {
		return 0
	}
	return s.start + len(s.known[number])
}

// number returns where in ids an id stands that is written like this.
func (s *splitter) number(raw []byte) int {
	id, ok := idBytes(raw)
	if !ok {
		return nobody
	}
	if s.likely < len(s.ids) && s.ids[s.likely] == string(id) {
		return s.likely
	}
	if s.numbers == nil {
		s.numbers = make(map[string]int, len(s.ids))
		for i, id := range s.ids {
			s.numbers[id] = i
		}
	}
	if number, asked := s.numbers[string(id)]; asked {
		return number
	}
	return stranger
}

// file puts the element at hand where it belongs: in memory that does not hold
// the answer, that which it had before if it is the same.
func (s *splitter) file(number int, same bool) {
	s.likely = number + 1
	raw := s.data[s.start:s.at]
	switch place := s.places[number]; {
	case place == 0:
		found := poller.Found{ConferenceID: s.ids[number]}
		if same {
			found.Raw = s.known[number]
		} else {
			if s.crowd += len(s.decoder.people); s.crowd > maxCrowd {
				s.at = bad
				return
			}
			found.Raw, found.Answer = bytes.Clone(raw), s.answer()
		}
		s.answers.Found = append(s.answers.Found, found)
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
			return slices.Contains(s.answers.Malformed, f.ConferenceID)
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
