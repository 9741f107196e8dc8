package dingtalk

import (
	"context"
	"net/http"
	"net/url"
)

// OngoingOf returns the ids of the ongoing meetings of the user with a union
// id, with one metered call.
func (c *Client) OngoingOf(ctx context.Context, unionID string) (ids []string, err error) {
	query := url.Values{"unionId": {unionID}}
	q := question{op: opUser, method: http.MethodGet, path: "/v1.0/conference/users/lists?" + query.Encode()}
	err = c.call(ctx, q, func(a answer) error {
		var err error
		ids, err = c.exchange.readUser(a)
		return err
	})
	return ids, err
}

// readUser reads the list of a user's meetings. One that cannot be the whole
// truth is malformed: what is not listed is taken for ended until it is asked
// about. Where the user meets nobody the list may be absent.
func (x *exchange) readUser(a answer) (ids []string, err error) {
	listed, models := true, false
	ok := pick(a.body, func(name, value []byte) {
		switch string(name) {
		case "onGoingConfIdList":
			ids, listed = idList(value)
		case "memberModelMap":
			models = hasMembers(value)
		}
	})
	if err := x.refused(a, len(ids) == 0); err != nil {
		return nil, err
	}
	if !ok || !listed || len(ids) == 0 && models {
		return nil, x.fault(a, "the answer holds no list of meetings")
	}
	return ids, nil
}

// idList reads a list of ids, where null is an empty one; ok is false where it
// is not a list, or where an entry is not an id.
func idList(raw []byte) (ids []string, ok bool) {
	if raw[0] != '[' {
		return nil, !given(raw)
	}
	ok = true
	c := newCursor(raw)
	c.array(func() {
		id := idOf(c.value())
		ids, ok = append(ids, id), ok && id != ""
	})
	return ids, ok
}

// hasMembers reports whether a value is an object with something in it.
func hasMembers(raw []byte) (some bool) {
	return pick(raw, func(_, _ []byte) { some = true }) && some
}
