package budget_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/internal/ledger"
	"rollcall/poller/budget"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bank is a ledger with a clock of its own, which a test lets fail.
type bank struct {
	now     time.Time
	entries map[string][]entry // by tenant and key, all revisions
	last    uint64
	plan    []mishap  // of the next operations
	late    []delayed // writes that are still on the way
	away    bool      // nothing gets through
	ops     int
}

type entry struct {
	data     string
	revision uint64
	written  time.Time
}

type delayed struct {
	name, data string
	expect     uint64
}

// mishap is what goes wrong with one operation.
type mishap int

const (
	fine      mishap = iota
	refused          // it fails and had no effect
	lost             // it took effect, and the answer is lost
	lingering        // a write that takes effect later, if it still can
	lagging          // a read that is answered with the entry before
)

func newBank(now time.Time) *bank { return &bank{now: now, entries: map[string][]entry{}} }

func (b *bank) next() mishap {
	b.ops++
	if b.away {
		return refused
	}
	if len(b.plan) == 0 {
		return fine
	}
	m := b.plan[0]
	b.plan = b.plan[1:]
	return m
}

func (b *bank) top(name string) entry {
	if all := b.entries[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return entry{}
}

func (b *bank) ReadBudget(_ context.Context, tenant, key string) ([]byte, uint64, time.Time, error) {
	all := b.entries[tenant+"."+key]
	switch b.next() {
	case refused, lost, lingering:
		return nil, 0, time.Time{}, errors.New("scripted: the read fails")
	case lagging:
		all = all[:max(0, len(all)-1)]
	}
	if len(all) == 0 {
		return nil, 0, time.Time{}, nil
	}
	e := all[len(all)-1]
	return []byte(e.data), e.revision, e.written, nil
}

func (b *bank) WriteBudget(_ context.Context, tenant, key string, data []byte, expect uint64) (uint64, error) {
	name, unknown := tenant+"."+key, fmt.Errorf("scripted: %w", ledger.ErrUnknown)
	switch b.next() {
	case refused:
		return 0, fmt.Errorf("scripted: %w", ledger.ErrBusy)
	case lost:
		b.write(name, string(data), expect)
		return 0, unknown
	case lingering:
		b.late = append(b.late, delayed{name, string(data), expect})
		return 0, unknown
	}
	if !b.write(name, string(data), expect) {
		return 0, fmt.Errorf("scripted: %w", ledger.ErrStale)
	}
	return b.last, nil
}

func (b *bank) write(name, data string, expect uint64) bool {
	if b.top(name).revision != expect {
		return false
	}
	b.last++
	b.entries[name] = append(b.entries[name], entry{data, b.last, b.now})
	return true
}

// arrive lets the writes that are on the way take effect.
func (b *bank) arrive() {
	for _, d := range b.late {
		b.write(d.name, d.data, d.expect)
	}
	b.late = nil
}

// granted is how many calls of a month the ledger says were reserved and not
// given back.
func (b *bank) granted(t interface{ Fatal(...any) }, m budget.Month) int64 {
	var account struct {
		Granted int64 `json:"granted"`
	}
	data := b.top("acme." + string(m)).data
	if data == "" {
		return 0
	}
	if err := json.Unmarshal([]byte(data), &account); err != nil {
		t.Fatal(err)
	}
	return account.Granted
}

func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}
