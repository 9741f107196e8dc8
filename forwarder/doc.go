// Package forwarder tells chat groups and webhooks what happens in meetings:
// when, and whom. What a message says is package note's, how a service is told
// package target's.
//
// A [Route] matches events and names targets; each pair of a route and a target is
// a lane. One process at a time works a lane. It promises:
//
//   - Every event that a route matches is accounted for: told by itself, counted
//     in a digest, undone by another, or cut, which a message then says.
//   - Nothing is told twice, across kills at any point. The one message that was
//     under way may come twice, where the service has no key against that.
//   - A target's limits are kept by all processes together, in any minute, and so
//     is its number of messages a month.
//   - A target that asks for silence is left alone for as long, and told once then.
//   - What cannot be told is said: in the status, in metrics, to the target of
//     on_failure, and in the stream of what was not delivered.
//
// # How
//
// What a lane knows is one value in a KV bucket, its place: up to where in the
// stream everything is accounted for, how far each group was told beyond that,
// and the message under way, as it is sent. The value is written by
// compare-and-swap before and after each message, and while nothing happens, too:
// whoever sees it unchanged for a while takes the lane over, and whoever has lost
// it cannot write. What waits is not kept: it stands in the stream, and is read
// again from the place on.
package forwarder
