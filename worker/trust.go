package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"rollcall/internal/ledger"
)

// trust is what may be believed of what a shard holds of the ledger: all of it,
// while
//
//   - the ledger has lately confirmed that this worker lives, and has been the
//     same one without a lapse,
//   - nobody seems to have claimed the shard after it, and
//   - every commit since was acknowledged.
//
// Where one of these does not hold [trust.verify] reads again what may have
// changed. All that is compared or committed comes after it. It belongs to the
// shard's goroutine.
type trust struct {
	*scope
	own      *ownership
	meetings *meetings
	readings *readings

	unclear  bool            // a commit was not acknowledged
	examined uint64          // stream sequence up to which records were held against events; 0: they were not
	torn     map[string]torn // meetings whose epoch cannot go on
	era      uint64          // how often the ledger had been replaced when the meetings were read
}

// verify makes sure that what is held may be believed.
func (tr *trust) verify(ctx context.Context) error {
	lapses, sure := tr.own.lapsed(), tr.own.sure()
	if sure && !tr.unclear {
		return nil
	}
	if !sure {
		if err := tr.lookWhoHolds(ctx); err != nil {
			return err
		}
	}
	if err := tr.examine(ctx); err != nil {
		return err
	}
	tr.own.verified(lapses)
	tr.unclear = false
	return nil
}

// makeSure verifies what is held after a commit that was not acknowledged, so
// that readers see what is true though nothing more is committed.
func (tr *trust) makeSure(ctx context.Context) {
	if tr.unclear && tr.meetings.known() {
		_ = tr.verify(ctx) // the next beat wakes the shard to do it again
		tr.meetings.makePlan()
	}
}

// lookWhoHolds reads the last claim, and discards every record, to be read again.
func (tr *trust) lookWhoHolds(ctx context.Context) error {
	if err := tr.ground.Look(ctx); err != nil {
		return err
	}
	claim, err := tr.holder(ctx)
	if err != nil {
		return err
	}
	tr.own.compare(claim)
	tr.own.compareWithRecords()
	tr.meetings.voidAll()
	return nil
}

// examine takes up what was stored since it did so last, and closes the epochs of
// meetings whose events stand beyond their record: the broker has stored a batch in part.
// It comes after every claim and after every commit that was not acknowledged, and before
// the next one.
func (tr *trust) examine(ctx context.Context) error {
	suspects, upTo, err := tr.suspects(ctx)
	if err != nil {
		return err
	}
	for id := range tr.torn { // could not be closed: what is stored since says nothing of it
		if tr.meetings.entries[id] == nil {
			delete(tr.torn, id)
			continue
		}
		suspects = append(suspects, id)
	}
	slices.Sort(suspects)
	suspects = slices.Compact(suspects)
	if err := tr.reload(ctx, tr.andAdrift(suspects), suspects); err != nil {
		return err
	}
	if err := tr.fix(ctx); err != nil {
		return err
	}
	tr.examined = max(tr.examined, upTo)
	return tr.rewrite(ctx)
}

// longTail is how many messages since are too many to be read: a meeting that has been
// quiet for long would have every claim read all that the others did meanwhile.
const longTail = 20_000

// suspects takes up what was stored since everything was known to be right, and returns
// the meetings that may have events beyond their record, and up to which stream sequence
// no others have. Everything before a claim has just been read when that is examined: if
// it is much, all meetings are held against their events instead of reading it again.
func (tr *trust) suspects(ctx context.Context) (ids []string, upTo uint64, err error) {
	from := max(tr.sound(), tr.examined)
	if term := tr.own.term(); term > from+longTail {
		from, ids = term, slices.Collect(maps.Keys(tr.meetings.entries))
	}
	tail, err := tr.cfg.Ledger.Tail(ctx, tr.tenant.Name, from)
	if err != nil {
		return nil, 0, err
	}
	tr.takeUp(&tail)
	for id, last := range tail.Events {
		if e := tr.meetings.entries[id]; e != nil && tr.mine(id) && last.Revision > max(e.record.Revision(), tail.Records[id].Revision) {
			ids = append(ids, id)
		}
	}
	return ids, max(from, tail.Last), nil
}

