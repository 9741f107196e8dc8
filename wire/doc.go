// Package wire knows what stands on the bus: its subjects, and the JSON of an
// event, of a meeting's record, of the tracked set and of a tenant's status. It
// promises that whatever it appends is valid JSON, byte for byte what
// encoding/json would write, without reflection; and that what it reads back is
// a word of the root package or an error.
package wire
