package budget

import "time"

// Outlook is a month to come, with how long its meetings are known to go on.
type Outlook struct {
	Calls    int64         // that may be spent in it
	Length   time.Duration // of the month
	Meetings time.Duration // of it, in which meetings go on
	Finds    bool          // meetings are looked for, which takes a share
}

// Pace is the time between two calls about tracked meetings, of all workers
// together, while meetings go on and their hours are learned; 0: none is made.
// Before they are, it is that of a month in which meetings always go on.
func (o Outlook) Pace() time.Duration {
	busy := min(o.Meetings, o.Length).Hours()
	hours := busy + quietest*(o.Length.Hours()-busy)
	return inBalance(spread(float64(o.Calls), 1, hours), 0, o.Finds)
}

// inBalance is the pace of a tenant that spends so many calls a second; owed
// is as in [lean].
func inBalance(rate, owed float64, finds bool) time.Duration {
	var p pace
	p.begin(0)
	p.run(time.Time{}, rate, 1, owed, finds, true)
	return p.between()
}
