package push

import "crypto/sha256"

// remembered is how many keys a [recent] holds at least.
const remembered = 4096

// recent remembers something of the latest keys; the older half is forgotten at
// once, so that it never holds more than twice as many. Keys are digests, for
// whoever sends them decides how long they are. The zero value is ready to use.
type recent struct{ young, old map[[sha256.Size]byte]int64 }

func (r *recent) get(key [sha256.Size]byte) (value int64, found bool) {
	if value, found = r.young[key]; !found {
		value, found = r.old[key]
	}
	return value, found
}

func (r *recent) put(key [sha256.Size]byte, value int64) {
	if len(r.young) >= remembered {
		r.young, r.old = nil, r.young
	}
	if r.young == nil {
		r.young = make(map[[sha256.Size]byte]int64)
	}
	r.young[key] = value
}
