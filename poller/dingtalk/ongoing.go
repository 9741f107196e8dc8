package dingtalk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"rollcall/poller"
)

var _ poller.Lister = (*Client)(nil)

// pageSize is how many meetings of a list are asked for at once: what DingTalk
// gives of its other lists where nobody says.
const pageSize = 128

// Ongoing asks for one page of the organization's ongoing meetings with one
// metered call; token "" asks for the first.
func (c *Client) Ongoing(ctx context.Context, token string) (poller.OngoingPage, error) {
	query := url.Values{"maxResults": {strconv.Itoa(pageSize)}}
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
// what is not listed is taken for ended until it is asked about.
func (x *exchange) readOngoing(a answer, token string) (page poller.OngoingPage, err error) {
	listed, more, told := false, false, false
	ok := pick(a.body, func(name, value []byte) {
		switch string(name) {
		case "onGoingConfList":
			page.Meetings, listed = listedMeetings(value)
		case "nextToken":
			page.Next = word(value)
		case "hasMore":
			more, told = string(value) == "true", given(value)
		case "totalCount":
			total, _ := integer(value)
			page.Total = int(max(total, 0))
		}
	})
	switch {
	case !ok || !listed:
		return poller.OngoingPage{}, x.fault(a, "the answer holds no list of meetings")
	case more && page.Next == "", page.Next != "" && page.Next == token:
		return poller.OngoingPage{}, x.fault(a, "the list of meetings goes on nowhere")
	case told && !more:
		page.Next = ""
	}
	for _, m := range page.Meetings {
		page.IDs = append(page.IDs, m.ConferenceID)
	}
	return page, nil
}

// listedMeetings reads a list of meetings; ok is false where it is not one, or
// where an entry cannot be told.
func listedMeetings(raw []byte) (all []poller.Listed, ok bool) {
	if raw[0] != '[' {
		return nil, false
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
