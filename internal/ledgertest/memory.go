package ledgertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// Memory is a ledger in memory, for tests: what [store.JetStream] reads and what a
// publisher commits, with the same guards, roll-ups, TTLs and limits. It takes
// the time from package time, so that it lives in synctest bubbles. It is safe
// for concurrent use; its fields are set before the first use.
type Memory struct {
	// Retention is how old messages without a TTL become; 0: they stay.
	Retention time.Duration
	// MaxPayload is the largest message in bytes, with its headers; 0: 1 MiB.
	MaxPayload int64
	// Fail may let an operation fail. It is called with the operation's name
	// before anything happens, and with the name and " done" after it took
	// effect; an error is returned to the caller as it is. Names: commit,
	// status, claim, holder, load, load_all, tracked, tail, watching, last_events, events, erase, position,
	// renew, shards, set_shards, heartbeat, leave, members, read_budget, write_budget.
	Fail func(op string) error

	names   wire.Names
	created time.Time
	mu      sync.Mutex // guards what follows
	log     []Message
	stored  map[string][]int // by subject: the indexes into log that were not rolled up
	members map[string]memoryMember

	budgets  map[string]memoryBudget // by tenant and key
	budgeted uint64                  // writes to budgets
}

// Message is a message of the ledger in memory.
type Message struct {
	ledger.Message
	Sequence uint64 // 1, 2, 3 … over all subjects
	Time     time.Time
}

func (m Message) raw() ledger.Raw {
	return ledger.Raw{Subject: m.Subject, Sequence: m.Sequence, Data: m.Data}
}

type memoryMember struct {
	info    []byte
	expires time.Time
}

// NewMemory makes an empty ledger with these names.
func NewMemory(n wire.Names) *Memory {
	return &Memory{names: n, stored: make(map[string][]int), members: make(map[string]memoryMember), created: time.Now()}
}

// Messages returns every message that was ever stored, in the order of their
// sequences, including those that were rolled up or have expired since.
func (m *Memory) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.log)
}

// Commit stores the messages as one batch, or none of them, as a publisher does.
func (m *Memory) Commit(ctx context.Context, msgs []ledger.Message) (first uint64, err error) {
	err = m.do(ctx, "commit", func() error {
		first, err = m.commit(msgs)
		return err
	})
	if err != nil {
		return 0, err
	}
	return first, nil
}

// PutStatus stores the tenant's status in place of the one before.
func (m *Memory) PutStatus(ctx context.Context, tenant string, s wire.Status) error {
	return m.do(ctx, "status", func() error {
		s.Tenant = tenant
		message, err := ledger.StatusMessage(m.names, s)
		if err == nil {
			_, err = m.commit([]ledger.Message{message})
		}
		return err
	})
}

// do runs an operation between the two calls of Fail.
func (m *Memory) do(ctx context.Context, op string, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	}
	if err := m.fail(op); err != nil {
		return err
	}
	if err := m.locked(effect); err != nil {
		return err
	}
	return m.fail(op + " done")
}

// SetFail sets Fail while the ledger is in use.
func (m *Memory) SetFail(fail func(op string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Fail = fail
}

func (m *Memory) fail(op string) error {
	m.mu.Lock()
	fail := m.Fail
	m.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(op)
}

func (m *Memory) locked(effect func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return effect()
}

func (m *Memory) commit(msgs []ledger.Message) (first uint64, err error) {
	limit := m.MaxPayload
	if limit == 0 {
		limit = 1 << 20
	}
	if err := ledger.CheckBatch(m.names, msgs, limit); err != nil {
		return 0, fmt.Errorf("commit batch: %w", err)
	}
	now := time.Now()
	for i := range msgs {
		guard := cmp.Or(msgs[i].ExpectOf, msgs[i].Subject)
		last := m.last(guard, now).Sequence
		if msgs[i].Guarded && last != msgs[i].Expect {
			return 0, fmt.Errorf("commit batch of %d messages: %w: %s is at %d, not at %d",
				len(msgs), ledger.ErrStale, guard, last, msgs[i].Expect)
		}
	}
	first = uint64(len(m.log)) + 1
	for i := range msgs {
		m.store(&msgs[i], now)
	}
	return first, nil
}

func (m *Memory) store(msg *ledger.Message, now time.Time) {
	kept := *msg
	kept.Data = slices.Clone(msg.Data)
	if msg.Rollup {
		delete(m.stored, msg.Subject)
	}
	m.stored[msg.Subject] = append(m.stored[msg.Subject], len(m.log))
	m.log = append(m.log, Message{Message: kept, Sequence: uint64(len(m.log)) + 1, Time: now})
}

// last returns the newest message of a subject that has not expired, or the zero
// message.
func (m *Memory) last(name string, now time.Time) Message {
	for _, i := range slices.Backward(m.stored[name]) {
		if !m.log[i].expired(m.Retention, now) {
			return m.log[i]
		}
	}
	return Message{}
}

func (m Message) expired(retention time.Duration, now time.Time) bool {
	age := retention
	switch m.TTL {
	case "":
	case ledger.Forever:
		age = 0
	default:
		// CheckBatch let nothing pass that is not a duration.
		ttl, _ := time.ParseDuration(m.TTL)
		if age == 0 || ttl < age {
			age = ttl
		}
	}
	return age > 0 && now.Sub(m.Time) >= age
}

// below returns the newest message of every subject with this prefix, in the
// order of their sequences.
func (m *Memory) below(prefix string) []Message {
	var found []Message
	now := time.Now()
	for name := range m.stored {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if msg := m.last(name, now); msg.Sequence > 0 {
			found = append(found, msg)
		}
	}
	slices.SortFunc(found, func(a, b Message) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return found
}
