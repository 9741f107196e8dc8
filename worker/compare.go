package worker

import (
	"go.uber.org/zap"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
)

// compare returns what has to be stored. A sighting that shows nothing new, or
// that is not newer than its record, yields none.
func (c *committer) compare(obs *rollcall.Observation, sightings []*rollcall.Sighting, draft *ledger.Draft) []pendingWrite {
	writes := make([]pendingWrite, 0, len(sightings))
	for _, sighting := range sightings {
		e := c.meetings.entries[sighting.ConferenceID]
		if why := c.passOver(obs, sighting, e); why != "" {
			c.metrics.dropped.WithLabelValues(c.tenant.Name, why).Inc()
			continue
		}
		w := pendingWrite{sighting: sighting, entry: e, obs: obs, prev: e.record.Whole(), result: c.diff(obs, sighting, e)}
		if !w.needed(c.own.term()) {
			e.record.LedBy(answerOf(sighting))
			if w.result.Record != nil {
				e.record.Confirmed(w.result.Record.ObservedAt)
			}
			continue
		}
		if err := c.encode(&w, draft); err != nil {
			c.meetings.refuse(sighting.ConferenceID, err)
			continue
		}
		c.meetings.grown.told(sighting.ConferenceID, obs.Number, w.result.Events)
		writes = append(writes, w)
	}
	return writes
}

// passOver says why a sighting is not compared; "" when it is.
func (c *committer) passOver(obs *rollcall.Observation, sighting *rollcall.Sighting, e *entry) string {
	switch {
	case e.aside(), c.trust.breaks(sighting.ConferenceID):
		return "set_aside"
	case e.refused.err != nil && e.record.None() && e.record.Revision() != 0:
		e.record.Void() // unreadable: read it again before the next answer
		return "set_aside"
	case !e.record.None() && !obs.Number.After(e.record.Number()) && !e.record.Foreign(obs.Number):
		if e.record.Number().Term > obs.Number.Term {
			c.late++
			if obs.Number.Term == c.own.term() {
				c.own.doubt, c.own.surpassed = true, true
			}
		}
		e.record.LedBy(nil)
		return "outdated"
	case c.foreign(obs.Number, e):
		c.log.Error("answer dropped: it was asked under another ledger",
			zap.String("meeting", sighting.ConferenceID), zap.Uint64("term", obs.Number.Term))
		return "foreign"
	case c.overlaps(obs.Number, e):
		c.late++
		e.record.LedBy(nil)
		return "overlapping"
	case !e.tracked && (e.record.None() || e.record.Untracked() && sighting.Kind != rollcall.SightingForgotten):
		return "untracked"
	}
	return ""
}

// foreign reports whether an answer was heard for another ledger: its term is the
// stream sequence of a claim, and this one has not come so far. Records that were
// copied from another stream bear its terms, and go on with what was heard there.
func (c *committer) foreign(n rollcall.Number, e *entry) bool {
	return n.Term > c.ground.End() && (e.record.None() || !e.record.Foreign(rollcall.Number{}))
}

// overlaps reports whether a record may come of a later question than an answer of a newer
// term: it was written after that term's claim by somebody who had not heard of it. Which
// questions had been asked by then is known of the shard's own term alone, and not of what
// a journal holds. An epoch that was closed holds nobody, and no answer is too old for it.
func (c *committer) overlaps(n rollcall.Number, e *entry) bool {
	return e.record.Overlaps(n.Term) && !e.record.Untracked() && (n.Term != c.own.term() || n.Poll <= e.known)
}

func (c *committer) diff(obs *rollcall.Observation, sighting *rollcall.Sighting, e *entry) differ.Result {
	answer := sighting.Answer // not to be set: the journal reads it meanwhile
	if sighting.Kind == rollcall.SightingListed && answer == nil {
		answer = c.tenant.Decode(sighting.Raw)
	}
	result := differ.Diff(e.record.Whole(), differ.Look{
		Tenant: c.tenant.Name, ConferenceID: sighting.ConferenceID,
		Kind: sighting.Kind, Answer: answer, StartTime: e.missed(sighting), EndTime: sighting.EndTime, Reason: sighting.Reason, Forgotten: sighting.Forgotten,
		Members: sighting.Members, Summary: sighting.Summary, Sequence: sighting.Sequence, Labels: e.labels(),
		Number: obs.Number, AskedAt: obs.AskedAt, AnsweredAt: obs.AnsweredAt, After: later(e.record.Asked(), sighting.SeenAt),
	}, c.tenant.rules())
	c.logUnknown(sighting.ConferenceID, result.Oddities)
	return result
}

// answerOf returns the bytes that say how the meeting is; nil: they do not say it
// in full, as where it has ended.
func answerOf(sighting *rollcall.Sighting) []byte {
	if sighting.Kind != rollcall.SightingListed {
		return nil
	}
	return sighting.Raw
}

// maxOdd bounds how many unknown values are remembered as logged.
const maxOdd = 1000

func (c *committer) logUnknown(id string, odd []rollcall.Oddity) {
	for _, o := range odd {
		c.metrics.odd.WithLabelValues(c.tenant.Name, o.Field).Inc()
		if c.odd[o] || len(c.odd) >= maxOdd {
			continue
		}
		c.odd[o] = true
		c.log.Warn("unrecognised value in an answer: it is ignored, counted, and not logged again",
			zap.String("meeting", id), zap.String("field", o.Field), zap.String("value", o.Value))
	}
}
