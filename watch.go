package rollcall

// The types of [WatchEvent]s.
const (
	WatchLost    Type = "watch.lost"
	WatchResumed Type = "watch.resumed"
)

// The reasons of [WatchEvent]s: why a shard is not being looked at.
const (
	ReasonThrottled   Reason = "throttled"   // DingTalk asks to go slower
	ReasonBlocked     Reason = "blocked"     // DingTalk blocks the address
	ReasonQuota       Reason = "quota"       // the calls of the month are used up
	ReasonBudget      Reason = "budget"      // the calls that may be spent are used up
	ReasonAuth        Reason = "auth"        // the credentials are refused
	ReasonPermission  Reason = "permission"  // a permission is missing
	ReasonUnreachable Reason = "unreachable" // no question was answered
	ReasonRefused     Reason = "refused"     // every meeting is refused even alone
	ReasonPaused      Reason = "paused"      // too much waits to be stored
	ReasonStopped     Reason = "stopped"     // no worker was there
)

// WatchEvent says that a shard of a tenant is not, or is again, being looked at.
type WatchEvent struct {
	Tenant        string
	Shard, Shards int
	Epoch         int64  // Unix ms
	Sequence      uint64 // 1, 2, 3 … of the shard, within an epoch
	Type          Type
	Reason        Reason
	Provenance    Provenance // observed, or inferred: a worker publishes what happened before it was there
	// Window is, for a loss, from when the last good answer was asked until it
	// is published, and for a return the whole time in which nobody looked.
	Window Window
}

// WatchReasons lists the reasons of watch events.
func WatchReasons() []Reason {
	return []Reason{
		ReasonThrottled, ReasonBlocked, ReasonQuota, ReasonBudget, ReasonAuth, ReasonPermission, ReasonUnreachable, ReasonRefused,
		ReasonPaused, ReasonStopped,
	}
}
