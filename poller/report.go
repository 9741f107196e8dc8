package poller

import (
	"fmt"
	"time"
)

// The states of a tenant's polling, as they stand in the status.
const (
	StateOK        = "ok"
	StateThrottled = "throttled" // asked too fast, or the caller's address is blocked
	StateQuota     = "quota"     // the calls of the month or of the budget are used up
	StateAuth      = "auth"      // the credentials or their permissions are refused
	StateAway      = "away"      // no question of the pass was answered
)

// Report says how a pass went. Every meeting of Asked is counted by Answered
// or stands in Unanswered, unless the context or Emit ended the pass early.
type Report struct {
	Asked     int // distinct meetings that were to be asked about
	Answered  int // of these, with a sighting that was emitted
	Unchanged int // of these, with the bytes of the answer before
	Unasked   int // entries of answers about meetings nobody asked about
	Calls     int // metered calls, whatever became of them
	Listing   int // of these, for lists of members
	// Unanswered has the reason for each meeting nothing was learned about; nil
	// when there is none. With [ClassNone] all is well: its end was emitted a
	// moment ago, its turn comes with the next pass, or its call is overdue.
	Unanswered map[string]Class
	// UnderWay are those of Unanswered whose call is overdue; nil when there is none.
	UnderWay map[string]bool
	// Apart are those of Unanswered that wait in quarantine, with the time at
	// which they are asked about again; nil when there is none.
	Apart map[string]time.Time
	// Unlisted are those of [Ask.Members] that were not asked for: their turn comes
	// with a later pass.
	Unlisted []string
	// Alone says in words how those meetings are watched that are looked up by
	// themselves, since queries leave them out; nil when there is none.
	Alone map[string]string
	State string // one of the states above
	// Good says that something was learned, or that there was nothing to ask.
	// To have nothing to ask because all are in quarantine is not good.
	Good bool
	// LastGood is when the shard's last good pass ended; zero: there was none.
	LastGood time.Time
	// Err is the first fault; or why the pass ended early: the error of the
	// context, of Emit or of Spend.
	Err error
	// Until is when a call will be made again, where all are held back.
	Until time.Time
}

// Looked reports whether the pass looked at a meeting: something was learned of
// it, or of others while its own turn comes later.
func (r *Report) Looked(conferenceID string) bool {
	class, without := r.Unanswered[conferenceID]
	return r.Good && (!without || class == ClassNone)
}

// Trouble returns in words why nothing was learned about a meeting; "" when
// something was, or when its turn comes with the next pass; or how it is
// watched where it is looked up alone.
func (r *Report) Trouble(conferenceID string) string {
	class := r.Unanswered[conferenceID]
	if until, apart := r.Apart[conferenceID]; apart {
		return fmt.Sprintf("refused even by itself (%s); asked about again at %s", class, until.UTC().Format(time.RFC3339))
	}
	words, alone := r.Alone[conferenceID]
	if alone && (class == ClassNone || saysNothing(class)) {
		return words
	}
	return class.String()
}

// stateOf returns the state that a fault leads to. A fault that concerned only a
// part of the questions leads to none.
func stateOf(class Class, answered bool) string {
	switch class {
	case ClassThrottled, ClassBlocked:
		return StateThrottled
	case ClassQuota:
		return StateQuota
	case ClassToken, ClassPermission:
		return StateAuth
	case ClassBadRequest:
		return StateAway
	case ClassTransient, ClassMalformed:
		if !answered {
			return StateAway
		}
	}
	return StateOK
}
