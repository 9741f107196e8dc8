// Package console shows over HTTP how the process does: /livez, /readyz and
// /metrics. It promises that an answer about health is a matter of ages that
// were measured, not a constant; that /livez speaks of this process alone, so
// that nobody restarts it because DingTalk or NATS is away; and that it only
// shows: GET and HEAD, under names of its own, bounded in time, size and
// number, where a silent client makes room for one that asks. Package live is
// the page for people.
package console
