// Package wire knows how meetings, participants, texts and times look as JSON,
// in events and in records alike. It promises that whatever it appends is
// valid JSON, byte for byte what encoding/json would write, without reflection;
// and that what it reads back is a word of the root package or an error.
package wire
