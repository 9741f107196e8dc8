package worker

import (
	"fmt"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/publisher"
	"rollcall/store"
)

// step is what one sighting changes: the next record, and the messages that
// say so.
type step struct {
	sighting *rollcall.Sighting
	entry    *entry
	obs      *rollcall.Observation
	prev     *rollcall.Record
	result   differ.Result
	tracked  bool // whether the meeting is tracked afterwards

	draft *ledger.Draft // the messages are those from first to end of it
	first int
	end   int
	size  int // of all messages, in bytes
}

// messages are the events, the record, and what joins or leaves the tracked set.
func (st *step) messages() []ledger.Message { return st.draft.Messages[st.first:st.end:st.end] }

func (st *step) events() []ledger.Message { return st.messages()[:len(st.result.Events)] }

func (st *step) record() ledger.Message { return st.messages()[len(st.result.Events)] }

func (st *step) extra() []ledger.Message { return st.messages()[len(st.result.Events)+1:] }

// compare gives the steps that have to be stored. A sighting that tells
// nothing new, or that is not newer than its record, yields none.
func (s *shard) compare(obs *rollcall.Observation, sightings []*rollcall.Sighting, draft *ledger.Draft) []step {
	steps := make([]step, 0, len(sightings))
	for _, sighting := range sightings {
		e := s.entries[sighting.ConferenceID]
		if why := s.passOver(obs, sighting, e); why != "" {
			s.w.metrics.dropped.WithLabelValues(s.tenant.cfg.Name, why).Inc()
			continue
		}
		st := step{sighting: sighting, entry: e, obs: obs, prev: e.record.Whole(), result: s.diff(obs, sighting, e)}
		if !st.needed(s.term) {
			e.saw(sighting, st.result.Record)
			continue
		}
		if err := s.encode(&st, draft); err != nil {
			s.refuse(e, sighting.ConferenceID, err)
			continue
		}
		steps = append(steps, st)
	}
	return steps
}

// passOver says why a sighting is not compared; "" when it is.
func (s *shard) passOver(obs *rollcall.Observation, sighting *rollcall.Sighting, e *entry) string {
	switch {
	case e.refused.err != nil && time.Now().Before(e.refused.until):
		return "set_aside"
	case e.refused.err != nil && e.record.None() && e.record.Revision() != 0:
		e.record.Void() // unreadable: read it again before the next answer
		return "set_aside"
	case !e.record.None() && !obs.Number.After(e.record.Number()) && !e.record.Foreign(obs.Number):
		if e.record.Number().Term > obs.Number.Term {
			s.late++
			if obs.Number.Term == s.term {
				s.doubt, s.surpassed = true, true
			}
		}
		e.record.LedBy(nil)
		return "outdated"
	case s.foreign(obs.Number, e):
		s.log.Error("an answer was heard for another ledger; it is given up",
			zap.String("meeting", sighting.ConferenceID), zap.Uint64("term", obs.Number.Term))
		return "foreign"
	case e.record.Overlaps(s.term) && obs.Number.Term == s.term && obs.Number.Poll <= e.known:
		e.record.LedBy(nil)
		return "overlapping"
	case !e.tracked && (e.record.None() || e.record.Untracked()):
		return "untracked"
	}
	return ""
}

func (s *shard) diff(obs *rollcall.Observation, sighting *rollcall.Sighting, e *entry) differ.Result {
	answer := sighting.Answer // not to be set: the journal reads it meanwhile
	if sighting.Kind == rollcall.SightingListed && answer == nil {
		answer = s.tenant.cfg.Decode(sighting.Raw)
	}
	result := differ.Diff(e.record.Whole(), differ.Look{
		Tenant: s.tenant.cfg.Name, ConferenceID: sighting.ConferenceID,
		Kind: sighting.Kind, Answer: answer, EndTime: sighting.EndTime, Reason: sighting.Reason, Labels: e.labels(),
		Number: obs.Number, AskedAt: obs.AskedAt, AnsweredAt: obs.AnsweredAt, After: later(e.record.Asked(), sighting.SeenAt),
	}, differ.Rules{MissingAfterPolls: s.tenant.cfg.MissingAfterPolls, OmitNicks: s.tenant.cfg.OmitNicks})
	s.tellOdd(sighting.ConferenceID, result.Oddities)
	return result
}

// omit keeps the names of people out of the journal; of records and events the
// comparison keeps them.
func (s *shard) omit(obs *rollcall.Observation) {
	for i := range obs.Sightings {
		if answer := obs.Sightings[i].Answer; s.tenant.cfg.OmitNicks && answer != nil {
			for j := range answer.Entries {
				answer.Entries[j].Nick = ""
			}
		}
	}
}

