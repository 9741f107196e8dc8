package consume

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"rollcall"
	"rollcall/wire"
)

// Meeting is what is known of one meeting. It is a copy; People is shared and
// must not be changed.
type Meeting struct {
	Tenant, ConferenceID string
	Epoch                int64  // Unix ms
	Sequence             uint64 // of the last event
	Info                 rollcall.Conference
	Labels               rollcall.Labels        // of whoever tracks the meeting; not to be changed
	People               []rollcall.Participant // invited, joining or present; sorted by key
	// ObservedAt is when the poll was asked that wrote the record last read;
	// what an unchanged meeting looks like is known from later polls too.
	ObservedAt time.Time
	// Whole is false while more events of the same poll are on the way.
	Whole bool
	// Over: it has ended, or is not tracked any more; its record ages out.
	Over bool
}

// key names a meeting.
type key struct{ tenant, conference string }

// entry is a meeting as it is followed.
type entry struct {
	roster   *Roster
	revision uint64 // stream sequence of the record last read
	observed time.Time
	over     bool // it ended or was untracked: its record ages out
	lost     bool // events are missing; the next record says how it stands
	whole    bool
}

// Meetings is what [Watch] knows. Its methods are safe for concurrent use.
type Meetings struct {
	synced  chan struct{}
	changed chan struct{}

	mu       sync.RWMutex
	entries  map[key]*entry
	statuses map[string]wire.Status
	losses   map[part]loss // the shards of which it was told that nobody looks
	repairs  uint64
	once     sync.Once
}

func newMeetings() *Meetings {
	return &Meetings{synced: make(chan struct{}), changed: make(chan struct{}, 1), entries: map[key]*entry{}, statuses: map[string]wire.Status{}, losses: map[part]loss{}}
}

// Synced closes when all that is stored was read for the first time.
func (m *Meetings) Synced() <-chan struct{} { return m.synced }

// Changed receives when all was read for the first time, and after a meeting has
// changed, or a watch event was told: once for any number of changes that nobody has
// received yet. It is closed when the context of [Watch] has ended.
func (m *Meetings) Changed() <-chan struct{} { return m.changed }

func (m *Meetings) stir() {
	select {
	case m.changed <- struct{}{}:
	default: // whoever reads looks at what is, and not at each change
	}
}

func (m *Meetings) markSynced() {
	m.once.Do(func() {
		close(m.synced)
		m.stir() // also where there is no meeting
	})
}

// Repairs counts how often a record had to say how a meeting stands, because
// events were missing or did not lead to it. Reading everything anew, as from
// a stream made anew, does not count.
func (m *Meetings) Repairs() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.repairs
}

// Get returns what is known of a meeting; ok is false when nothing is.
func (m *Meetings) Get(tenant, conferenceID string) (meeting Meeting, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	k := key{tenant, conferenceID}
	e := m.entries[k]
	if e == nil {
		return Meeting{}, false
	}
	return e.meeting(k), true
}

// List returns all meetings, also those that ended within the retention, sorted
// by tenant and id.
func (m *Meetings) List() []Meeting {
	m.mu.RLock()
	all := make([]Meeting, 0, len(m.entries))
	for k, e := range m.entries {
		all = append(all, e.meeting(k))
	}
	m.mu.RUnlock()
	slices.SortFunc(all, func(a, b Meeting) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ConferenceID, b.ConferenceID))
	})
	return all
}

// Present returns the meetings in which the user with this id is present now,
// sorted as by [Meetings.List].
func (m *Meetings) Present(userID string) []Meeting {
	return slices.DeleteFunc(m.List(), func(meeting Meeting) bool {
		return !slices.ContainsFunc(meeting.People, func(p rollcall.Participant) bool {
			return p.UserID == userID && userID != "" && p.Attendance == rollcall.AttendancePresent
		})
	})
}

func (e *entry) meeting(k key) Meeting {
	return Meeting{
		Tenant: k.tenant, ConferenceID: k.conference, Epoch: e.roster.epoch, Sequence: e.roster.sequence,
		Info: e.roster.meeting, Labels: e.roster.labels, People: e.roster.people, ObservedAt: e.observed, Whole: e.whole, Over: e.over,
	}
}

