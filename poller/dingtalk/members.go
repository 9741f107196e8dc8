package dingtalk

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall"
	"rollcall/poller"
)

var _ poller.MemberLister = (*Client)(nil)

// Members asks for one page of a meeting's members with one metered call; token ""
// asks for the first.
func (c *Client) Members(ctx context.Context, id, token string) (page poller.MembersPage, err error) {
	query := url.Values{"maxResults": {strconv.Itoa(PageSize)}}
	if token != "" {
		query.Set("nextToken", token)
	}
	q := question{
		op: opMembers, method: http.MethodGet,
		path: "/v1.0/conference/videoConferences/" + escapeSegment(id) + "/members?" + query.Encode(),
	}
	err = c.call(ctx, q, func(a answer) error {
		var err error
		page, err = c.exchange.readMembers(a, token)
		return err
	})
	return page, err
}

// readMembers reads a page. Where nobody ever came the list may be absent.
func (x *exchange) readMembers(a answer, token string) (page poller.MembersPage, err error) {
	listed := true
	ok := pick(a.body, func(name, value []byte) {
		switch string(name) {
		case "memberModels":
			page.Members, page.Unread, listed = memberModels(value)
		case "nextToken":
			page.Next = pageToken(value)
		case "totalCount":
			total, _ := integer(value)
			page.Total = int(min(max(total, 0), math.MaxInt32))
		}
	})
	empty := len(page.Members)+page.Unread == 0
	if err := x.refused(a, empty); err != nil {
		return poller.MembersPage{}, err
	}
	if page.Next == token { // the last page's own
		page.Next = ""
	}
	switch {
	case !ok:
		return poller.MembersPage{}, x.fault(a, "the answer is not a JSON object")
	case !listed, empty && token == "" && page.Total > 0:
		return poller.MembersPage{}, x.fault(a, "the answer holds no list of members")
	}
	return page, nil
}

// memberModels reads a list of members, where null is an empty one; ok is false
// where it is not a list.
func memberModels(raw []byte) (members []rollcall.Member, unread int, ok bool) {
	if raw[0] != '[' {
		return nil, 0, !given(raw)
	}
	c := newCursor(raw)
	c.array(func() {
		m, read := memberModel(c.value())
		if !read || len(members) == maxEntries {
			unread++
			return
		}
		members = append(members, m)
	})
	return members, unread, true
}

// memberModel reads a line; read is false where nobody can say whose it is.
func memberModel(raw []byte) (m rollcall.Member, read bool) {
	read = true
	var odd oddities // what has no meaning is not said
	isObject := pick(raw, func(name, value []byte) {
		switch string(name) {
		case "unionId":
			var id []byte
			id, read = userIDOf(wordsOf(value))
			m.UserID = string(id)
			read = read && len(id) <= rollcall.MaxID
		case "userNick":
			m.Nick = string(odd.text("nick", wordsOf(value)))
		case "attendStatus":
			m.Attendance = coded(&odd, "attendStatus", value, attendances)
		case "joinTime":
			m.Joined, _ = moment(value)
		case "leaveTime":
			m.Left, _ = moment(value)
		case "duration":
			if ms, ok := integer(value); ok && ms > 0 && ms < int64(math.MaxInt64/time.Millisecond) {
				m.Stayed = time.Duration(ms) * time.Millisecond
			}
		case "host":
			m.Host = fact(value)
		case "coHost":
			m.CoHost = fact(value)
		case "outerOrgMember":
			m.External = fact(value)
		case "pstnJoin":
			m.Phone = fact(value)
		}
	})
	return m, isObject && read
}

func fact(raw []byte) rollcall.Fact {
	switch answerOf(raw) {
	case yes:
		return rollcall.FactTrue
	case no:
		return rollcall.FactFalse
	}
	return rollcall.FactUnknown
}
