package discovery

import (
	"context"

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
	// Read returns all of the list; with an error, what could be read of it.
	Read func(ctx context.Context) ([]poller.Listed, error)
}

// Organization is the list of all ongoing meetings of the organization.
func Organization(caller Caller, lister poller.Lister) List {
	return List{SourceOrganization, func(ctx context.Context) ([]poller.Listed, error) {
		var list poller.Listing
		for token, more := "", true; more; {
			var page poller.OngoingPage
			err := caller.Call(ctx, poller.OpFind, func(ctx context.Context) (err error) {
				page, err = lister.Ongoing(ctx, token)
				return err
			})
			if err != nil {
				return list.Meetings, err
			}
			more, token = list.Add(page), page.Next
		}
		return list.Meetings, list.Whole()
	}}
}

// User is the list of one user's ongoing meetings. It has ids alone.
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
