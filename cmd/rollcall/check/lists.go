package check

import (
	"context"

	"rollcall/poller"
)

// lists are the steps for the lists in which meetings are looked for, as far as
// the configuration wants any.
func (t *tenant) lists() (steps []step) {
	if t.cfg.Track.Organization.Enabled {
		steps = append(steps, step{"organization", "token", "list the organization's ongoing meetings", t.organization})
	}
	if len(t.cfg.Track.Users) > 0 {
		steps = append(steps, step{"users", "token", "list a user's ongoing meetings", t.users})
	}
	return steps
}

const uncalled = "not tried because of --no-call; it costs one metered call"

// organization reads the first page of the list that track.organization reads.
func (t *tenant) organization(ctx context.Context) Result {
	const tried = "list the organization's ongoing meetings for track.organization (one metered call)"
	if t.check.NoCall {
		return skip(tried, uncalled)
	}
	page, err := t.client.Ongoing(ctx, "")
	if err != nil {
		return t.unlisted(ctx, tried, err)
	}
	return ok(tried, "the permission is there; %d go on", max(page.Total, len(page.IDs)))
}

// users reads the list of the first of track.users.
func (t *tenant) users(ctx context.Context) Result {
	const tried = "list the ongoing meetings of the first of track.users (one metered call)"
	if t.check.NoCall {
		return skip(tried, uncalled)
	}
	ids, err := t.client.OngoingOf(ctx, t.cfg.Track.Users[0])
	switch class := poller.ClassOf(err); {
	case err == nil:
		return ok(tried, "the permission is there; %d go on", len(ids))
	case class == poller.ClassUnknown, class == poller.ClassBadRequest:
		found, _ := t.refusal(ctx, err)
		return fail(tried, found, "check the ids in track.users: they are union ids, not user ids")
	}
	return t.unlisted(ctx, tried, err)
}

// unlisted says a failure of a list: what is named or found otherwise is asked
// about all the same.
func (t *tenant) unlisted(ctx context.Context, tried string, err error) Result {
	r := t.denied(ctx, tried, err)
	if poller.ClassOf(err) == poller.ClassPermission {
		r.Fix += "; without it rollcall run finds no meetings in this list, and asks about the others all the same"
	}
	return r
}
