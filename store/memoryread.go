package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// Claim takes the shard as [JetStream.Claim] does.
func (m *Memory) Claim(ctx context.Context, tenant string, shard int, holder string) (claim ledger.Claim, err error) {
	err = m.do(ctx, "claim", func() error {
		data, err := json.Marshal(claimJSON{wire.RecordSchema, holder, wire.Time{Time: time.Now()}})
		if err != nil {
			return fmt.Errorf("claim shard: %w: %w", ledger.ErrRefused, err)
		}
		term, err := m.commit([]ledger.Message{{
			Subject: m.names.Claim(tenant, shard), Data: data, ContentType: contentTypeJSON, Rollup: true, TTL: forever,
		}})
		claim = ledger.Claim{Holder: holder, Term: term}
		return err
	})
	if err != nil {
		return ledger.Claim{}, err
	}
	return claim, nil
}

// Holder reads the claim as [JetStream.Holder] does.
func (m *Memory) Holder(ctx context.Context, tenant string, shard int) (claim ledger.Claim, err error) {
	err = m.do(ctx, "holder", func() error {
		last := m.last(m.names.Claim(tenant, shard), time.Now())
		if last.Sequence > 0 {
			claim = storedClaim(last.Data, last.Sequence)
		}
		return nil
	})
	return claim, err
}

// Load reads records as [JetStream.Load] does.
func (m *Memory) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	records := make(map[string]ledger.Stored, len(ids))
	err := m.do(ctx, "load", func() error {
		now := time.Now()
		for _, id := range ids {
			if last := m.last(m.names.State(tenant, id), now); last.Sequence > 0 {
				records[id] = storedRecord(id, last.Data, last.Sequence)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// LoadAll reads all records as [JetStream.LoadAll] does.
func (m *Memory) LoadAll(ctx context.Context, tenant string) (records []ledger.Stored, err error) {
	err = m.do(ctx, "load_all", func() error {
		for _, msg := range m.below(m.names.State(tenant, "")) {
			records = append(records, storedRecord(conferenceID(msg.Subject), msg.Data, msg.Sequence))
		}
		return nil
	})
	return records, err
}

// Tracked reads the tracked set as [JetStream.Tracked] does.
func (m *Memory) Tracked(ctx context.Context, tenant string) (set []ledger.Tracking, err error) {
	err = m.do(ctx, "tracked", func() error {
		for _, msg := range m.below(m.names.Tracked(tenant, "")) {
			if t := storedTracking(msg.Subject, msg.Data, msg.Sequence); !t.Gone {
				set = append(set, t)
			}
		}
		return nil
	})
	return set, err
}

// Heartbeat registers the worker as [JetStream.Heartbeat] does.
func (m *Memory) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	return m.do(ctx, "heartbeat", func() error {
		m.members[id] = memoryMember{slices.Clone(info), time.Now().Add(wholeSeconds(ttl))}
		return nil
	})
}

// Leave unregisters the worker as [JetStream.Leave] does.
func (m *Memory) Leave(ctx context.Context, id string) error {
	return m.do(ctx, "leave", func() error {
		delete(m.members, id)
		return nil
	})
}

// Members reads the workers that live as [JetStream.Members] does.
func (m *Memory) Members(ctx context.Context) (members []ledger.Member, err error) {
	err = m.do(ctx, "members", func() error {
		now := time.Now()
		for id, member := range m.members {
			if now.Before(member.expires) {
				members = append(members, ledger.Member{ID: id, Info: slices.Clone(member.info)})
			}
		}
		slices.SortFunc(members, func(a, b ledger.Member) int { return cmp.Compare(a.ID, b.ID) })
		return nil
	})
	return members, err
}
