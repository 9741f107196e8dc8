// Package ledgertest is the contract of a ledger: what every one must do that
// the worker may stand on; and a ledger in memory, for tests. It and the ledger
// on JetStream are held to the same cases, so that what is tested on the one is
// true of the other.
package ledgertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/wire"
)

// Ledger is what the contract is about.
type Ledger interface {
	Commit(ctx context.Context, msgs []ledger.Message) (first uint64, err error)
	PutStatus(ctx context.Context, tenant string, s wire.Status) error
	Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error)
	Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error)
	Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error)
	LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error)
	Tracked(ctx context.Context, tenant string) ([]ledger.Tracking, error)
	Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error)
	LastEvents(ctx context.Context, tenant string, ids []string) (map[string]ledger.Last, error)
	Events(ctx context.Context, tenant, conferenceID string, take func(ledger.Raw)) error
	Erase(ctx context.Context, sequence uint64) error
	Position(ctx context.Context) (ledger.Position, error)
	Renew(ctx context.Context) error
	Shards(ctx context.Context, tenants []string) (map[string]ledger.Shards, error)
	SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (ledger.Shards, error)
	Watching(ctx context.Context, tenant string) (ledger.Watch, error)
	Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error
	Leave(ctx context.Context, id string) error
	Members(ctx context.Context) ([]ledger.Member, error)
	ReadBudget(ctx context.Context, tenant, key string) (data []byte, revision uint64, written time.Time, err error)
	WriteBudget(ctx context.Context, tenant, key string, data []byte, expect uint64) (revision uint64, err error)
	Budgets(ctx context.Context, key string) (map[string][]byte, error)
}

// RecordMessage makes the message that stores a record, as [ledger.DraftRecord]
// does.
func RecordMessage(n wire.Names, r *rollcall.Record, expect uint64, keep bool) (ledger.Message, error) {
	var d ledger.Draft
	if err := ledger.DraftRecord(&d, n, r, expect, keep); err != nil {
		return ledger.Message{}, err
	}
	return d.Messages[0], nil
}

// Case is one clause of the contract. Every case wants a ledger of its own,
// empty, whose messages age out after Retention (0: they need not).
type Case struct {
	Name      string
	Retention time.Duration
	Run       func(t *testing.T, l Ledger, n wire.Names)
}

// Cases lists the contract. A case may run in a synctest bubble.
func Cases() []Case {
	return []Case{
		{"a guard holds only for the revision it names", 0, guards},
		{"one stale guard refuses the whole batch", 0, atomicity},
		{"a guard on a claim holds only while it is the last", 0, claimGuard},
		{"a batch that was stored is not stored again", 0, resend},
		{"a batch lies together and Commit says where", 0, contiguity},
		{"batches of concurrent writers do not mingle", 0, concurrency},
		{"a record replaces the one before", 0, rollup},
		{"the tracked set forgets what was untracked", 0, tracking},
		{"what is kept outlives the retention", time.Second, keeping},
		{"a claim raises the term", 0, claims},
		{"only one wins a race for a shard", 0, claimRace},
		{"Load reads thousands and leaves out the absent", 0, load},
		{"LoadAll reads the tenant and nobody else", 0, loadAll},
		{"Load tells the entry in the tracked set with the record", 0, loadTracking},
		{"the number of shards changes from one that is known", 0, shards},
		{"the watch of a shard is told once and under its claim", 0, watching},
		{"any id is safe", 0, hostileIDs},
		{"the tail is what came after", 0, tail},
		{"the tail of one tenant does not wait for another", 0, tailOfTwo},
		{"the last event of a meeting is found", 0, lastEvents},
		{"what is erased is read no more, and the rest is", 0, erasing},
		{"a position grows, and renewing keeps it", 0, position},
		{"garbage in a claim stands in nobody's way", 0, garbageClaim},
		{"an entry of the tracked set speaks of its own meeting", 0, garbageTracking},
		{"what cannot be read is said per meeting", 0, unreadable},
		{"workers come, stay, leave and expire", 0, members},
		{"1,000 messages are a batch, 1,001 are not", 0, count},
		{"too large is refused and named", 0, size},
		{"a status replaces the one before", 0, status},
		{"a cancelled context stores nothing", 0, cancelled},
		{"a budget is written once for each revision", 0, budgetGuard},
		{"one of many writers of a budget wins", 0, budgetRace},
		{"a budget outlives the retention", time.Second, budgetKeeping},
		{"the budgets of all tenants are read at once", 0, budgetList},
	}
}

const tenant = "acme"

func context1m(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func sample(id string) *rollcall.Record {
	return &rollcall.Record{
		Tenant: tenant, ConferenceID: id, Epoch: 1700000000000, Sequence: 1,
		ObservedAt: time.UnixMilli(1700000000001).UTC(), Number: rollcall.Number{Term: 1, Poll: 1},
		Meeting: rollcall.Conference{Title: "Weekly", Status: rollcall.StatusStarted, Present: 1},
		Roster: []rollcall.Participant{{
			Key: "u1", UserID: "u1", Nick: "Ann", Attendance: rollcall.AttendancePresent,
			Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 1,
		}},
	}
}

func record(t *testing.T, n wire.Names, id string, expect uint64, keep bool) ledger.Message {
	t.Helper()
	msg, err := RecordMessage(n, sample(id), expect, keep)
	if err != nil {
		t.Fatalf("make the record of %q: %v", id, err)
	}
	return msg
}

func event(n wire.Names, id string) ledger.Message {
	return ledger.Message{Subject: n.Event(tenant, id, rollcall.ParticipantJoined), Data: []byte(`{}`)}
}

func track(t *testing.T, n wire.Names, id string) ledger.Message {
	t.Helper()
	msg, err := ledger.TrackMessage(n, tenant, ledger.Tracking{ConferenceID: id, Source: "api", Since: time.UnixMilli(1700000000000).UTC(), Labels: rollcall.Labels{"team": "blue"}})
	if err != nil {
		t.Fatalf("make the tracking of %q: %v", id, err)
	}
	return msg
}

func commit(t *testing.T, l Ledger, msgs ...ledger.Message) uint64 {
	t.Helper()
	first, err := l.Commit(context1m(t), msgs)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return first
}

func revision(t *testing.T, l Ledger, id string) uint64 {
	t.Helper()
	found, err := l.Load(context1m(t), tenant, []string{id})
	if err != nil {
		t.Fatalf("load %q: %v", id, err)
	}
	return found[id].Revision
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx := context1m(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func trackedIDs(t *testing.T, l Ledger) string {
	t.Helper()
	set, err := l.Tracked(context1m(t), tenant)
	if err != nil {
		t.Fatalf("tracked: %v", err)
	}
	ids := make(map[string]bool)
	for _, member := range set {
		ids[member.ConferenceID] = true
	}
	return strings.Join(sorted(ids), " ")
}
