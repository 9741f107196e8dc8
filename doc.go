// Package rollcall holds the words that every room of Rollcall speaks: the
// [Conference] that is watched, the [Participant] in it, the [Observation] that
// one question to DingTalk yields, the [Record] that is the stored state of a
// meeting, and the [Event] that says what changed.
//
// The words carry no behaviour beyond naming and validating themselves. They
// import the standard library only, and nothing in this module that is not a
// word may be imported here.
package rollcall
