package worker

import (
	"context"
	"fmt"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/streak"
	"rollcall/internal/wait"
	"rollcall/wire"
	"rollcall/worker/summary"
)

// An ended meeting is told about once more, when DingTalk's list of its members was
// read. That this is still to come stands in its record, which is why no crash loses
// it. What was observed is read back from the events then: nothing has to be
// remembered of people until the end.

const (
	// summaryTried is for how long after an end the list is asked for; then what was
	// observed is told alone.
	summaryTried = 24 * time.Hour
	// summaryLate is after how long an end is told about no more, as where an
	// earlier version left it so.
	summaryLate = 48 * time.Hour
	// mostSummaries bounds how many meetings a pass asks for where no budget does.
	mostSummaries = 20
)

// summaries are the ended meetings of a shard that are still to be told about. They
// belong to the tenant's loop, as polling does.
type summaries struct {
	*scope
	meetings *meetings // it sees only their plan
	tries    map[string]*try
	trouble  streak.Log
}

// try is how often the list of a meeting was asked for, and when it is again.
type try struct {
	record *rollcall.Record
	count  int
	next   time.Time
}

func betweenTries() wait.Growth { return wait.Growth{First: time.Minute, Most: time.Hour} }

// due returns the meetings whose list is to be asked for now, and the records of
// those that are told about without one.
func (s *summaries) due(now time.Time, calls int) (ask []string, alone []*rollcall.Record) {
	most := mostSummaries
	if s.tenant.Budget != nil { // a list may take more than one call, which later passes are spared
		most = min(1, calls)
	}
	tries := make(map[string]*try)
	for _, r := range s.meetings.plan().summaries {
		t := s.tries[r.ConferenceID]
		if t == nil || t.record.Sequence != r.Sequence {
			t = &try{}
		}
		t.record, tries[r.ConferenceID] = r, t
		if now.Before(t.next) {
			continue
		}
		switch late := now.Sub(r.EndedAt) >= summaryTried; {
		case late:
			alone = append(alone, r)
		case len(ask) < most:
			ask = append(ask, r.ConferenceID)
		default:
			continue
		}
		t.next = now.Add(betweenTries().Step(t.count))
		t.count++
	}
	s.tries = tries
	return ask, alone
}

// tell makes of the members of an ended meeting what is known of it; false: it cannot
// be said yet. Sightings of other kinds stay as they are.
func (s *summaries) tell(ctx context.Context, sightings []rollcall.Sighting) bool {
	if len(sightings) != 1 { // members come alone
		return true
	}
	sighting := &sightings[0]
	if sighting.Kind != rollcall.SightingMembers {
		return true
	}
	t := s.tries[sighting.ConferenceID]
	if t == nil {
		return false
	}
	told, err := s.of(ctx, t.record, sighting.Members, true)
	s.trouble.Note(err)
	*sighting = told
	return err == nil
}

// of reads the meeting's events and joins them to the list.
func (s *summaries) of(ctx context.Context, r *rollcall.Record, members []rollcall.Member, complete bool) (rollcall.Sighting, error) {
	var seen summary.Observed
	err := s.cfg.Eraser.Events(ctx, s.tenant.Name, r.ConferenceID, func(m ledger.Raw) {
		if e, known, err := wire.ParseEvent(m.Data); known && err == nil && e.Epoch == r.Epoch {
			seen.Apply(&e)
		}
	})
	if err == nil && seen.Sequence != r.Sequence {
		err = fmt.Errorf("read the events of meeting %q: the last is %d, that of its record %d", r.ConferenceID, seen.Sequence, r.Sequence)
	}
	if err != nil {
		return rollcall.Sighting{}, err
	}
	return rollcall.Sighting{
		ConferenceID: r.ConferenceID, Kind: rollcall.SightingSummarized, Sequence: r.Sequence, Summary: summary.Of(r, &seen, members, complete),
	}, nil
}

// unsummarized reports whether the meeting has ended and is still to be told about.
// Of one that was over when it was first looked at its end is all there is to tell.
func (e *entry) unsummarized(now time.Time) bool {
	if e.tracked || e.record.None() || e.record.Untracked() || e.record.Status() != rollcall.StatusEnded {
		return false
	}
	r := e.record.Whole()
	return !r.Summarized && r.Sequence > 1 && now.Sub(r.EndedAt) < summaryLate
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
