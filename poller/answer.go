package poller

import (
	"context"
	"slices"

	"rollcall"
)

// answered emits what a query told about the ids, which are sorted.
func (r *run) answered(q question, ids []string, answers Answers) {
	r.refusals, r.desk.refusals = 0, 0
	r.report.Unasked += answers.Unasked
	r.queries++
	r.witness = ids[0]
	r.desk.welcome(ids)
	o := r.observation(q)
	o.Sightings = make([]rollcall.Sighting, 0, len(answers.Found))
	entries := match(ids, answers)
	there := present(ids, entries)
	r.acquit(there)
	if answers.Complete && len(there) < len(ids) {
		r.largest = max(r.largest, len(there))
	}
	for i := range entries {
		found := &entries[i]
		switch {
		case len(found.Raw) > 0:
			r.listed(&o, q, found, answers.Detached)
		case found.ConferenceID == "" && answers.Complete:
			r.leftOut(ids[i])
		default:
			o.Unanswered = append(o.Unanswered, rollcall.Unanswered{ConferenceID: ids[i], Reason: ClassMalformed.String()})
			r.unanswered(ClassMalformed, ids[i])
		}
	}
	r.emit(o)
}

// present gives those of the ids that have an entry: who is left out has still
// to show that a lookup is not refused.
func present(ids []string, entries []Found) []string {
	if !slices.ContainsFunc(entries, func(f Found) bool { return f.ConferenceID == "" }) {
		return ids
	}
	var there []string
	for i := range entries {
		if entries[i].ConferenceID != "" {
			there = append(there, ids[i])
		}
	}
	return there
}

// leftOut takes up a meeting that is not in a complete answer: it is looked up,
// unless a lookup told a while ago what to make of that.
func (r *run) leftOut(id string) {
	l := r.desk.lone[id]
	switch {
	case l == nil || !l.rests(r.p.now()):
		r.later = append(r.later, followUp{id: id})
	case l.failing():
		r.unanswered(l.class, id)
	default:
		r.known = true
		r.unanswered(ClassNone, id)
	}
}

// listed takes up what an answer says of one meeting.
func (r *run) listed(o *rollcall.Observation, q question, found *Found, detached bool) {
	s := r.sight(found, detached)
	delete(r.desk.lone, found.ConferenceID)
	if s.Answer != nil && s.Answer.Status == rollcall.StatusEnded {
		r.await(q, s)
		return
	}
	o.Sightings = append(o.Sightings, s)
}

// match puts the entries of an answer beside the sorted ids. An id that was
// left out has no entry; one that is malformed has an entry without bytes.
func match(ids []string, answers Answers) []Found {
	if matched(ids, answers) {
		return answers.Found
	}
	entries := make([]Found, len(ids))
	next := 0 // most answers keep the order
	for _, found := range answers.Found {
		if i, asked := indexOf(ids, found.ConferenceID, next); asked {
			entries[i], next = found, i+1
		}
	}
	for _, id := range answers.Malformed {
		if i, asked := indexOf(ids, id, next); asked {
			entries[i] = Found{ConferenceID: id}
		}
	}
	return entries
}

// matched reports whether the entries stand beside the ids already, as they
// mostly do.
func matched(ids []string, answers Answers) bool {
	if len(answers.Found) != len(ids) || len(answers.Malformed) > 0 {
		return false
	}
	for i := range ids {
		if answers.Found[i].ConferenceID != ids[i] {
			return false
		}
	}
	return true
}

// indexOf finds an id among sorted ones, at once if it stands at the likely place.
func indexOf(ids []string, id string, likely int) (i int, found bool) {
	if likely < len(ids) && ids[likely] == id {
		return likely, true
	}
	return slices.BinarySearch(ids, id)
}

func (r *run) sight(found *Found, detached bool) rollcall.Sighting {
	s := r.desk.sight(found, detached, r.p.Source)
	if s.Answer == nil {
		r.report.Unchanged++
	}
	return s
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
