package check

import (
	"context"

	"rollcall/poller"
	"rollcall/poller/dingtalk"
)

// push opens the gateway, which proves the app and that it is in Stream mode. It
// makes no connection: that would take pushes from the worker that hears them.
func (t *tenant) push(ctx context.Context) Result {
	const tried = "open the gateway of pushes (not metered)"
	clientID, key, from := t.cfg.PushApp()
	_, _, err := dingtalk.Gateway{Client: t.client, ClientID: clientID, Secret: from}.Open(ctx)
	if err == nil {
		return ok(tried, "a ticket was given; whether the app is subscribed to the events of video meetings shows rollcall_pushes_total while meetings go on")
	}
	found, fix := t.refusal(ctx, err)
	if poller.ClassOf(err) == poller.ClassToken {
		fix += "; here " + key + " is the secret, of the app " + clientID
	}
	return fail(tried, found, fix)
}
