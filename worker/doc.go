// Package worker joins the rooms: it claims shards, lets the poller ask about
// their meetings, compares each answer with the stored record and commits the
// difference. It promises that
//
//   - the observations of a shard are processed one after the other, as they were
//     answered, and those of one meeting in the order in which they were asked;
//   - the record and the events of an answer are stored together or not at all;
//   - an observation that is not newer than the record is dropped, never compared;
//   - what could not be stored waits, in order, until it can.
//
// A shard is worked on by two goroutines: the tenant's loop, which asks, and
// the shard's own, which processes. Everything that is known of a meeting belongs
// to the second one; the first sees a snapshot of the meetings to ask about.
// [shard] shows its parts, each of which owns what it knows.
package worker
