package forwarder

import "time"

// targetState is what all processes know of a target.
type targetState struct {
	Month   string  `json:"month,omitempty"` // 2026-11, in China's time
	Sent    int     `json:"sent,omitempty"`  // messages in it, also those that may have arrived
	Trouble trouble `json:"trouble,omitzero"`
}

// trouble is that a target cannot be told, for long or for good.
type trouble struct {
	Class  string    `json:"class,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`  // when it is tried again; zero: nobody knows
	Told   bool      `json:"told,omitempty"`  // to the target of on_failure
	Healed time.Time `json:"healed,omitzero"` // it is over, which is still to be told
}

// Unlimited is a number of messages a month that is not limited.
const Unlimited = -1

// china is the zone of DingTalk's months.
func china() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

func monthOf(now time.Time) string { return now.In(china()).Format("2006-01") }

// nextMonth is when messages are counted anew.
func nextMonth(now time.Time) time.Time {
	year, month, _ := now.In(china()).Date()
	return time.Date(year, month+1, 1, 0, 0, 0, 0, china())
}

// spent returns how many messages were sent this month.
func (s *targetState) spent(now time.Time) int {
	if s.Month != monthOf(now) {
		return 0
	}
	return s.Sent
}

// spend counts a message before it is sent, so that no kill makes one too many; it
// returns false where the month has none left.
func (s *targetState) spend(limit int, now time.Time) bool {
	spent := s.spent(now)
	if limit >= 0 && spent >= limit {
		return false
	}
	s.Month, s.Sent = monthOf(now), spent+1
	return true
}
