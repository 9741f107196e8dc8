// Package scenario reads written scenarios and plays them: YAML files that say
// what happens in a simulated DingTalk and when, and which events Rollcall must
// publish about it.
//
// It promises:
//
//   - A file is read wholly or refused with every mistake there is, each with
//     its line, its key and what is allowed. Steps that cannot happen, such as
//     leaving a meeting one is not in, are mistakes too: a file is rehearsed.
//   - The clock of a scenario starts when every meeting has been asked about
//     once, so that the first poll sees the beginning, whoever starts first.
//   - What has one instant happens at once: no answer shows some of it only.
//   - If Rollcall asks at least every [Scenario] Poll, divided by the speed, it
//     publishes exactly the expected events. The reader refuses steps so close
//     to one another that it would depend on luck, unless they say loose.
//
// # A file
//
//	name: two-people
//	description: what it shows, in a sentence or two
//	poll: 10s                      # the slowest schedule it is exact for, at speed 1
//	seed: 1                        # of ids that nobody wrote down; may be left out
//	world: {endStyle: status, maxBatch: 0, shuffleInfos: false, latency: 0s}   # may be left out
//	meetings:
//	  - conferenceId: weekly
//	    title: Weekly
//	    people: [ann, {act: invite, userId: ben, nick: Ben}]   # there when the first poll comes
//	steps:
//	  - {at: 20s, act: join, userId: ben}
//	  - {at: 40s, act: join, userId: "guest-{n}", nick: "Guest {n}", repeat: 300, over: 60s}
//	  - {at: 120s, fault: systemError, operation: query, for: 40s}
//	  - {at: 180s, act: end}
//	expect:
//	  weekly:
//	    - meeting.started
//	    - participant.invited ben
//	    - participant.joined ann
//	    - participant.joined ben session=1
//	    - participant.joined: 300
//	    - participant.left: 302
//	    - meeting.ended reason=status
//
// Acts and faults have the keys of POST /_sim/act and POST /_sim/fault, which
// package simulator describes; create is not among the acts, and conferenceId
// may be left out where there is one meeting. With repeat, {n} in userId and
// nick is 001, 002, 003 …, and over spreads the repetitions evenly. Every
// duration of a file is divided by the speed.
//
// # What is expected
//
// The items of a meeting come one after the other. An item that is a text is
// one event: TYPE, then the key of a participant, then details such as
// reason=left; what contains a space is quoted. What an item does not say is
// not compared. An item that is a list of texts, or a mapping of texts to how
// often (300, or 0-5), is a group: its events come in any order, and it takes
// all it can before the next item begins.
package scenario
