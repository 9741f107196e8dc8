package poller

import (
	"context"
	"slices"
	"time"

	"rollcall"
)

// patience is how long the meetings of an answer wait for the exact times at
// which others of them ended.
const patience = 5 * time.Second

// answered emits what a query told about the ids, which are sorted.
func (r *run) answered(q question, ids []string, answers Answers) {
	r.refusals = 0
	r.report.Unasked += answers.Unasked
	r.acquit(ids)
	r.desk.welcome(ids)
	o := r.observation(q)
	o.Sightings = make([]rollcall.Sighting, 0, len(answers.Found))
	for i, found := range match(ids, answers) {
		switch {
		case len(found.Raw) > 0:
			o.Sightings = append(o.Sightings, r.sight(found))
		case found.ConferenceID == "" && answers.Complete:
			r.later = append(r.later, followUp{id: ids[i]})
		default:
			o.Unanswered = append(o.Unanswered, rollcall.Unanswered{ConferenceID: ids[i], Reason: ClassMalformed.String()})
			r.unanswered(ClassMalformed, ids[i])
		}
	}
	r.addEndTimes(o.Sightings)
	r.emit(o)
}

// match puts the entries of an answer beside the sorted ids. An id that was
// left out has no entry; one that is malformed has an entry without bytes.
func match(ids []string, answers Answers) []Found {
	entries := make([]Found, len(ids))
	for _, found := range answers.Found {
		if i, asked := slices.BinarySearch(ids, found.ConferenceID); asked {
			entries[i] = found
		}
	}
	for _, id := range answers.Malformed {
		if i, asked := slices.BinarySearch(ids, id); asked {
			entries[i] = Found{ConferenceID: id}
		}
	}
	return entries
}

func (r *run) sight(found Found) rollcall.Sighting {
	s := r.desk.sight(found, r.p.Source.Decode)
	if s.Answer == nil {
		r.report.Unchanged++
	}
	return s
}

// addEndTimes asks when the meetings ended that are said to have ended. They
// go without when that is not told soon.
func (r *run) addEndTimes(sightings []rollcall.Sighting) {
	deadline := time.Now().Add(patience)
	for i := range sightings {
		s := &sightings[i]
		if s.Answer == nil || s.Answer.Status != rollcall.StatusEnded {
			continue
		}
		if !time.Now().Before(deadline) {
			return
		}
		end, err := r.endTime(deadline, s.ConferenceID)
		if r.halt != nil || passing(ClassOf(err)) {
			return
		}
		s.EndTime = end
		r.desk.ended(s.ConferenceID, end)
	}
}

// observation begins the observation of a question.
func (r *run) observation(q question) rollcall.Observation {
	return rollcall.Observation{
		Tenant: r.p.Tenant, Shard: r.ask.Shard, Number: q.number,
		AskedAt: q.asked, AnsweredAt: q.answered,
	}
}

// emit hands an observation on, also when the pass is being ended.
func (r *run) emit(o rollcall.Observation) {
	if len(o.Sightings)+len(o.Unanswered) == 0 {
		return
	}
	if err := r.ask.Emit(context.WithoutCancel(r.ctx), o); err != nil {
		r.stop(ClassNone, err)
		return
	}
	r.report.Answered += len(o.Sightings)
}