// maxOdd bounds how many kinds of oddities are remembered as told.
const maxOdd = 1000

func (s *shard) tellOdd(id string, odd []rollcall.Oddity) {
	for _, o := range odd {
		s.w.metrics.odd.WithLabelValues(s.tenant.cfg.Name, o.Field).Inc()
		if s.odd[o] || len(s.odd) >= maxOdd {
			continue
		}
		s.odd[o] = true
		s.log.Warn("an answer holds a value without a meaning; it is ignored, counted, and not logged again",
			zap.String("meeting", id), zap.String("field", o.Field), zap.String("value", o.Value))
	}
}

// needed reports whether the step has to be stored. The first answer of a
// term writes the record anew, changed or not: that fences whoever held the
// shard before.
func (st *step) needed(term uint64) bool {
	if st.result.Record == nil {
		return false
	}
	// An ended meeting that was tracked once more has given its answer, and
	// what another worker untracked may still count as tracked here.
	again := st.entry.tracked && (st.result.Record.Meeting.Status == rollcall.StatusEnded || st.sighting.Kind == rollcall.SightingUntracked)
	return st.result.Changed || st.prev == nil || again || st.obs.Number.Term == term && !st.entry.record.Fenced()
}

// saw notes an answer that changed nothing, and the record it leads to.
func (e *entry) saw(sighting *rollcall.Sighting, record *rollcall.Record) {
	e.record.LedBy(nil)
	if sighting.Kind == rollcall.SightingListed {
		e.record.LedBy(sighting.Raw)
	}
	if record != nil {
		e.record.Confirmed(record.ObservedAt)
	}
}

// encode adds the messages of a step to the draft.
func (s *shard) encode(st *step, draft *ledger.Draft) error {
	st.draft, st.first = draft, len(draft.Messages)
	err := s.encodeAll(st)
	if err != nil {
		draft.Messages = draft.Messages[:st.first]
		return err
	}
	st.end = len(draft.Messages)
	st.size = s.size(st.messages()...)
	return nil
}

func (s *shard) encodeAll(st *step) error {
	if err := publisher.DraftEvents(st.draft, s.w.cfg.Names, st.result.Events); err != nil {
		return fmt.Errorf("encode events: %w", err)
	}
	if err := s.encodeRecord(st.draft, st.result.Record, st.entry.record.Revision()); err != nil {
		return err
	}
	return s.encodeTracking(st)
}

// encodeRecord lets the record of a meeting that is over age out, unless the
// configuration still names it: then it must be known not to ask again.
func (s *shard) encodeRecord(draft *ledger.Draft, r *rollcall.Record, expect uint64) error {
	ended := r.Meeting.Status == rollcall.StatusEnded
	keep := !r.Untracked && (!ended || s.tenant.named[r.ConferenceID])
	if err := store.DraftRecord(draft, s.w.cfg.Names, r, expect, keep); err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	return nil
}

// recordMessage is encodeRecord for a message of its own.
func (s *shard) recordMessage(r *rollcall.Record, expect uint64) (ledger.Message, error) {
	var own ledger.Draft
	if err := s.encodeRecord(&own, r, expect); err != nil {
		return ledger.Message{}, err
	}
	return own.Messages[0], nil
}

// encodeTracking lets a meeting that is over leave the tracked set, and one
// that was reopened come back, in the batch that says so.
func (s *shard) encodeTracking(st *step) error {
	names, name, next := s.w.cfg.Names, s.tenant.cfg.Name, st.result.Record
	// A meeting that is tracked again keeps its old record until it is seen.
	again := st.entry.tracked && st.prev != nil && st.prev.Untracked && next.Untracked && next.Epoch == st.prev.Epoch &&
		st.sighting.Kind != rollcall.SightingUntracked
	over := next.Untracked && !again || next.Meeting.Status == rollcall.StatusEnded
	st.tracked = !over
	switch {
	case over && st.entry.tracked:
		st.draft.Messages = append(st.draft.Messages, store.UntrackMessage(names, name, next.ConferenceID))
	case !over && !st.entry.tracked:
		if st.entry.tracking.ConferenceID == "" {
			st.entry.tracking = ledger.Tracking{ConferenceID: next.ConferenceID, Source: "reopened", Since: st.obs.AnsweredAt.UTC(), Labels: next.Labels}
		}
		msg, err := store.TrackMessage(names, name, st.entry.tracking)
		if err != nil {
			return fmt.Errorf("encode tracking: %w", err)
		}
		st.draft.Messages = append(st.draft.Messages, msg)
	}
	return nil
}
