package poller

import (
	"fmt"
	"time"

	"rollcall/internal/wait"

	"rollcall"
)

// lookupState is what is remembered of a meeting whose lookup leaves it as it
// is: it goes on, or has not begun, and queries leave it out; or the lookup
// fails. It is looked up again ever more rarely.
type lookupState struct {
	status rollcall.Status // what the last lookup said; unknown: it failed
	class  Class           // how it failed
	err    error
	asked  time.Time // when it was looked up last
	until  time.Time // before then it is not looked up again
	count  int       // lookups in a row with the same outcome
	own    bool      // it fails though others' lookups are answered
}

// LookupEvery is how often a meeting is looked up at most, once lookups have
// said for a while that it goes on or has not begun.
const LookupEvery = 5 * time.Minute

const (
	// longestWait bounds the wait for a start: its time may be wrong.
	longestWait = 24 * time.Hour
	// failingEvery is how often a lookup that always fails is tried at least.
	failingEvery = 30 * time.Minute
)

// goesOn takes what a lookup said of a meeting that is not over. Where it is to
// start later, nothing else is to be expected before. The first lookups, so many
// of them, are no reason to wait. changed reports whether that is new.
func (l *lookupState) goesOn(now time.Time, standing Standing, first int) (changed bool) {
	if changed = l.status != standing.Status; changed {
		*l = lookupState{status: standing.Status}
	}
	l.asked, l.until = now, now
	if l.count >= first {
		l.until = now.Add(wait.Growth{First: 15 * time.Second, Most: LookupEvery}.Step(l.count - first))
	}
	if standing.Status == rollcall.StatusInitialized {
		wait := min(standing.StartTime.Sub(now), longestWait)
		l.until = later(l.until, now.Add(wait))
	}
	l.count++
	return changed
}

// fails takes a lookup that said nothing. After the first one in a row the
// lookup is tried again with the next pass.
func (l *lookupState) fails(now time.Time, class Class, err error) {
	if l.status != rollcall.StatusUnknown || l.class == ClassUnknown {
		*l = lookupState{}
	}
	l.class, l.err, l.asked, l.until = class, err, now, now
	if l.count > 0 {
		l.until = now.Add(wait.Growth{First: 10 * time.Second, Most: failingEvery}.Step(l.count - 1))
	}
	l.count++
}

// misses takes a lookup that does not know the meeting. Several in a row are
// its end, so the next one is not put off.
func (l *lookupState) misses(now time.Time) {
	*l = lookupState{class: ClassUnknown, asked: now, until: now}
}

func (l *lookupState) failing() bool {
	return l.status == rollcall.StatusUnknown && l.class != ClassUnknown
}

func (l *lookupState) waits(now time.Time) bool { return now.Before(l.until) }

// words say how the meeting is watched.
func (l *lookupState) words() string {
	again := l.until.UTC().Format(time.RFC3339)
	switch {
	case l.class == ClassUnknown:
		return "DingTalk does not know the meeting: is its id right?"
	case l.failing():
		return fmt.Sprintf("its lookup fails (%s); looked up again at %s", l.class, again)
	case l.status == rollcall.StatusInitialized:
		return "has not begun, so queries leave it out; looked up again at " + again
	}
	return "queries leave it out though it goes on; looked up again at " + again + " (try a smaller poll.batch_size)"
}

// lookupStates are those of a shard's meetings, by id.
type lookupStates map[string]*lookupState

// of returns the state of a meeting, which is made if there is none.
func (s lookupStates) of(id string) *lookupState {
	if s[id] == nil {
		s[id] = &lookupState{}
	}
	return s[id]
}

// wait reports whether a meeting is not to be looked up yet.
func (s lookupStates) wait(id string, now time.Time) bool {
	l := s[id]
	return l != nil && l.waits(now)
}

func (s lookupStates) failing(id string) bool {
	l := s[id]
	return l != nil && l.failing()
}

// answered draws from an answered lookup what it says of those that fail: if it
// had failed as well, they may work again, and are tried at once. Otherwise
// they fail by themselves.
func (s lookupStates) answered(id string) {
	healed := s.failing(id)
	if healed {
		delete(s, id)
	}
	for _, l := range s {
		switch {
		case !l.failing():
		case healed:
			l.until = time.Time{}
		default:
			l.own = true
		}
	}
}

// words say how the meetings are watched; nil: there are none.
func (s lookupStates) words() map[string]string {
	if len(s) == 0 {
		return nil
	}
	words := make(map[string]string, len(s))
	for id, l := range s {
		words[id] = l.words()
	}
	return words
}
