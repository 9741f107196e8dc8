package poller

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Lister is a [Source] that can also list the ongoing meetings of the whole
// organization. A source need not be one.
type Lister interface {
	// Ongoing gives one page of the list with one metered call; token "" asks
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

// overview is what is known of the organization's list. It is guarded by its
// poller's lock. The zero value knows nothing.
type overview struct {
	at    time.Time // when it was asked for
	pages int       // of which it consists; 0: not known
	class Class     // why it cannot be read; none: it can
}

// overviewLasts is how long that is believed. Organizations grow and shrink in
// a day, and permissions are given.
const overviewLasts = time.Hour

// worth reports whether the list can be read, with fewer calls than this.
func (o *overview) worth(now time.Time, calls int) bool {
	if now.Sub(o.at) >= overviewLasts {
		return calls > 1
	}
	return o.class == ClassNone && max(o.pages, 1) < calls
}

// roll is the organization's list as one pass read it.
type roll struct {
	asked bool
	ids   map[string]bool // nil: not known
}

// ongoing gives the meetings that the organization's list names, nil where it
// is not known. It is asked at most once in a pass, and not where it costs as
// many calls as what it could save.
func (r *run) ongoing(calls int) map[string]bool {
	lister, can := r.p.Source.(Lister)
	if !can || r.roll.asked || !r.p.worthListing(calls) {
		return r.roll.ids
	}
	r.roll.asked = true
	list, pages, class := r.readList(lister, calls)
	if r.p.learnList(pages, class) {
		r.p.logger().Info("the organization's list of meetings cannot be read; ended ones are found by halving",
			zap.Stringer("class", class), zap.Duration("again_in", overviewLasts))
	}
	if list == nil {
		return nil
	}
	if r.p.Overheard != nil {
		r.p.Overheard(list.Meetings)
	}
	r.roll.ids = list.ids
	return list.ids
}

// readList reads all pages; list is nil unless it did. pages is how many there
// are, as far as is known; class is why the list is not of use for a while.
func (r *run) readList(lister Lister, calls int) (list *Listing, pages int, class Class) {
	list = new(Listing)
	for token, more := "", true; more; {
		var page OngoingPage
		err := r.call(OpOngoing, func(ctx context.Context) (err error) {
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

// lasting gives the class of a fault that will not pass by itself, or none.
func lasting(class Class) Class {
	switch class {
	case ClassPermission, ClassBadRequest, ClassUnknown:
		return class
	}
	return ClassNone
}

func (p *Poller) worthListing(calls int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.overview.worth(p.now(), calls)
}

// learnList notes how a look at the list went, and says whether that is news.
func (p *Poller) learnList(pages int, class Class) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.overview
	p.overview = overview{at: p.now(), pages: pages, class: class}
	return class != ClassNone && class != was.class
}
