// Package control lets operators and services say at run time which meetings
// are tracked, and read what is known of them. The running workers answer on
// NATS as the micro service "rollcall": [Serve] is their side, [Client] the
// other.
//
// # Contract
//
// A request goes to rollcall.<STREAM>.api.<tenant>.<verb>, so that permissions
// can be given for each tenant and verb. The verbs:
//
//	track    {"conferenceId":"…"}  tracks it, asks DingTalk at once   [Meeting]
//	untrack  {"conferenceId":"…"}  takes it off the tracked set       [Meeting]
//	         also "labels":{"team":"blue"}: in place of those that it has
//	show     {"conferenceId":"…"}  what is known of it                [Meeting]
//	list     {}                    what is known of all of them       [List]
//	forget   {"user":"…"}          where anything of the user is stored
//	         also "conferenceId":"…": erases it there             [Forgotten]
//
// A request is one JSON object of at most [MaxRequest] bytes that has no other
// members. A list that does not fit into one message comes in pages: the
// next one is asked for by {"after":"<the answer's next>"}.
//
// An answer without the header Nats-Service-Error-Code is a [Meeting] or a
// [List]. With it the body is {"schema":1,"error":{"code","message"}}, see
// [Error]. Members may be added to answers within schema 1. A track is answered
// within 32 seconds, everything else within 7. Answers go to inboxes alone:
// _INBOX. and what else nats.inbox_prefix names, and the _R_. of NATS itself. A
// request with another reply subject is neither obeyed nor answered.
//
// # Promises
//
// Any worker may be asked: it passes a request on to the one that holds the
// meeting's shard, on rollcall.<STREAM>.shard.<tenant>.<verb>, where workers
// alone may publish and subscribe. What was passed on is never passed on again.
// Every request is bounded in size, in time and in how many run at once, orders
// also in how many are obeyed a second (too_many), and each is answered, also
// while a worker stops. A request that is repeated does no
// harm: track and untrack lead to the same state however often they are sent.
package control
