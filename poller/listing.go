package poller

import "fmt"

// Listing collects the pages of a list of meetings until it ends: at a page that
// says so, at one whose token was had before, at one that brings nothing new,
// or after 50. The zero value is a list before anything was read.
type Listing struct {
	Meetings []Listed // in their order, each once; what is not said of them is empty

	ids    map[string]bool
	tokens map[string]bool // of the pages that were asked for
	pages  int
	total  int  // what the last page that counts says
	ended  bool // a page was the last one by its own words
}

// mostPages bounds a list whose end does not come.
const mostPages = 50

// Add takes a page, and reports whether there is another, for which its Next asks.
func (l *Listing) Add(page OngoingPage) (more bool) {
	if l.ids == nil {
		l.ids, l.tokens = make(map[string]bool), make(map[string]bool)
	}
	before := len(l.ids)
	for _, m := range page.Meetings {
		l.add(m)
	}
	for _, id := range page.IDs {
		l.add(Listed{ConferenceID: id})
	}
	l.pages++
	if page.Total > 0 {
		l.total = page.Total
	}
	l.ended = page.Next == ""
	if l.ended || l.tokens[page.Next] || len(l.ids) == before {
		return false
	}
	l.tokens[page.Next] = true
	return l.pages < mostPages
}

func (l *Listing) add(m Listed) {
	if !l.ids[m.ConferenceID] {
		l.ids[m.ConferenceID] = true
		l.Meetings = append(l.Meetings, m)
	}
}

// Whole returns an error unless all of the list was read: no fewer meetings than
// it counts, and where it does not say how many there are, up to its own end.
func (l *Listing) Whole() error {
	switch {
	case len(l.ids) < l.total:
		return fmt.Errorf("read a list of meetings: its %d pages name %d of %d", l.pages, len(l.ids), l.total)
	case l.ended, l.total > 0:
		return nil
	}
	return fmt.Errorf("read a list of meetings: it does not end after %d pages", l.pages)
}
