package status

import (
	"fmt"
	"time"

	"rollcall/cmd/rollcall/cost"
	"rollcall/forwarder"
)

// unseen is from when on the process that works a route is taken for dead. It is heard
// of every five seconds.
const unseen = time.Minute

// What a target is not told meanwhile, in words that several findings share.
const lostTold = "nothing yet: one digest tells it later; what has waited for longer than max_age is cut then, which the digest says"

// target says what is wrong with one that is to be told.
func (r *Report) target(t forwarder.TargetStatus) {
	name := "target " + t.Target
	switch spent := t.Monthly != forwarder.Unlimited && t.Sent >= t.Monthly; {
	case spent:
		r.find(Finding{What: fmt.Sprintf("the %s messages of the month of %s are used up (monthly_messages)", cost.Grouped(int64(t.Monthly)), name), Since: t.Since, Lost: lostTold, Do: "raise monthly_messages if the organization has more; otherwise it goes on with the next month (UTC+8)"})
	case t.Trouble != "":
		r.find(Finding{What: name + " cannot be told: " + t.Trouble + ": " + t.Reason, Since: t.Since, Lost: lostTold, Do: "see rollcall forward status; correct the address, the secret or the keyword, each of which is read again by itself; then rollcall forward test " + t.Target})
	case t.PausedUntil.After(r.At):
		r.find(Finding{What: name + " is paused until " + t.PausedUntil.UTC().Format(time.RFC3339), Lost: lostTold, Do: "it passes by itself; if it comes again, give the target more robots (urls), or the route a longer group_interval or a narrower match"})
	case t.Monthly != forwarder.Unlimited && t.Sent*10 >= t.Monthly*9:
		r.find(Finding{What: fmt.Sprintf("%s of %s messages of the month of %s are used", cost.Grouped(int64(t.Sent)), cost.Grouped(int64(t.Monthly)), name), Lost: "nothing yet; when they are used up the target is silent until the next month", Do: "raise monthly_messages, or tell less: a narrower match, a longer group_interval"})
	}
	for _, route := range t.Routes {
		if route.Holder == "" || r.At.Sub(route.Seen) > unseen {
			r.find(Finding{What: fmt.Sprintf("nobody works the route %s to %s", route.Route, name), Since: route.Seen, Lost: lostTold, Do: "start rollcall forward, or rollcall run --with-forwarder; where one runs, its log says what keeps it"})
		}
	}
}

// forwarding says what is wrong with what is told.
func (r *Report) forwarding(f Facts) {
	r.Targets = f.Targets
	if f.TargetsUnread != nil {
		r.Unread = f.TargetsUnread.Error()
	}
	for _, t := range f.Targets {
		r.target(t)
	}
}
