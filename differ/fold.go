package differ

import "rollcall"

// Fold is [rollcall.Fold]: what events mean; Diff is the other half.
// Folding the events that Diff returns yields the roster of its record.
func Fold(roster []rollcall.Participant, events []rollcall.Event) []rollcall.Participant {
	return rollcall.Fold(roster, events)
}
