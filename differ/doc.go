// Package differ compares one look at a meeting with the meeting's stored
// state and says what changed.
//
// It is arithmetic: values in, values out. It has no clock, no log and no I/O;
// the same input yields the same bytes; it never changes its arguments. What it
// returns may share memory with them, so neither may be changed afterwards.
//
//   - [Diff] returns the next record and the events that lead to it.
//   - [Fold] applies events to a roster; folding all events of a meeting yields
//     its roster.
//   - [Result.Slice] cuts a result that is too large for one commit.
//
// The rules are data: the table in rules.go is the event table of the contract,
// row by row.
package differ
