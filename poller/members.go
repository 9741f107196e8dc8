package poller

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/streak"
)

// MemberLister is a [Source] that can also list who was in a meeting. A source
// need not be one.
type MemberLister interface {
	// Members returns one page of a meeting's members with one metered call, also
	// after its end; token "" asks for the first. Its errors are those of the Source.
	Members(ctx context.Context, id, token string) (MembersPage, error)
}

// MembersPage is a part of the list of a meeting's members.
type MembersPage struct {
	Members []rollcall.Member
	Unread  int    // lines that cannot be read
	Next    string // the token of the next page; "": this is the last
	Total   int    // lines on all pages together; 0: not said
}

// memberList collects the pages of a list of members until it ends: at a page that
// says so, at one whose token was had before, at one that brings nothing new, or
// after [mostPages].
type memberList struct {
	members []rollcall.Member // in their order, each line once

	seen   map[rollcall.Member]bool
	read   int             // lines of all pages
	tokens map[string]bool // of the pages that were asked for
	pages  int
	unread int
	total  int  // what the last page that counts says
	ended  bool // a page was the last one by its own words
}

// add takes a page, and reports whether there is another, for which its Next asks.
func (l *memberList) add(page MembersPage) (more bool) {
	if l.seen == nil {
		l.seen, l.tokens = make(map[rollcall.Member]bool), make(map[string]bool)
	}
	before := len(l.members) + l.unread
	for _, m := range page.Members {
		if !l.seen[m] {
			l.seen[m] = true
			l.members = append(l.members, m)
		}
	}
	l.pages++
	l.read, l.unread = l.read+len(page.Members)+page.Unread, l.unread+page.Unread
	if page.Total > 0 {
		l.total = page.Total
	}
	l.ended = page.Next == ""
	if l.ended || l.tokens[page.Next] || len(l.members)+l.unread == before {
		return false
	}
	l.tokens[page.Next] = true
	return l.pages < mostPages
}

// whole returns an error unless the list was read up to its end.
func (l *memberList) whole() error {
	switch {
	case l.unread > 0:
		return fmt.Errorf("read a list of members: %d of its lines cannot be read", l.unread)
	case l.ended && l.read >= l.total, l.total > 0 && len(l.members) >= l.total:
		return nil
	case l.ended:
		return fmt.Errorf("read a list of members: its %d pages have %d of %d lines", l.pages, l.read, l.total)
	}
	return fmt.Errorf("read a list of members: it does not end after %d pages", l.pages)
}

// longestListing is how long a pass asks for lists of members, so that the next
// question about meetings is not late where they take long.
const longestListing = 5 * time.Second

// askMembers reads the members of these meetings, after all else, and emits each
// list that could be read whole, under the number of its first page. Where one fails
// in a way that may pass the others wait for a later pass, as they do when their
// time is up.
func (r *run) askMembers(ids []string) {
	lister, ok := r.poller.Source.(MemberLister)
	if !ok || len(ids) == 0 {
		return
	}
	calls, until, failed := r.tally.Calls, r.now().Add(longestListing), false
	for i, id := range ids {
		if failed || r.now().After(until) || r.calls.forbids(OpMembers) != nil {
			r.tally.Unlisted = append(r.tally.Unlisted, ids[i:]...)
			break
		}
		if r.shard.underWay[id] { // its answer would come to a record with a later number
			r.tally.Unlisted = append(r.tally.Unlisted, id)
			continue
		}
		q, list, err := r.listMembers(lister, id)
		if failed = passing(ClassOf(err)); err == nil {
			err = list.whole()
		}
		r.logMembers(id, err)
		if err != nil && r.calls.forbids(OpMembers) != nil {
			r.tally.Unlisted = append(r.tally.Unlisted, ids[i:]...)
			break
		}
		if err == nil {
			o := r.observation(q)
			o.Sightings = []rollcall.Sighting{{ConferenceID: id, Kind: rollcall.SightingMembers, Members: list.members}}
			r.hand(o)
		}
	}
	r.tally.Listing = r.tally.Calls - calls
}

func (r *run) listMembers(lister MemberLister, id string) (q question, list memberList, err error) {
	for token, more := "", true; more && err == nil; {
		var page MembersPage
		err = r.calls.callTwice(OpMembers, func(ctx context.Context) error {
			var one question
			err := r.numbered(&one, func() (err error) {
				page, err = lister.Members(ctx, id, token)
				return err
			})
			if token == "" {
				q = one
			}
			q.answered = one.answered
			return err
		})
		if err == nil {
			more, token = list.add(page), page.Next
		}
	}
	return q, list, err
}

// logMembers logs what has changed about reading the members of meetings.
func (r *run) logMembers(id string, err error) {
	cause := ""
	if err != nil {
		cause = ClassOf(err).String()
	}
	if r.calls.ctx.Err() != nil {
		return
	}
	log := r.poller.logger().With(zap.String("meeting", id))
	switch change := r.shard.members.Note(cause); change.Kind {
	case streak.Failing, streak.NewCause:
		log.Warn("reading the members of a meeting fails; it is tried again", zap.Error(err))
	case streak.Recovered:
		log.Info("reading the members of a meeting works again", zap.Int("failures", change.Failures))
	}
}
