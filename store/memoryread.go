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
			claim, err = storedClaim(last.Data, last.Sequence)
		}
		return err
	})
	return claim, err
}

// Load reads records as [JetStream.Load] does.
func (m *Memory) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	records := make(map[string]ledger.Stored, len(ids))
	err := m.do(ctx, "load", func() error {
		now := time.Now()
		read := func(name string) got {
			last := m.last(name, now)
			return got{subject: name, sequence: last.Sequence, data: last.Data}
		}
		for _, id := range ids {
			if stored := storedBoth(id, read(m.names.State(tenant, id)), read(m.names.Tracked(tenant, id))); stored.ConferenceID != "" {
				records[id] = stored
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Shards reads as [JetStream.Shards] does.
func (m *Memory) Shards(ctx context.Context, tenants []string) (map[string]ledger.Shards, error) {
	all := make(map[string]ledger.Shards, len(tenants))
	err := m.do(ctx, "shards", func() error {
		for _, tenant := range tenants {
			shards, err := m.shards(tenant)
			if err != nil {
				return err
			}
			if shards.Count > 0 {
				all[tenant] = shards
			}
		}
		return nil
	})
	return all, err
}

func (m *Memory) shards(tenant string) (ledger.Shards, error) {
	last := m.last(m.names.Shards(tenant), time.Now())
	if last.Sequence == 0 {
		return ledger.Shards{}, nil
	}
	return decodeShards(last.Data, last.Sequence)
}

// SetShards writes as [JetStream.SetShards] does.
func (m *Memory) SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (shards ledger.Shards, err error) {
	err = m.do(ctx, "set_shards", func() error {
		data, err := json.Marshal(shardsJSON{wire.RecordSchema, count, by, wire.Time{Time: time.Now()}})
		if err != nil {
			return fmt.Errorf("set the number of shards: %w: %w", ledger.ErrRefused, err)
		}
		revision, err := m.commit([]ledger.Message{{
			Subject: m.names.Shards(tenant), Data: data, ContentType: contentTypeJSON,
			Guarded: true, Expect: expect, Rollup: true, TTL: forever,
		}})
		shards = ledger.Shards{Count: count, Revision: revision}
		return err
	})
	if err != nil {
		return ledger.Shards{}, err
	}
	return shards, nil
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
