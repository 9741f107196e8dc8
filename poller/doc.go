// Package poller knows when to ask about meetings, and about which.
//
// A [Schedule] names the instants, a [Loop] calls at them, a [Plan] picks the
// meetings that are due, and a [Poller] asks one tenant's [Source] about them
// in one [Poller.Pass]. What comes out are observations, never conclusions.
//
// It promises that
//   - no question is asked that the vendor's limits, the tenant's budget or an
//     earlier refusal forbid, and none about a meeting that is not tracked;
//   - every observation carries a number taken when its question was asked, and
//     those of one meeting are emitted in the order of their numbers;
//   - a meeting that could not be asked about is reported as unanswered, with
//     the reason, and never as gone;
//   - the end of a meeting is reported with its exact time, unless the source
//     does not say it, or cannot be asked for long.
//
// A pass is a run: its queries ask in batches, several of which a volley has under
// way, while the run's turn lets one goroutine at a time touch what they share; an
// endedSearch and a refusalSearch find the meetings that caused a batch to be
// refused; its lookups ask about meetings one by one. All calls go through a caller,
// which asks the tenant's gate whether a call may be made and reports to it what
// became of it. What outlasts a pass is the shardState of its shard, and the tenant's
// gate and quarantine.
package poller
