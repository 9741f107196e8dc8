// Package console shows over HTTP how the process does: /livez, /readyz and
// /metrics. It promises that an answer about health is a matter of ages that
// were measured, not a constant; that /livez tells of this process alone, so
// that nobody restarts it because DingTalk or NATS is away; and that it only
// shows: GET and HEAD, under names of its own, bounded in time, size and number,
// where whoever says nothing makes room for who asks.
package console
