package worker

import (
	"context"
	"time"

	"rollcall"
	"rollcall/internal/streak"
	"rollcall/internal/wait"
	"rollcall/poller"
)

// DingTalk's list of a meeting's members is read when the meeting has ended, for its
// summary, and where roles are wanted also after it has started or somebody has
// joined. That one is still to be read shows in the record, which is why no crash
// loses it.

const (
	// summaryTried is for how long the list is asked for once an end is known, be it
	// long after it; then what was observed is told alone.
	summaryTried = 24 * time.Hour
	// betweenLists is the least time between two readings of one meeting's list.
	betweenLists = time.Minute
	// mostLists bounds how many meetings a pass asks for where no budget does.
	mostLists = 20
	// RolesShare is the part of a budget's calls that the lists of meetings that go
	// on take at most.
	RolesShare = 0.2
)

// memberLists are the lists of members that a shard is still to read. They belong
// to the tenant's loop, as polling does.
type memberLists struct {
	*scope
	meetings *meetings // it sees only their plan
	tries    map[string]*try
	owed     float64 // calls that roles took beyond their share of a budget
	trouble  streak.Log
}

// try is how often the list of a meeting was asked for, and when it is again.
type try struct {
	ended *rollcall.Record // of the meeting that is over; nil: it goes on
	read  time.Time        // when the list of one that goes on was asked for successfully; zero: never
	count int
	next  time.Time
}

func betweenTries() wait.Growth { return wait.Growth{First: betweenLists, Most: time.Hour} }

func (t *try) again(now time.Time) {
	t.next = now.Add(betweenTries().Step(t.count))
	t.count++
}

func (t *try) undo() { t.next, t.count = time.Time{}, t.count-1 }

// due returns the meetings whose list is to be asked for now, first those that have
// ended, and the records of those that are told about without one.
func (m *memberLists) due(now time.Time, calls int) (ask []string, alone []*rollcall.Record) {
	most, plan := mostLists, m.meetings.plan()
	if m.tenant.Budget != nil { // a list may take more than one call, which later passes are spared
		most = min(1, calls)
	}
	before := m.tries
	m.tries = make(map[string]*try)
	for _, r := range plan.summaries {
		t := m.ended(before, r)
		switch {
		case now.Before(t.next):
			continue
		case now.Sub(r.ObservedAt) >= summaryTried:
			alone = append(alone, r)
		case len(ask) < most:
			ask = append(ask, r.ConferenceID)
		default:
			continue
		}
		t.again(now)
	}
	for _, g := range plan.grown {
		if t := m.grown(before, g, now); len(ask) < most && !now.Before(t.next) && m.owed <= 0 {
			ask = append(ask, g.id)
			t.again(now)
		}
	}
	return ask, alone
}

func (m *memberLists) ended(before map[string]*try, r *rollcall.Record) *try {
	t := before[r.ConferenceID]
	if t == nil || t.ended == nil || t.ended.Sequence != r.Sequence {
		t = &try{}
	}
	t.ended, m.tries[r.ConferenceID] = r, t
	return t
}

func (m *memberLists) grown(before map[string]*try, g growth, now time.Time) *try {
	t := before[g.id]
	if t == nil || t.ended != nil || !t.read.Equal(g.read) {
		t = &try{read: g.read}
		if !g.read.After(now) { // otherwise the clock was set back
			t.next = g.read.Add(betweenLists)
		}
	}
	m.tries[g.id] = t
	return t
}

// passed takes in what became of a pass that was to ask for these lists, and what it
// has cost: each call that asks about meetings lets roles have a part of one.
func (m *memberLists) passed(report *poller.Report, asked []string) {
	for _, id := range report.Unlisted {
		m.tries[id].undo()
	}
	if m.tenant.Budget == nil {
		return
	}
	m.owed = max(0, m.owed-float64(report.Calls-report.Listing)*RolesShare/(1-RolesShare))
	if len(asked) > 0 && m.tries[asked[0]].ended == nil {
		m.owed += float64(report.Listing)
	}
}

// tell makes of the members of an ended meeting what is known of it; false: it cannot
// be said yet. Sightings of other kinds, and members of a meeting that goes on, stay
// as they are.
func (m *memberLists) tell(ctx context.Context, sightings []rollcall.Sighting) bool {
	if len(sightings) != 1 { // members come alone
		return true
	}
	sighting := &sightings[0]
	if sighting.Kind != rollcall.SightingMembers {
		return true
	}
	t := m.tries[sighting.ConferenceID]
	if t == nil || t.ended == nil {
		return t != nil
	}
	told, err := m.summary(ctx, t.ended, sighting.Members, true)
	m.trouble.Note(err)
	*sighting = told
	return err == nil
}

// looksAt reports whether an observation shows who is in a meeting, or that it is over.
func looksAt(obs *rollcall.Observation) bool {
	for i := range obs.Sightings {
		if k := obs.Sightings[i].Kind; k != rollcall.SightingSummarized && k != rollcall.SightingMembers {
			return true
		}
	}
	return false
}
