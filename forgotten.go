package rollcall

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// forgottenPrefix begins the key of everybody who was forgotten.
const forgottenPrefix = "forgotten-"

// Forgotten returns the key under which a meeting goes on about somebody who was
// forgotten, in every epoch. It says nothing of the person, and whoever still holds
// the key of before finds out by it whom to forget. Whoever can guess that key can too:
// it is a pseudonym, and no more.
func Forgotten(tenant, conferenceID, key string) string {
	sum := sha256.Sum256([]byte(tenant + "/" + conferenceID + "\x00" + key))
	return forgottenPrefix + hex.EncodeToString(sum[:16])
}

// IsForgotten reports whether a key is that of somebody who was forgotten.
func IsForgotten(key string) bool {
	digits, ok := strings.CutPrefix(key, forgottenPrefix)
	return ok && len(digits) == 32 && hexadecimal(digits)
}

func hexadecimal(digits string) bool { return strings.Trim(digits, "0123456789abcdef") == "" }

// Forget returns the person as known under that key, one of [Forgotten], from now
// on: without name, id or anything that they wrote.
func (p Participant) Forget(as string) Participant {
	p.Key, p.UserID, p.Nick, p.RejectDescription = as, as, "", ""
	return p
}

// forget returns a roster without what tells who the event's person is.
func forget(roster []Participant, e *Event) []Participant {
	at := slices.IndexFunc(roster, func(p Participant) bool {
		return Forgotten(e.Tenant, e.ConferenceID, p.Key) == e.Participant.Key
	})
	if at < 0 {
		return roster
	}
	rest := slices.Delete(slices.Clone(roster), at, at+1)
	to, _ := slices.BinarySearchFunc(rest, e.Participant.Key, byKey)
	return slices.Insert(rest, to, roster[at].Forget(e.Participant.Key))
}
