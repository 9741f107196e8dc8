// Package consume is the reader's side of Rollcall: whatever a service needs to
// stand on the events of meetings.
//
//   - [Parse] reads one event, also one that is newer than this program.
//   - [Roster] folds the events of one meeting to who is in it.
//   - [Watch] keeps the rosters of any number of meetings equal to what
//     Rollcall has stored, over lost connections and streams made anew, and
//     proves that they are.
//   - [Handle] passes every event to a function, in order and again after an
//     error; with [SQL] each has its effect exactly once.
//   - [Attendance] folds them to who was there, when and for how long, each with
//     the least and the most that it can be.
//   - [Follow] shows events as they come, and remembers nothing; [Read] passes on
//     those that are stored, and returns.
//   - [Meetings.Health] says whether a tenant's meetings are being looked at, and
//     [ParseWatch] reads the events that tell it.
//   - [Subject] names what to subscribe to, and [ParseSubject] reads it back.
//
// A meeting's events form one sequence 1, 2, 3 … within an epoch; only the
// sequence orders them. Another epoch means: forget the meeting and fold anew.
// Somebody is gone with participant.left or participant.kicked_out, and all are
// with meeting.ended or meeting.untracked. A provenance of baseline says that
// something was found so at the first look, and not when it happened.
//
// What is newer than this program does no harm: unknown fields, words and types
// are passed over, and an event of a newer schema is refused with [ErrNewer].
package consume
