// Package simulator is DingTalk's conference API on this machine: a world of
// meetings in which people come and go, and the HTTP operations that show it.
//
// It promises:
//
//   - The same seed and the same instants yield the same facts and the same
//     bytes. A meeting that did not change is shown with the same bytes.
//   - Nothing happens that cannot: nobody leaves who is not there, and a
//     microphone or camera is open only while its owner is present.
//   - [Simulator.Happened] is all that happened, in order, with exact times;
//     [Simulator.Served] is all that was answered; [Simulator.Truth] is what
//     Rollcall's roster must be.
//   - Everything DingTalk may do wrong can be made to happen: see [Fault].
//
// A world stands still until it is advanced: by [Simulator.StepTo] and
// [Simulator.StepFacts], by [Simulator.Act], or by [Simulator.Run], which lets
// it follow the clock. The API is [Simulator.Handler]; [NewWire] serves it
// without sockets. The operations are POST query, GET meeting, members,
// orgConferences, users/lists, roomCodes and the three token flows. Ids that
// nobody knows are left out of a batch query's answer. What happens is pushed as
// well, to whoever has opened the gateway and connected: one connection hears of a
// fact, at random.
//
// # Control
//
// Below /_sim/ the world itself can be queried and changed. Answers are JSON; a
// mistake is 400, an act that cannot happen now 409, an unknown path 404, each
// with {"error":"what is wrong, and what is allowed"}.
//
//	GET    /_sim/           {"endpoints":[…],"acts":[…],"faults":[…],"operations":[…]}
//	GET    /_sim/meetings   [{"conferenceId","title","startTime","status","mediaStatus","present","endTime","people":[PERSON…]}…]
//	GET    /_sim/facts      JSON lines of FACT; ?since=N: those after number N
//	GET    /_sim/served     JSON lines {"number","at","operation","status","code","requestId","fault","asked":[id…],"shown":[{"conferenceId","facts"}…]}; ?since=N
//	POST   /_sim/act        an act, below; answers {"facts":[FACT…]}
//	GET    /_sim/fault      {"faults":[FAULT…]}, those that can still strike
//	POST   /_sim/fault      FAULT, one more; answers as GET
//	DELETE /_sim/fault      none from now on; answers as GET
//	POST   /_sim/revoke     no token issued so far stays valid; answers {}
//	GET    /_sim/pushes     {"made","lost","sent","acked","late","opened","refused"}: how many pushes there were
//
//	FACT   {"number","at","conferenceId","type","reason","meeting":{"title","startTime","status","mediaStatus","present"},"person":PERSON}
//	PERSON {"line","listed","userId","nick","attendance","mic","camera","rejectDescription"}
//	FAULT  {"fault":"waterLimitError","operation":"query","times":3,"for":"10s","probability":0.5,
//	        "status":503,"capitals":true,"retryAfter":"2s","delay":"300ms","bytes":1000}   all but "fault" may be left out
//
// # Acts
//
// An act is {"act":VERB,"conferenceId":ID, …}. Who is meant is said by
// "userId", or "nick" for somebody without one; "device":2 means the person's
// second device. Somebody new to the meeting comes to be by invite, call or join.
//
//	create          conferenceId, title, people (who come by chance): all may be left out
//	rename          title
//	reschedule      "startTime":"2026-08-03T10:00:00Z", of a meeting that has not started
//	start, end      end takes "endStyle": status, omitted, resource_closed
//	mute_all, unmute_all, mute_mics, unmute_mics, close_cameras, reopen_cameras
//	invite, call    to invited, to joining; not for somebody who is present
//	join            to present; the first one starts the meeting
//	decline         "rejectDescription"; from invited or joining, as fail and withdraw
//	fail, withdraw  withdraw takes the invitation back: no longer listed
//	leave, kick     from present; like decline and fail with "drop":true no longer listed
//	delist          somebody who is gone is no longer listed
//	host            from present; whoever was host no longer is
//	mic_on, mic_off, camera_on, camera_off
//	rename_user     userId and nick
package simulator
