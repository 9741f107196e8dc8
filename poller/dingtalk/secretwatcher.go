package dingtalk

import (
	"crypto/sha256"
	"time"
)

// lookEvery is how often a client that is used looks whether its secrets have
// changed.
const lookEvery = 30 * time.Second

// secretWatcher notices that secrets were exchanged while a token is good. The token in
// hand serves on: a new one is fetched beside it, so that a mistake shows long
// before it hurts. It is guarded by the lock of its tokens.
type secretWatcher struct {
	print   func() (digest [sha256.Size]byte, ok bool) // of the secrets as they are now
	next    time.Time                                  // when to look again
	seen    bool
	last    [sha256.Size]byte
	changes uint64 // how often they were exchanged
	honored uint64 // of these, before a token was fetched that is held now
}

// pending reports whether the secrets were exchanged since the token was fetched.
func (w *secretWatcher) pending() bool { return w.changes != w.honored }

// look reads the secrets, when it is time. Unreadable ones are perhaps being
// written; a token request would show.
func (t *tokens) look() {
	if !t.lookIsDue() {
		return
	}
	if digest, ok := t.watch.print(); ok {
		t.noteSecrets(digest)
	}
}

func (t *tokens) lookIsDue() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if now.Before(t.watch.next) {
		return false
	}
	t.watch.next = now.Add(lookEvery)
	return true
}

// noteSecrets lets changed secrets be tried at once, also during an outage.
func (t *tokens) noteSecrets(digest [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := &t.watch
	if w.seen && w.last != digest {
		w.changes++
		t.outage.until = time.Time{}
		t.log.Info("the secrets have changed; a new dingtalk token is asked for with them")
	}
	w.seen, w.last = true, digest
}

// digest returns a fingerprint of the secrets as they are now.
func (a Auth) digest() (digest [sha256.Size]byte, ok bool) {
	hash := sha256.New()
	for _, s := range flows[a.Kind].secrets {
		value, err := s.of(a)()
		if err != nil {
			return digest, false
		}
		// Each is hashed separately: no boundary between two can shift.
		one := sha256.Sum256([]byte(value.Reveal()))
		hash.Write(one[:])
	}
	return [sha256.Size]byte(hash.Sum(nil)), true
}
