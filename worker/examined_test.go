package worker

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/wire"
)

// tails notes after which stream sequences a tail was read.
type tails struct {
	*ledgertest.Memory
	after []uint64
	fails error
}

func (l *tails) Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error) {
	if l.after = append(l.after, after); l.fails != nil {
		return ledger.Tail{}, l.fails
	}
	return l.Memory.Tail(ctx, tenant, after)
}

// shardOn returns the one shard of the one tenant of a worker that lives.
func shardOn(t *testing.T, names wire.Names, l Ledger, c Committer) *shard {
	t.Helper()
	w, err := New(Config{ID: "w1", Names: names, Ledger: l, Committer: c, Tenants: []Tenant{{Name: "acme"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.heart.Confirm(time.Now())
	return w.tenants[0].shards()[0]
}

// A meeting that nobody has asked about for days, as it is to start tomorrow, has
// the record of an old term: what came since is read once, and not at each lapse.
func TestWhatWasExaminedIsNotReadAgain(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := &tails{Memory: ledgertest.NewMemory(names)}
	s := shardOn(t, names, l, l.Memory)
	s.meetings.put(map[string]*entry{})
	for term, id := range []string{"old", "new"} {
		record := &rollcall.Record{Tenant: "acme", ConferenceID: id, Number: rollcall.Number{Term: uint64(term + 1), Poll: 1}}
		msg, err := s.recordMessage(record, 0)
		if err != nil {
			t.Fatal(err)
		}
		first, err := l.Commit(t.Context(), []ledger.Message{msg})
		if err != nil {
			t.Fatal(err)
		}
		e := s.meetings.entry(id)
		e.tracked = true
		e.record.Read(record, first)
	}
	for range 2 {
		if err := s.trust.examine(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(l.after, []uint64{1, 2}) {
		t.Errorf("tails were read after %d", l.after)
	}
}

// A claim does not read again what others did since a quiet meeting's record was
// written, and finds events that stand beyond a record all the same.
func TestALongTailIsNotRead(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := &tails{Memory: ledgertest.NewMemory(names)}
	s := shardOn(t, names, l, l.Memory)
	store := func(msgs ...ledger.Message) {
		t.Helper()
		if _, err := l.Commit(t.Context(), msgs); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"quiet", "torn"} {
		record := &rollcall.Record{Tenant: "acme", ConferenceID: id, Epoch: 1, Sequence: 1, Meeting: rollcall.Conference{Status: rollcall.StatusStarted}, Number: rollcall.Number{Term: 1, Poll: 1}}
		msg, err := s.recordMessage(record, 0)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := s.trackMessage(ledger.Tracking{ConferenceID: id, Source: "api"})
		if err != nil {
			t.Fatal(err)
		}
		store(msg, entry)
	}
	beyond := rollcall.Event{Type: rollcall.MeetingTitleChanged, Tenant: "acme", ConferenceID: "torn", Epoch: 1, Sequence: 2}
	store(ledger.Message{Subject: names.Event("acme", "torn", beyond.Type), Data: wire.AppendEvent(nil, &beyond)})
	for range longTail {
		store(ledger.Message{Subject: names.Status("beta")})
	}
	if err := s.claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	term := s.own.term()
	if term <= longTail || len(l.after) != 1 || l.after[0] != term {
		t.Errorf("tails were read after %d, the claim is %d", l.after, term)
	}
	if quiet, torn := &s.meetings.entries["quiet"].record, &s.meetings.entries["torn"].record; quiet.Untracked() || !torn.Untracked() {
		t.Errorf("the epoch of the quiet meeting is closed: %v, of the torn one: %v", quiet.Untracked(), torn.Untracked())
	}
}

// A claim after which the ledger could not be examined leaves records that were
// not held against their events: no answer that comes late is compared with them.
func TestAClaimThatWasNotExamined(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := &tails{Memory: ledgertest.NewMemory(names), fails: errors.New("away")}
	s := shardOn(t, names, l, l.Memory)
	if err := s.claim(t.Context()); !errors.Is(err, l.fails) {
		t.Fatal(err)
	}
	if err := s.trust.verify(t.Context()); !errors.Is(err, l.fails) {
		t.Errorf("what was read with the claim is trusted: %v", err)
	}
}

// overtaken writes a record under an older term as soon as the shard is claimed.
type overtaken struct {
	*ledgertest.Memory
	late ledger.Message
}

func (l *overtaken) Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error) {
	claim, err := l.Memory.Claim(ctx, tenant, shard, holder)
	if err == nil {
		_, err = l.Commit(ctx, []ledger.Message{l.late})
	}
	return claim, err
}

// Who held the shard before may write a record after the claim. What was asked
// under an earlier lease says nothing of which of the new one's answers come
// after it: the first of these counts.
func TestAClaimBeginsToCountItsQuestions(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := &overtaken{Memory: ledgertest.NewMemory(names)}
	s := shardOn(t, names, l, l.Memory)
	record := &rollcall.Record{Tenant: "acme", ConferenceID: "m", Epoch: 1, Meeting: rollcall.Conference{Status: rollcall.StatusStarted}}
	late, err := s.recordMessage(record, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.late = late
	tracked, err := s.trackMessage(ledger.Tracking{ConferenceID: "m", Source: "api", Since: time.Now().UTC()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(t.Context(), []ledger.Message{tracked}); err != nil {
		t.Fatal(err)
	}
	s.own.took(0, 0).polls.Store(100)
	if err := s.claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	answer := &rollcall.Answer{Listed: true, Status: rollcall.StatusStarted, Entries: []rollcall.Entry{{UserID: "ann", Attendance: rollcall.AttendancePresent}}}
	s.commits.process(t.Context(), &rollcall.Observation{
		Tenant: "acme", Number: s.own.held().next(), AskedAt: now, AnsweredAt: now,
		Sightings: []rollcall.Sighting{{ConferenceID: "m", Kind: rollcall.SightingListed, Answer: answer}},
	})
	if r := s.meetings.entries["m"].record.Whole(); len(r.Roster) != 1 {
		t.Errorf("the first answer of the lease was dropped: %+v", r)
	}
}
