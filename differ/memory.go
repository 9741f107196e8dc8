package differ

import (
	"slices"
	"strconv"

	"rollcall"
)

// maxAway is how many people without a user id are remembered who are gone and
// no longer listed. Somebody with another name in each answer would otherwise
// leave a trace of each name until the meeting ends.
const maxAway = 200

// bounded returns a memory without those people where they are too many. From
// then on no event about such people relies on the memory: one who turns up as
// gone may have been gone before.
func (t *transition) bounded(memory []rollcall.Memory) []rollcall.Memory {
	if len(memory) <= maxAway {
		return memory
	}
	n := 0
	for i := range memory {
		if away(memory[i]) {
			n++
		}
	}
	if n <= maxAway {
		return memory
	}
	if !t.next.Forgotten {
		t.odd("userList", "more than "+strconv.Itoa(maxAway)+" people without userId who are no longer listed; they are forgotten")
	}
	t.next.Forgotten = true
	return slices.DeleteFunc(slices.Clone(memory), away)
}

func away(m rollcall.Memory) bool {
	return m.Participant.UserID == "" && m.Participant.Attendance.Gone() && m.Failed+m.KickedOut+m.Left == 0
}
