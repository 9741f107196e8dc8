package cost

import (
	"time"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller/dingtalk"
	"rollcall/worker"
)

// DefaultPeople are the people of a meeting where nobody says other ones.
const DefaultPeople = 10

// lists counts the calls of a month for lists of members: one list for each end and,
// where roles are wanted, one for each who joins, but at most one a minute of each
// meeting, and no more than their share of a budget.
func (p Plan) lists() int64 {
	if p.Members != config.MembersOnEnd && p.Members != config.MembersOnChange {
		return 0
	}
	ends, people := int64(p.Ends), int64(max(p.People, 1))
	pages := (people + dingtalk.PageSize - 1) / dingtalk.PageSize
	if p.Members == config.MembersOnEnd {
		return ends * pages
	}
	minutes := int64(p.Busy()/time.Minute) * int64(max(p.Meetings, 1))
	roles := min(ends*people, minutes) * pages
	if p.Calls > 0 {
		roles = min(roles, int64(worker.RolesShare*float64(p.Calls)))
	}
	return ends*pages + roles
}
