package poller

import (
	"context"
	"slices"

	"rollcall"
)

// queries asks about meetings by the batch query.
type queries struct {
	run      *run
	healthy  []string // sorted; asked about in batches
	suspects []string // spoiled a batch before; asked about one by one
	failures int      // queries in a row that failed though they were tried again
	answered int      // queries of this pass that were answered
	largest  int      // meetings in an answer that left some out
}

// mostFailures is how many queries in a row may fail before a pass gives up.
const mostFailures = 3

// all asks about all meetings. A pass that gave up before it had asked about the
// healthy ones is followed by one that begins with the others.
func (q *queries) all() {
	shard := q.run.shard
	start, _ := slices.BinarySearch(q.healthy, shard.resumeAt)
	shard.resumeAt = ""
	q.batches(q.healthy[start:])
	q.batches(q.healthy[:start])
	for i := range q.suspects {
		q.suspect(q.suspects[i : i+1])
	}
}

// batches asks about meetings together, and searches what is refused.
func (q *queries) batches(ids []string) {
	for len(ids) > 0 {
		v := volley{queries: q, ids: ids}
		v.fire()
		ids = v.ids
		for _, batch := range v.refused {
			q.run.ended.probes = 0
			q.search(batch)
		}
	}
}

// suspect asks about one that spoiled a batch before. Whatever it fails with, it
// waits longer the next time.
func (q *queries) suspect(id []string) {
	q.run.refused.refusals = 0
	if v, class, err := q.ask(id, nil); v == spoiled {
		q.run.ended.search(id, class)
	} else if v != accepted && q.run.calls.stopped == nil {
		q.run.isolate(id[0], class, err)
	}
}

// batch asks about some meetings with one query, or with several smaller ones
// where that one is refused.
func (q *queries) batch(ids []string) {
	ids = q.run.refused.unsampled(ids)
	if len(ids) == 0 {
		return
	}
	said, class, err := q.ask(ids, nil)
	q.search(refusedBatch{ids, said, class, err})
}

// search finds the meetings that a batch was refused because of.
func (q *queries) search(b refusedBatch) {
	switch b.verdict {
	case spoiled:
		if rest := q.run.refused.unsampled(b.ids); len(rest) > 0 {
			q.run.ended.search(rest, b.class)
		}
	case rejected:
		q.run.refused.search(b.ids, b.err)
	}
}

// verdict is what became of a query.
type verdict uint8

const (
	failed   verdict = iota // nothing is known of its meetings, and that is noted
	accepted                // its answer is emitted
	spoiled                 // by some of its meetings that are over; nothing is noted
	rejected                // because of some of its ids, or the asker; nothing is noted
)

// ask puts one query, and emits its answer. sent is called, with the turn, when it
// goes out; nil: nobody wants to know.
func (q *queries) ask(ids []string, sent func()) (verdict, Class, error) {
	if r := q.run.calls.forbids(OpQuery); r != nil {
		q.run.tally.skipped(r, ids...)
		return failed, r.class, r.err
	}
	asked, answers, err := q.query(ids, sent)
	class := ClassOf(err)
	switch {
	case err == nil:
		q.take(asked, ids, answers)
		return accepted, class, nil
	case q.run.calls.stopped != nil:
		q.run.tally.skipped(q.run.calls.stopped, ids...)
	case class == ClassEnded || class == ClassUnknown:
		return spoiled, class, err
	case class == ClassBadRequest:
		return rejected, class, err
	default:
		q.run.tally.unanswered(class, ids...)
	}
	return failed, class, err
}

// query makes the call. Queries that fail in a row in spite of a second try end
// the pass.
func (q *queries) query(ids []string, sent func()) (asked question, answers Answers, err error) {
	err = q.run.calls.callTwice(OpQuery, func(ctx context.Context) error {
		if sent != nil {
			q.run.calls.turn.back(sent)
		}
		return q.run.numbered(&asked, func() (err error) {
			answers, err = q.refresh(ctx, ids)
			return err
		})
	})
	q.count(err)
	return asked, answers, err
}

// refresh puts a query, with what is known already where that is of use.
func (q *queries) refresh(ctx context.Context, ids []string) (Answers, error) {
	source, can := q.run.poller.Source.(Refresher)
	if !can {
		return q.run.poller.Source.Query(ctx, ids)
	}
	var known [][]byte
	q.run.calls.turn.back(func() { known = q.run.shard.answers.known(ids) })
	return source.Refresh(ctx, ids, known)
}

// count follows the queries that fail in a row, and ends the pass when they are
// too many.
func (q *queries) count(err error) {
	class := ClassOf(err)
	switch {
	case q.run.calls.stopped != nil:
	case !passing(class):
		q.failures = 0
	default:
		q.failures++
		q.run.tally.blame(class, err)
		if q.failures >= mostFailures {
			q.run.calls.stop(class, err)
		}
	}
}

// take emits what a query said about the ids, which are sorted.
func (q *queries) take(asked question, ids []string, answers Answers) {
	r := q.run
	r.tally.Unasked += answers.Unasked
	q.answered++
	r.refused.accepted(ids)
	r.shard.accepted(ids)
	o := r.observation(asked)
	o.Sightings = make([]rollcall.Sighting, 0, len(answers.Found))
	entries := match(ids, answers)
	there := present(ids, entries)
	r.release(there...)
	if answers.Complete && len(there) < len(ids) {
		q.largest = max(q.largest, len(there))
	}
	for i := range entries {
		found := &entries[i]
		switch {
		case len(found.Raw) > 0:
			q.takeFound(&o, asked, found, answers.Detached)
		case found.ConferenceID == "" && answers.Complete:
			r.lookups.leftOut(ids[i])
		default:
			o.Unanswered = append(o.Unanswered, rollcall.Unanswered{ConferenceID: ids[i], Reason: ClassMalformed.String()})
			r.tally.unanswered(ClassMalformed, ids[i])
		}
	}
	r.emit(o)
}

// takeFound takes what an answer says of one meeting. An end waits for its time.
func (q *queries) takeFound(o *rollcall.Observation, asked question, found *Found, detached bool) {
	r := q.run
	s := r.shard.answers.sight(found, detached, r.poller.Source)
	delete(r.shard.lookups, found.ConferenceID)
	switch {
	case s.Answer == nil:
		r.tally.Unchanged++
	case s.Answer.Status == rollcall.StatusEnded:
		r.lookups.ended(asked, s)
		return
	}
	o.Sightings = append(o.Sightings, s)
}