// andAdrift adds the meetings whose record and entry in the tracked set do not
// belong together: another worker has stored both between two readings, or the
// broker has stored a batch in part.
func (tr *trust) andAdrift(ids []string) []string {
	all := slices.Clone(ids)
	for id, e := range tr.meetings.entries {
		if _, found := slices.BinarySearch(ids, id); !found && e.adrift() {
			all = append(all, id)
		}
	}
	return all
}

// sound returns a stream sequence up to which no event stands beyond the record of
// its meeting. The holder of a shard commits nothing more to it before what was
// stored in part is fixed: so the last record that was written in a term comes
// before it. Records of several terms are those of several holders.
func (tr *trust) sound() uint64 {
	last := make(map[uint64]uint64) // by term
	for _, e := range tr.meetings.entries {
		if e.tracked && !e.record.None() {
			term := e.record.Number().Term
			last[term] = max(last[term], e.record.Revision())
		}
	}
	if len(last) == 0 && tr.own.term() == 0 {
		return tr.ground.End()
	}
	if len(last) == 0 {
		return tr.own.term()
	}
	least := uint64(0)
	for _, revision := range last {
		if least == 0 || revision < least {
			least = revision
		}
	}
	return least
}

// takeUp puts in what is newer than what is known of the tracked set and of records.
func (tr *trust) takeUp(tail *ledger.Tail) {
	for id, r := range tail.Records {
		if e := tr.meetings.entries[id]; tr.mine(id) && (e == nil || r.Revision > e.record.Revision()) {
			tr.keep(tr.meetings.entries, r)
		}
	}
	for id, t := range tail.Tracked {
		e := tr.meetings.entries[id]
		if !tr.mine(id) || e == nil && t.Gone || e != nil && t.Revision <= e.tracking.Revision {
			continue
		}
		tr.retrack(tr.meetings.entry(id), &t)
	}
}

// sourceRecovered marks meetings whose entry in the tracked set was garbage, or lost.
const sourceRecovered = "recovered"

// rewrite writes entries of the tracked set anew that were lost or could not be
// read, and removes those of meetings that are over.
func (tr *trust) rewrite(ctx context.Context) error {
	for id, e := range tr.meetings.entries {
		if e.tracking.Err == nil && !e.stray || !e.tracked && !e.stray || tr.own.term() == 0 {
			continue
		}
		msg, err := tr.untrackMessage(id), error(nil)
		if e.tracked {
			msg, err = tr.trackMessage(e.tracking)
		}
		if err == nil {
			err = tr.commitClaimed(ctx, msg)
		}
		if err != nil {
			return fmt.Errorf("write the entry of meeting %q in the tracked set anew: %w", id, err)
		}
		e.tracking.Err, e.stray = nil, false
	}
	return nil
}

// commitClaimed stores what no record guards, such as members of the tracked
// set: the ledger takes it only while the shard's claim is the last, so that
// the next claimant of the shard reads it, and nobody else changes the set.
func (tr *trust) commitClaimed(ctx context.Context, msgs ...ledger.Message) error {
	first := &msgs[0]
	first.Guarded, first.Expect, first.ExpectOf = true, tr.own.term(), tr.cfg.Names.Claim(tr.tenant.Name, tr.number)
	_, err := tr.cfg.Committer.Commit(ctx, msgs)
	for tries := 0; errors.Is(err, ledger.ErrUnknown) && tries < 3 && ctx.Err() == nil; tries++ {
		_, err = tr.cfg.Committer.Commit(ctx, msgs) // to say it twice is to say it once
	}
	tr.unclear = tr.unclear || err != nil
	if errors.Is(err, ledger.ErrStale) {
		tr.own.doubt = true
		return fmt.Errorf("%w: %w", ErrNotHeld, err)
	}
	return err
}

// moved reports whether what the shard holds belongs to a former ledger.
func (tr *trust) moved() bool { return tr.era != tr.ground.Replaced() }

// forget discards what was held of a ledger that no longer exists.
func (tr *trust) forget() {
	tr.era = tr.ground.Replaced()
	tr.own.forget()
	tr.meetings.put(nil)
	tr.torn, tr.unclear = nil, false
}
