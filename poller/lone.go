package poller

import (
	"fmt"
	"time"

	"rollcall"
)

// lone is what is remembered of a meeting whose lookup leaves it as it is: it
// goes on, or has not begun, and queries leave it out; or the lookup fails. It
// is looked up again ever more rarely. It belongs to its shard's desk.
type lone struct {
	status rollcall.Status // what the last lookup told; unknown: it failed
	class  Class           // how it failed
	err    error
	asked  time.Time // when it was looked up last
	until  time.Time // before then it is not looked up again
	count  int       // lookups in a row that told the same
	own    bool      // it fails though others' lookups are answered
}

// LookupEvery is how often a meeting is looked up at most, once that has told
// for a while that it goes on or has not begun.
const LookupEvery = 5 * time.Minute

const (
	// longestWait bounds the wait for a start: its time may be wrong.
	longestWait = 24 * time.Hour
	// failingEvery is how often a lookup that always fails is tried at least.
	failingEvery = 30 * time.Minute
)

// goesOn takes what a lookup told of a meeting that is not over. Where it is to
// start later, nothing else is to be expected before. The first lookups, so many
// of them, are no reason to wait. news says that it told something else before.
func (l *lone) goesOn(now time.Time, standing Standing, first int) (news bool) {
	if news = l.status != standing.Status; news {
		*l = lone{status: standing.Status}
	}
	l.asked, l.until = now, now
	if l.count >= first {
		l.until = now.Add(growth{15 * time.Second, LookupEvery}.step(l.count - first))
	}
	if start := now.Add(standing.StartTime.Sub(now)); standing.Status == rollcall.StatusInitialized && start.After(l.until) {
		l.until = earlier(start, now.Add(longestWait))
	}
	l.count++
	return news
}

// failed takes a lookup that told nothing. The first one is tried again with
// the next pass.
func (l *lone) failed(now time.Time, class Class, err error) {
	if l.status != rollcall.StatusUnknown || l.class == ClassUnknown {
		*l = lone{}
	}
	l.class, l.err, l.asked, l.until = class, err, now, now
	if l.count > 0 {
		l.until = now.Add(growth{10 * time.Second, failingEvery}.step(l.count - 1))
	}
	l.count++
}

// missed takes a lookup that does not know the meeting. Several in a row are
// its end, so the next one is not put off.
func (l *lone) missed(now time.Time) { *l = lone{class: ClassUnknown, asked: now, until: now} }

func (l *lone) failing() bool { return l.status == rollcall.StatusUnknown && l.class != ClassUnknown }

func (l *lone) rests(now time.Time) bool { return now.Before(l.until) }

// words say how the meeting is watched.
func (l *lone) words() string {
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

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
