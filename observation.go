package rollcall

import "time"

// Number shows which of two questions was asked later. The term is that of the
// shard's claim, the poll counts the questions within it; both start at 1.
type Number struct {
	Term, Poll uint64
}

// After reports whether n was asked after o.
func (n Number) After(o Number) bool {
	return n.Term > o.Term || n.Term == o.Term && n.Poll > o.Poll
}

// Observation is what one question to DingTalk yielded about one or many
// meetings of one shard.
type Observation struct {
	Tenant     string
	Shard      int
	Number     Number // taken when the question was asked
	AskedAt    time.Time
	AnsweredAt time.Time
	Sightings  []Sighting
	Unanswered []Unanswered
	// Trace is the pass that asked, as a W3C traceparent; "" where nothing is traced,
	// and of what was read from the journal.
	Trace string
}

// SightingKind says what an observation shows about one meeting.
type SightingKind uint8

// The kinds of a sighting.
const (
	// SightingListed: the batch query listed the meeting; Raw holds its JSON.
	SightingListed SightingKind = iota + 1
	// SightingEnded: the single-meeting query says that it has ended.
	SightingEnded
	// SightingOngoing: the single-meeting query says that it goes on.
	SightingOngoing
	// SightingMissed: DingTalk does not know the meeting. After enough of these
	// in a row it has ended; one that nobody ever saw is untracked.
	SightingMissed
	// SightingUntracked: the meeting was taken off the tracked set.
	SightingUntracked
	// SightingSummarized: it is known what an ended meeting's [Summary] says.
	SightingSummarized
	// SightingForgotten: somebody is to be forgotten, see [Forgotten].
	SightingForgotten
	// SightingMembers: DingTalk's list of the members of a meeting that goes on was read.
	SightingMembers
)

// Sighting is what an observation shows about one meeting.
type Sighting struct {
	ConferenceID string
	Kind         SightingKind
	// Raw is the meeting's JSON object exactly as it arrived (SightingListed). It is
	// never written to. One that equals the answer before is that one's memory, so
	// that who holds it knows the verdict without comparing.
	Raw []byte
	// Answer is Raw decoded, or nil where nobody needed it decoded yet.
	Answer *Answer
	// SeenAt is when the last of the answers was asked that equalled the one
	// before this, where they are no sightings themselves; zero: none was.
	SeenAt time.Time
	// StartTime and EndTime are when a meeting that is over began and ended, as
	// DingTalk says; zero when not known. They may also go with a SightingListed
	// whose status is ended.
	StartTime, EndTime time.Time
	// Reason is that of the end which SightingEnded reports, or of
	// SightingUntracked: operator or expired.
	Reason Reason
	// Forgotten is the key of whom SightingForgotten forgets.
	Forgotten string
	// Members are those that SightingMembers lists.
	Members []Member
	// Summary is that of SightingSummarized, and Sequence that of the record which
	// it is of (0: of any): one that has changed since is not summarized by it.
	Summary  *Summary
	Sequence uint64
}

// Member is a line of DingTalk's list of a meeting's members: somebody who was
// there or was asked. Whatever the line left out is the zero value.
type Member struct {
	UserID string // "" for people outside the organization
	Nick   string // cut at [MaxText] bytes
	Roles
	Attendance   Attendance
	Joined, Left time.Time     // exact, UTC
	Stayed       time.Duration // of one visit from Joined to Left; less: of several
}

// Unanswered is a meeting that was asked about without learning anything.
type Unanswered struct {
	ConferenceID string
	Reason       string // a class of error, a few words: throttled, malformed
}

// Answer is what the batch query says of one meeting. Whatever the answer left
// out, or said in a way that has no meaning, is the zero value: it changes nothing.
type Answer struct {
	Title      string    // cut at [MaxText] bytes
	StartTime  time.Time // UTC; zero: not said
	Status     Status
	Media      Media
	MediaGiven bool
	// Listed says that the answer held a list of users; without one it covers nobody.
	Listed bool
	// Partial says that some entries of the list could not be read, so that
	// the absence of a person from Entries proves nothing.
	Partial bool
	Entries []Entry
	// Oddities are values without a meaning that were passed over.
	Oddities []Oddity
}

// Entry is one element of an answer's list of users, before entries of the
// same person are merged.
type Entry struct {
	UserID            string // "" for people outside the organization
	Nick              string // cut at [MaxText] bytes
	Attendance        Attendance
	Mic, Camera       Device
	RejectDescription string // cut at [MaxText] bytes
}

// Oddity is a value in an answer, or a step between two answers, that has no
// meaning and was ignored. It is counted, and logged once.
type Oddity struct {
	Field string // attendStatus, status, userId …
	Value string // as it arrived, shortened; never a name or a title
}
