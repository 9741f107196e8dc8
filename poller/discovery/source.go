package discovery

import (
	"context"
	"fmt"

	"rollcall/poller"
)

// The sources of tracked meetings that lists are.
const (
	SourceOrganization = "organization"
	SourceUser         = "user" // followed by a colon and the union id
)

// Caller makes one metered call under the limits of the tenant.
type Caller interface {
	Call(ctx context.Context, op string, call func(context.Context) error) error
}

// Users lists the ongoing meetings of one user, with one metered call.
type Users interface {
	OngoingOf(ctx context.Context, unionID string) (ids []string, err error)
}

// List is one list of ongoing meetings.
type List struct {
	Source string // as it stands with the meetings it brings
	// Read gives all of the list, or an error.
	Read func(ctx context.Context) ([]poller.Listed, error)
}

// mostPages bounds a list whose end does not come.
const mostPages = 50

// Organization is the list of all ongoing meetings of the organization.
func Organization(caller Caller, lister poller.Lister) List {
	return List{SourceOrganization, func(ctx context.Context) ([]poller.Listed, error) {
		var all []poller.Listed
		token := ""
		for range mostPages {
			var page poller.OngoingPage
			err := caller.Call(ctx, poller.OpFind, func(ctx context.Context) (err error) {
				page, err = lister.Ongoing(ctx, token)
				return err
			})
			if err != nil {
				return nil, err
			}
			all = append(all, page.Meetings...)
			if token = page.Next; token == "" {
				return all, nil
			}
		}
		return nil, fmt.Errorf("read the organization's list: it has more than %d pages", mostPages)
	}}
}

// User is the list of one user's ongoing meetings. It tells ids alone.
func User(caller Caller, users Users, unionID string) List {
	return List{SourceUser + ":" + unionID, func(ctx context.Context) ([]poller.Listed, error) {
		var all []poller.Listed
		err := caller.Call(ctx, poller.OpFindUser, func(ctx context.Context) error {
			ids, err := users.OngoingOf(ctx, unionID)
			for _, id := range ids {
				all = append(all, poller.Listed{ConferenceID: id})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return all, nil
	}}
}
