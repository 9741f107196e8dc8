package forwarder

import (
	"slices"
	"time"

	"rollcall/consume"
	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// place is what a lane remembers: one value, for whoever works the lane.
type place struct {
	Schema int       `json:"schema"`           // 1
	Holder string    `json:"holder,omitempty"` // who works the lane; "": nobody
	Beat   uint64    `json:"beat"`             // counts what was written
	Seen   time.Time `json:"seen,omitzero"`    // when it was last written, by the holder's clock
	Since  time.Time `json:"since,omitzero"`   // where to begin while Floor is 0
	// Stream is when the stream was created that the sequences are of.
	Stream time.Time `json:"stream,omitzero"`
	// Floor is the sequence up to which every event is accounted for.
	Floor uint64 `json:"floor"`
	// Groups are those of which more is, or that were told of lately.
	Groups map[string]mark `json:"groups,omitempty"`
	// Retries are the events of a webhook, by sequence, that are sent again.
	Retries map[uint64]retry `json:"retries,omitempty"`
	// Flight is the message under way; nil: none.
	Flight *flight `json:"flight,omitempty"`
	// CatchUp: the next message is a digest of all that waits.
	CatchUp bool `json:"catchUp,omitempty"`
	// Cut is how many events were cut since the last message, which the next says.
	Cut  int        `json:"cut,omitempty"`
	Turn int        `json:"turn,omitempty"` // of the robots
	Lane LaneStatus `json:"lane"`
}

// mark is how far a group was told.
type mark struct {
	Through uint64    `json:"through"`
	At      time.Time `json:"at"`
}

// retry is an event that could not be sent yet.
type retry struct {
	Tries int       `json:"tries"`
	Due   time.Time `json:"due"`
}

// flight is a message that was not yet acknowledged. It is kept as it is sent,
// so that it is the same whoever sends it again.
type flight struct {
	Kind    note.Kind      `json:"kind"`
	Robot   string         `json:"robot"`
	Message target.Message `json:"message"`
	// Through is, by group, up to where the message tells; All: of every group.
	Through map[string]uint64 `json:"through,omitempty"`
	All     uint64            `json:"all,omitempty"`
	Account note.Account      `json:"account"`
	Cut     int               `json:"cut,omitempty"`    // of place.Cut, what it says
	Unsure  bool              `json:"unsure,omitempty"` // it may have arrived
	Due     time.Time         `json:"due,omitzero"`
}

// LaneStatus is what a lane has done, for people.
type LaneStatus struct {
	Messages    uint64    `json:"messages"`
	Repeated    uint64    `json:"repeated"` // messages that may have come twice
	Told        uint64    `json:"told"`     // events, by themselves
	Digested    uint64    `json:"digested"` // by a number
	Undone      uint64    `json:"undone"`
	Cut         uint64    `json:"cut"`
	Undelivered uint64    `json:"undelivered"`
	Waiting     int       `json:"waiting"`
	Oldest      time.Time `json:"oldest,omitzero"` // of those that wait
	LastSent    time.Time `json:"lastSent,omitzero"`
	LastClass   string    `json:"lastClass,omitempty"` // of the last failure
	LastError   string    `json:"lastError,omitempty"`
	LastFailed  time.Time `json:"lastFailed,omitzero"`
}

func (s *LaneStatus) account(a note.Account) {
	s.Told += uint64(a.Told)
	s.Digested += uint64(a.Digested)
	s.Undone += uint64(a.Undone)
	s.Cut += uint64(a.Cut)
}

// told reports whether an event was accounted for, in whatever group: the route may
// have had another group_by.
func (p *place) told(e *consume.Event, sequence uint64) bool {
	return sequence <= p.Floor || slices.ContainsFunc([]GroupBy{ByMeeting, ByTenant, ByRoute}, func(by GroupBy) bool {
		return sequence <= p.Groups[by.key(e)].Through
	})
}

// land notes that the message under way has come to its end.
func (p *place) land(now time.Time) {
	f := p.Flight
	p.Flight, p.Cut = nil, p.Cut-f.Cut
	p.Lane.account(f.Account)
	if f.All > 0 {
		p.Floor, p.Groups, p.CatchUp = max(p.Floor, f.All), nil, false
		return
	}
	for group, through := range f.Through {
		p.mark(group, through, now)
	}
}

// mark notes how far a group was told; a zero time: nothing had to be told.
func (p *place) mark(group string, through uint64, at time.Time) {
	if p.Groups == nil {
		p.Groups = map[string]mark{}
	}
	if at.IsZero() {
		at = p.Groups[group].At
	}
	p.Groups[group] = mark{max(through, p.Groups[group].Through), at}
}

// rise lifts the floor, and forgets the groups that it says enough of.
func (p *place) rise(floor uint64, now time.Time, interval time.Duration) {
	p.Floor = max(p.Floor, floor)
	for group, m := range p.Groups {
		if m.Through <= p.Floor && now.Sub(m.At) >= interval {
			delete(p.Groups, group)
		}
	}
}
