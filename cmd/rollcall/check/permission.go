package check

import (
	"context"
	"errors"
	"strings"

	"rollcall"
	"rollcall/cmd/rollcall/cost"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
)

// nobody is the id of a meeting that cannot exist.
const nobody = "rollcall-check-no-such-meeting"

// whereGranted is where an administrator gives an app its permissions.
const whereGranted = "an administrator grants it in the DingTalk developer console (open-dev.dingtalk.com): the app, Permissions, "

// permission makes the one metered call.
func (t *tenant) permission(ctx context.Context) Result {
	if t.check.NoCall {
		return skip("ask about one meeting", "not tried because of --no-call; it costs one metered call")
	}
	if ids := t.cfg.Track.Conferences; len(ids) > 0 {
		return t.query(ctx, ids[0])
	}
	const tried = "look up a meeting that cannot exist (one metered call)"
	_, err := t.client.Lookup(ctx, nobody)
	if err == nil || poller.ClassOf(err) == poller.ClassUnknown {
		return ok(tried, "DingTalk does not know it, so the permission is there")
	}
	return t.denied(ctx, tried, err)
}

// query asks about a tracked meeting as the worker does.
func (t *tenant) query(ctx context.Context, id string) Result {
	const tried = "query the first of track.conferences (one metered call)"
	const fix = "check its id in track.conferences; remove it if the meeting is over"
	answers, err := t.client.Query(ctx, []string{id})
	switch {
	case err == nil && len(answers.Found) > 0:
		return ok(tried, "DingTalk tells about it")
	case err == nil:
		return t.leftOut(ctx, id, fix)
	case poller.ClassOf(err) == poller.ClassUnknown:
		return warn(tried, "the permission is there, but the answer says nothing about meeting "+id, fix)
	case poller.ClassOf(err) == poller.ClassEnded:
		return warn(tried, "the permission is there; meeting "+id+" is over", fix)
	case poller.ClassOf(err) == poller.ClassBadRequest:
		return warn(tried, "DingTalk does not accept the id "+id, fix)
	}
	return t.denied(ctx, tried, err)
}

// leftOut looks up a meeting that a query leaves out, as the worker does.
func (t *tenant) leftOut(ctx context.Context, id, fix string) Result {
	const tried = "query the first of track.conferences, and look it up (two metered calls)"
	standing, err := t.client.Lookup(ctx, id)
	switch class := poller.ClassOf(err); {
	case class == poller.ClassUnknown:
		return warn(tried, "the permission is there, but DingTalk does not know meeting "+id, fix)
	case class == poller.ClassPermission:
		return t.denied(ctx, tried, err)
	case class == poller.ClassEnded || standing.Status == rollcall.StatusEnded:
		return warn(tried, "the permission is there; meeting "+id+" is over", fix)
	case standing.Status == rollcall.StatusInitialized:
		return ok(tried, "it has not begun, so queries leave it out; until then it is looked up by itself, which costs up to %s calls a month",
			cost.Grouped(cost.LookupsEach))
	case standing.Status == rollcall.StatusStarted:
		return warn(tried, "meeting "+id+" goes on, but queries leave it out: nobody in it is seen", "ask DingTalk's support why the batch query leaves it out")
	}
	return warn(tried, "the permission is there, but the answer says nothing about meeting "+id, fix)
}

// denied says a failure of the call. Being too fast says nothing about the
// permission, and passes.
func (t *tenant) denied(ctx context.Context, tried string, err error) Result {
	found, fix := t.refusal(ctx, err)
	switch poller.ClassOf(err) {
	case poller.ClassThrottled:
		return warn(tried, found, fix)
	case poller.ClassPermission:
		return fail(tried, found, t.grant(err, fix))
	}
	return fail(tried, found, fix)
}

// grant names the scopes that DingTalk misses instead of the usual one.
func (t *tenant) grant(err error, usual string) string {
	fault, is := errors.AsType[*dingtalk.Fault](err)
	if !is || len(fault.Scopes) == 0 {
		return usual
	}
	return whereGranted + strings.Join(fault.Scopes, ", ")
}