// fold applies an event. The error is a [*GapError] where events are missing;
// told once, until the record that follows has said how the meeting stands.
func (m *Meetings) fold(e Event, tell func(Update)) error {
	m.mu.Lock()
	k := key{e.Tenant, e.ConferenceID}
	known := m.entries[k]
	if known == nil {
		known = &entry{roster: &Roster{}}
		m.entries[k] = known
	}
	if known.lost {
		m.mu.Unlock()
		return nil
	}
	change, err := known.roster.Apply(e)
	known.lost = err != nil
	if err == nil && change != Repeated {
		known.whole = e.LastOfPoll()
	}
	update := Update{Changed, e, known.meeting(k)}
	m.mu.Unlock()
	if err == nil && change != Repeated && tell != nil {
		tell(update)
	}
	return err
}

// hold holds the meeting against its record: what was folded must equal it,
// and otherwise the record is right.
func (m *Meetings) hold(r *rollcall.Record, revision uint64, tell func(Update)) error {
	if r.Partial != nil {
		return nil // more of the same poll is on the way
	}
	m.mu.Lock()
	k := key{r.Tenant, r.ConferenceID}
	known := m.entries[k]
	if known == nil {
		known = &entry{roster: &Roster{}, lost: true}
		m.entries[k] = known
	}
	if revision <= known.revision {
		m.mu.Unlock()
		return nil
	}
	var err error
	was := known.lost
	if was || !known.equals(r) {
		m.repairs++
		if !was {
			err = fmt.Errorf("the events of meeting %.300q of tenant %s do not lead to its record at sequence %d; it was read anew", r.ConferenceID, r.Tenant, r.Sequence)
		}
		known.roster = RosterOf(r)
		was = true
	}
	known.put(r, revision)
	update := Update{Kind: Found, Meeting: known.meeting(k)}
	m.mu.Unlock()
	if was && tell != nil {
		tell(update)
	}
	return err
}

func (e *entry) equals(r *rollcall.Record) bool {
	want := RosterOf(r)
	return e.roster.epoch == want.epoch && e.roster.sequence == want.sequence && slices.Equal(e.roster.people, want.people)
}

// put notes what only the record says.
func (e *entry) put(r *rollcall.Record, revision uint64) {
	e.roster.meeting, e.roster.labels = r.Meeting, r.Labels
	e.revision, e.observed, e.lost, e.whole = revision, r.ObservedAt, false, true
	e.over = r.Untracked || r.Meeting.Status == rollcall.StatusEnded
}

// replace puts a listing in the place of everything known.
func (m *Meetings) replace(l *listing, tell func(Update)) {
	m.mu.Lock()
	before := m.entries
	m.entries, m.statuses, m.losses = make(map[key]*entry, len(l.records)), l.statuses, l.losses
	var updates []Update
	for k, s := range l.records {
		e := &entry{roster: RosterOf(s.record)}
		e.put(s.record, s.revision)
		e.lost = s.record.Partial != nil
		m.entries[k] = e
		updates = append(updates, Update{Kind: Found, Meeting: e.meeting(k)})
	}
	for k, e := range before {
		if m.entries[k] == nil {
			updates = append(updates, Update{Kind: Dropped, Meeting: e.meeting(k)})
		}
	}
	m.mu.Unlock()
	tellAll(updates, tell)
}

// dropAged forgets meetings that are over and whose record has aged out.
func (m *Meetings) dropAged(retention time.Duration, tell func(Update)) {
	if retention <= 0 {
		return
	}
	m.mu.Lock()
	var updates []Update
	for k, e := range m.entries {
		if e.over && time.Since(e.observed) > retention {
			updates = append(updates, Update{Kind: Dropped, Meeting: e.meeting(k)})
			delete(m.entries, k)
		}
	}
	m.mu.Unlock()
	tellAll(updates, tell)
}

func tellAll(updates []Update, tell func(Update)) {
	if tell == nil {
		return
	}
	for _, u := range updates {
		tell(u)
	}
}

func (m *Meetings) setStatus(s wire.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.statuses[s.Tenant] = s
}

// setWatching notes whether somebody looks at a shard.
func (m *Meetings) setWatching(p part, told loss) {
	defer m.stir()
	m.mu.Lock()
	defer m.mu.Unlock()
	if delete(m.losses, p); told.Lost {
		m.losses[p] = told
	}
}
