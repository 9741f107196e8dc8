package worker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// readFirst reads what is stored of the shard without a claim, once it is known
// which ledger that is. It is examined before anything is compared with it.
func (tr *trust) readFirst(ctx context.Context) error {
	if !tr.ground.Position().Known() {
		if err := tr.ground.Look(ctx); err != nil {
			return err
		}
	}
	entries, err := tr.read(ctx)
	if err == nil {
		tr.put(entries)
	}
	return err
}

// readClaimed reads what is stored of the shard after it was claimed, and
// examines it. What is read after a claim can only be changed by somebody whose
// term is lower, and the compare-and-swap catches that.
func (tr *trust) readClaimed(ctx context.Context, term, lapses uint64) (*lease, error) {
	entries, err := tr.read(ctx)
	if err != nil {
		return nil, err
	}
	l := tr.own.took(term, lapses)
	tr.put(entries)
	tr.ground.Note(tr.era, term)
	if err := tr.examine(ctx); err != nil {
		return nil, err
	}
	tr.unclear = false
	return l, nil
}

// put takes what was read of all meetings, which is still to be examined.
func (tr *trust) put(entries map[string]*entry) {
	for _, e := range entries {
		e.known = tr.own.questions()
	}
	tr.meetings.put(entries)
	tr.examined, tr.unclear = 0, true
}

// read returns the entries of the shard: its tracked meetings and those that
// the configuration names, that vanished lately or that are to be summarized. The tracked set comes last:
// a worker that still writes records puts meetings back into it with them.
func (tr *trust) read(ctx context.Context) (map[string]*entry, error) {
	all, err := tr.readings.get(ctx)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*entry, len(all.tracked))
	for _, t := range all.tracked {
		if tr.mine(t.ConferenceID) {
			e := &entry{kept: t.Looked} // without a record it is still to be held against its events
			tr.retrack(e, &t)
			entries[t.ConferenceID] = e
		}
	}
	for _, r := range all.records {
		if tr.mine(r.ConferenceID) {
			tr.keep(entries, r)
		}
	}
	return entries, nil
}

// keep puts a stored record into entries where it is of use. Of a meeting that
// goes on and is not in the tracked set both are read again, by [trust.examine].
func (tr *trust) keep(entries map[string]*entry, r ledger.Stored) {
	e := entries[r.ConferenceID]
	fresh := e == nil
	if fresh {
		e = &entry{}
	}
	if fresh || r.Revision != e.record.Revision() {
		e.known = tr.own.questions()
	}
	e.record.Read(r.Record, r.Revision)
	tr.meetings.grown.found(r.ConferenceID, r.Record)
	if e.tracked {
		tr.retrack(e, &e.tracking)
	}
	if r.Err != nil {
		e.record.Void() // it is mended before the next answer
	}
	if fresh && (tr.named[r.ConferenceID] || e.watched(time.Now()) || tr.meetings.awaits(e, time.Now()) || e.adrift()) {
		entries[r.ConferenceID] = e
	}
}

// retrack takes up whether the meeting is tracked, as read with its record: it may
// have been changed under another claim, or by a commit whose answer was lost.
func (tr *trust) retrack(e *entry, t *ledger.Tracking) {
	// The record of an end came with what took the entry away: the broker has
	// stored that in part, or was killed and has brought it back.
	e.stray = t != nil && !t.Gone && e.record.Over() && t.Revision < e.record.Revision()
	tracked := t != nil && !t.Gone && !e.stray && tr.readable(t)
	if tracked {
		e.tracking = *t
	}
	tr.meetings.setTracked(e, tracked)
}

// readable reports whether an entry of the tracked set may be taken for one. What
// is garbage says at least that its meeting is tracked; it is written anew.
func (tr *trust) readable(t *ledger.Tracking) bool {
	switch {
	case errors.Is(t.Err, wire.ErrNewerSchema):
		tr.log.Error("tracked entry skipped: it is of a newer version, and its meeting is not asked about",
			zap.String("meeting", t.ConferenceID), zap.Error(t.Err))
		return false
	case t.Err != nil && t.Source == "":
		tr.log.Warn("an entry of the tracked set cannot be read; the meeting is tracked all the same",
			zap.String("meeting", t.ConferenceID), zap.Error(t.Err))
		tr.metrics.unreadable.WithLabelValues(tr.tenant.Name, "tracking").Inc()
		t.Source, t.Since = sourceRecovered, time.Now().UTC()
	}
	return true
}

// load reads, in one request, the records that are not known.
func (tr *trust) load(ctx context.Context, ids iter.Seq[string]) error {
	var unread []string
	for id := range ids {
		if !tr.meetings.entry(id).record.Loaded() {
			unread = append(unread, id)
		}
	}
	if err := tr.reload(ctx, unread, nil); err != nil {
		return err
	}
	return tr.fix(ctx)
}

// reload reads the records of these meetings. Those without a record, and the
// suspects, are held against their last event: an epoch whose events stand
// beyond its record is closed by [trust.fix].
func (tr *trust) reload(ctx context.Context, ids, suspects []string) error {
	if len(ids) == 0 {
		return nil
	}
	stored, err := tr.cfg.Ledger.Load(ctx, tr.tenant.Name, ids)
	if err != nil {
		return fmt.Errorf("read %d records: %w", len(ids), err)
	}
	doubtful := slices.Clone(suspects)
	for _, id := range ids {
		record := stored[id]
		found, e := record.Revision > 0, tr.meetings.entries[id]
		if found && record.Revision < e.record.Revision() {
			why := fmt.Errorf("read the record of meeting %q: the answer is older than what was known", id)
			return tr.ground.Lags(ctx, tr.records(), why, tr.era)
		}
		if record.Revision != e.record.Revision() {
			e.known = tr.own.questions()
		}
		e.record.Read(record.Record, record.Revision)
		tr.meetings.grown.found(id, record.Record)
		tr.retrack(e, e.paired(id, record.Tracking))
		if !found || record.Err != nil || e.stray {
			doubtful = append(doubtful, id)
		}
	}
	tr.ground.Right(tr.records())
	if err := tr.holdAgainstEvents(ctx, doubtful, stored); err != nil {
		tr.meetings.void(doubtful...)
		return err
	}
	return nil
}
