package dingtalk

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rollcall/poller"
)

var _ poller.Lister = (*Client)(nil)

// PageSize is how many meetings of a list are asked for at once: what DingTalk
// returns of its other lists by default.
const PageSize = 128

// Ongoing asks for one page of the organization's ongoing meetings with one
// metered call; token "" asks for the first.
func (c *Client) Ongoing(ctx context.Context, token string) (poller.OngoingPage, error) {
	query := url.Values{"maxResults": {strconv.Itoa(PageSize)}}
	if token != "" {
		query.Set("nextToken", token)
	}
	var page poller.OngoingPage
	q := question{op: opOngoing, method: http.MethodGet, path: "/v1.0/conference/orgConferences?" + query.Encode()}
	err := c.call(ctx, q, func(a answer) error {
		var err error
		page, err = c.exchange.readOngoing(a, token)
		return err
	})
	return page, err
}

// readOngoing reads a page. One that cannot be the whole truth is malformed:
// what is not listed is taken for ended until it is asked about. Where nobody
// meets the list may be absent.
func (x *exchange) readOngoing(a answer, token string) (page poller.OngoingPage, err error) {
	listed, more := true, unsaid
	ok := pick(a.body, func(name, value []byte) {
		switch string(name) {
		case "onGoingConfList":
			page.Meetings, listed = listedMeetings(value)
		case "nextToken":
			page.Next = pageToken(value)
		case "hasMore":
			more = answerOf(value)
		case "totalCount":
			total, _ := integer(value)
			page.Total = int(min(max(total, 0), math.MaxInt32))
		}
	})
	if err := x.refused(a, len(page.Meetings) == 0); err != nil {
		return poller.OngoingPage{}, err
	}
	if page.Next == token && more == unsaid { // the last page's own
		page.Next = ""
	}
	switch {
	case !ok:
		return poller.OngoingPage{}, x.fault(a, "the answer is not a JSON object")
	case !listed, len(page.Meetings) == 0 && token == "" && page.Total > 0:
		return poller.OngoingPage{}, x.fault(a, "the answer holds no list of meetings")
	case more == yes && (page.Next == "" || page.Next == token):
		return poller.OngoingPage{}, x.fault(a, "the list of meetings goes on nowhere")
	case more == no:
		page.Next = ""
	}
	for _, m := range page.Meetings {
		page.IDs = append(page.IDs, m.ConferenceID)
	}
	return page, nil
}

// pageToken reads the token of the next page. Zero and minus one are how some
// lists say that there is none.
func pageToken(raw []byte) string {
	switch token := word(raw); token {
	case "0", "-1":
		return ""
	default:
		return token
	}
}

// reply is an answer to a yes-or-no question.
type reply uint8

const (
	unsaid reply = iota
	yes
	no
)

// answerOf reads a boolean, even one in a string or written as a number.
func answerOf(raw []byte) reply {
	word := string(raw)
	if s, ok := text(raw); ok {
		word = strings.ToLower(strings.TrimSpace(s))
	}
	switch word {
	case "true", "1":
		return yes
	case "false", "0":
		return no
	}
	return unsaid
}

// listedMeetings reads a list of meetings, where null is an empty one; ok is
// false where it is not a list, or where an entry cannot be identified.
func listedMeetings(raw []byte) (all []poller.Listed, ok bool) {
	if raw[0] != '[' {
		return nil, !given(raw)
	}
	ok = true
	c := newCursor(raw)
	c.array(func() {
		m := listedMeeting(c.value())
		all, ok = append(all, m), ok && m.ConferenceID != ""
	})
	return all, ok
}

// listedMeeting reads an entry. It leaves out the link, which lets people in.
func listedMeeting(raw []byte) (m poller.Listed) {
	pick(raw, func(name, value []byte) {
		switch string(name) {
		case "conferenceId":
			m.ConferenceID = idOf(value)
		case "title":
			m.Title = word(value)
		case "creatorId":
			m.CreatorID = word(value)
		case "creatorNick":
			m.CreatorNick = word(value)
		}
	})
	return m
}
