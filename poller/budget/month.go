package budget

import "time"

// china is where DingTalk's months begin. It has no daylight saving.
func china() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// Month is a calendar month of DingTalk's count: "2026-11".
type Month string

const monthLayout = "2006-01"

// MonthOf is the month that an instant lies in.
func MonthOf(t time.Time) Month { return Month(t.In(china()).Format(monthLayout)) }

// Start is when the month begins; zero for what is no month.
func (m Month) Start() time.Time {
	start, err := time.ParseInLocation(monthLayout, string(m), china())
	if err != nil {
		return time.Time{}
	}
	return start
}

// End is when the next month begins.
func (m Month) End() time.Time { return m.Start().AddDate(0, 1, 0) }

// monthBoundary is how long before and after a month's turn no call is made: it
// covers how long a call takes, and how far DingTalk's clock and the ledger's
// may be apart.
const monthBoundary = time.Minute

// nearBoundary reports whether an instant is too close to a month's turn.
func nearBoundary(now time.Time) bool {
	m := MonthOf(now)
	return now.Sub(m.Start()) < monthBoundary || m.End().Sub(now) <= monthBoundary
}
