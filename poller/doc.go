// Package poller knows when to ask about meetings, and about whom.
//
// A [Schedule] names the instants, a [Loop] calls at them, a [Plan] picks the
// meetings that are due, and a [Poller] asks one tenant's [Source] about them
// in one [Poller.Pass]. What comes out are observations, never conclusions.
//
// It promises that
//   - no question is asked that the vendor's limits, the tenant's budget or an
//     earlier refusal forbid, and none about a meeting that is not tracked;
//   - every observation carries a number taken when its question was asked, and
//     observations are emitted in the order of their numbers;
//   - a meeting that could not be asked about is said to be unanswered, with
//     the reason, and is never said to be gone;
//   - the end of a meeting is told with its exact time, unless the source does
//     not say it, or cannot be asked for long.
package poller
