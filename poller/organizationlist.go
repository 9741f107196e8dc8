package poller

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Lister is a [Source] that can also list the ongoing meetings of the whole
// organization. A source need not be one.
type Lister interface {
	// Ongoing returns one page of the list with one metered call; token "" asks
	// for the first. Its errors are those of the Source.
	Ongoing(ctx context.Context, token string) (OngoingPage, error)
}

// OngoingPage is a part of the list of ongoing meetings.
type OngoingPage struct {
	IDs []string
	// Meetings is what is said of them, in the same order; a source may say
	// nothing. Titles and names were written by strangers.
	Meetings []Listed
	Next     string // the token of the next page; "": this is the last
	Total    int    // meetings on all pages together; 0: not said
}

// Listed is what a list says of one meeting.
type Listed struct {
	ConferenceID string
	Title        string // "": not said, as below
	CreatorID    string
	CreatorNick  string
}

// listCost is what earlier passes learned about reading the organization's
// list. It serves all shards of a poller. The zero value knows nothing.
type listCost struct {
	mu    sync.Mutex
	at    time.Time // when the list was asked for
	pages int       // that it consists of; 0: not known
	class Class     // why it cannot be read; none: it can
}

// listCostLasts is how long that is believed. Organizations grow and shrink in
// a day, and permissions are given.
const listCostLasts = time.Hour

// below reports whether the list can be read, with fewer calls than this.
func (c *listCost) below(calls int, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.at) >= listCostLasts {
		return calls > 1
	}
	return c.class == ClassNone && max(c.pages, 1) < calls
}

// learn takes how reading the list went, and reports whether it fails anew.
func (c *listCost) learn(pages int, class Class, now time.Time) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	news = class != ClassNone && class != c.class
	c.at, c.pages, c.class = now, pages, class
	return news
}

func (c *listCost) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.pages, c.class = time.Time{}, 0, ClassNone
}

// organizationList is the list of ongoing meetings as one pass reads it.
type organizationList struct {
	run   *run
	asked bool
	ids   map[string]bool // nil: not known
}

// ongoing returns the meetings that the list names; nil: not known. The list is
// read at most once in a pass, and not where it costs as many calls as what it
// could save.
func (o *organizationList) ongoing(calls int) map[string]bool {
	p := o.run.poller
	lister, can := p.Source.(Lister)
	if !can || o.asked || !p.listCost.below(calls, p.now()) {
		return o.ids
	}
	o.asked = true
	list, pages, class := o.read(lister, calls)
	if p.listCost.learn(pages, class, p.now()) {
		p.logger().Info("the organization's list of meetings cannot be read; ended ones are found by halving",
			zap.Stringer("class", class), zap.Duration("again_in", listCostLasts))
	}
	if list == nil {
		return nil
	}
	if p.Overheard != nil {
		p.Overheard(list.Meetings)
	}
	o.ids = list.ids
	return o.ids
}

// read reads all pages; list is nil unless it did. pages is how many there are,
// as far as is known; class is why the list is of no use for a while.
func (o *organizationList) read(lister Lister, calls int) (list *Listing, pages int, class Class) {
	list = new(Listing)
	for token, more := "", true; more; {
		var page OngoingPage
		err := o.run.calls.call(OpOngoing, func(ctx context.Context) (err error) {
			page, err = lister.Ongoing(ctx, token)
			return err
		})
		if err != nil {
			return nil, 0, lasting(ClassOf(err))
		}
		more, token = list.Add(page), page.Next
		if all := pagesOf(page.Total, len(page.IDs)); more && all-list.pages > calls {
			return nil, max(all, list.pages), ClassNone
		}
	}
	if list.Whole() != nil {
		return nil, list.pages, ClassMalformed
	}
	return list, list.pages, ClassNone
}

// pagesOf estimates the pages of a list; 0 where nothing is said.
func pagesOf(total, size int) int { return (total + max(size, 1) - 1) / max(size, 1) }

// lasting returns the class of a fault that will not pass on its own, or none.
func lasting(class Class) Class {
	switch class {
	case ClassPermission, ClassBadRequest, ClassUnknown:
		return class
	}
	return ClassNone
}
