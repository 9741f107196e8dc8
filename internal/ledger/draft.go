package ledger

// Draft is messages in the making, in memory that is used again after
// [Draft.Reset]. The zero value is empty.
type Draft struct {
	Messages []Message

	page []byte // payloads, one after the other
}

// mostKept is how many bytes a draft keeps at most: room for the changes of a
// hundred meetings, not for a hundred crowds that come at once.
const mostKept = 1 << 20

// Reset empties d. The messages that were taken from it are void.
func (d *Draft) Reset() {
	clear(d.Messages[:cap(d.Messages)]) // also what was taken back
	if d.Messages = d.Messages[:0]; cap(d.Messages) > 2*MaxBatchMessages {
		d.Messages = nil
	}
	if d.page = d.page[:0]; cap(d.page) > mostKept {
		d.page = nil
	}
}

// Write returns what write appends, in d's memory. room is about how many bytes
// that are: with too little, earlier payloads stay where they are.
func (d *Draft) Write(room int, write func(dst []byte) []byte) []byte {
	if cap(d.page)-len(d.page) < room {
		d.page = make([]byte, 0, max(room, 2*cap(d.page)))
	}
	start := len(d.page)
	d.page = write(d.page)
	return d.page[start:len(d.page):len(d.page)]
}
