// Package summary tells, after the end of a meeting, what is known of it: the
// exact times of DingTalk's list of members, where it was read, joined to what was
// observed meanwhile. It promises that
//
//   - every line of the list that has times is a visit, with these;
//   - what was observed and is not in the list is a visit, with its windows;
//   - nobody is told to have been there for longer than either says.
//
// It is arithmetic: no clock, no log, no I/O.
package summary
