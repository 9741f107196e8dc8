package ledgertest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"rollcall/internal/ledger"
)

// Claim takes the shard as [store.JetStream.Claim] does.
func (m *Memory) Claim(ctx context.Context, tenant string, shard int, holder string) (claim ledger.Claim, err error) {
	err = m.do(ctx, "claim", func() error {
		msg, err := ledger.ClaimMessage(m.names, tenant, shard, holder, m.last(m.names.Claim(tenant, shard), time.Now()).Sequence)
		if err != nil {
			return err
		}
		claim = ledger.Claim{Holder: holder}
		claim.Term, err = m.commit([]ledger.Message{msg})
		return err
	})
	if err != nil {
		return ledger.Claim{}, err
	}
	return claim, nil
}

// Holder reads the claim as [store.JetStream.Holder] does.
func (m *Memory) Holder(ctx context.Context, tenant string, shard int) (claim ledger.Claim, err error) {
	err = m.do(ctx, "holder", func() error {
		last := m.last(m.names.Claim(tenant, shard), time.Now())
		if last.Sequence > 0 {
			claim, err = ledger.ReadClaim(last.raw())
		}
		return err
	})
	return claim, err
}

// Load reads records as [store.JetStream.Load] does.
func (m *Memory) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	records := make(map[string]ledger.Stored, len(ids))
	err := m.do(ctx, "load", func() error {
		now := time.Now()
		for _, id := range ids {
			state, entry := m.last(m.names.State(tenant, id), now), m.last(m.names.Tracked(tenant, id), now)
			if stored := ledger.ReadMeeting(id, state.raw(), entry.raw()); stored.ConferenceID != "" {
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

// Shards reads as [store.JetStream.Shards] does.
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
	return ledger.ReadShards(last.raw())
}

// SetShards writes as [store.JetStream.SetShards] does.
func (m *Memory) SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (shards ledger.Shards, err error) {
	err = m.do(ctx, "set_shards", func() error {
		msg, err := ledger.ShardsMessage(m.names, tenant, count, by, expect)
		if err != nil {
			return err
		}
		revision, err := m.commit([]ledger.Message{msg})
		shards = ledger.Shards{Count: count, Revision: revision}
		return err
	})
	if err != nil {
		return ledger.Shards{}, err
	}
	return shards, nil
}

// LoadAll reads all records as [store.JetStream.LoadAll] does.
func (m *Memory) LoadAll(ctx context.Context, tenant string) (records []ledger.Stored, err error) {
	err = m.do(ctx, "load_all", func() error {
		for _, msg := range m.below(m.names.State(tenant, "")) {
			records = append(records, ledger.ReadRecord(ledger.MeetingOf(msg.Subject), msg.raw()))
		}
		return nil
	})
	return records, err
}

// Tracked reads the tracked set as [store.JetStream.Tracked] does.
func (m *Memory) Tracked(ctx context.Context, tenant string) (set []ledger.Tracking, err error) {
	err = m.do(ctx, "tracked", func() error {
		for _, msg := range m.below(m.names.Tracked(tenant, "")) {
			if t := ledger.ReadTracking(msg.raw()); !t.Gone {
				set = append(set, t)
			}
		}
		return nil
	})
	return set, err
}

// Heartbeat registers the worker as [store.JetStream.Heartbeat] does.
func (m *Memory) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	return m.do(ctx, "heartbeat", func() error {
		m.members[id] = memoryMember{slices.Clone(info), time.Now().Add(max(time.Second, (ttl + time.Second - 1).Truncate(time.Second)))}
		return nil
	})
}

// Leave unregisters the worker as [store.JetStream.Leave] does.
func (m *Memory) Leave(ctx context.Context, id string) error {
	return m.do(ctx, "leave", func() error {
		delete(m.members, id)
		return nil
	})
}

// Members reads the workers that live as [store.JetStream.Members] does.
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

// Tail reads as [store.JetStream.Tail] does.
func (m *Memory) Tail(ctx context.Context, tenant string, after uint64) (found ledger.Tail, err error) {
	err = m.do(ctx, "tail", func() error {
		tail := ledger.NewTailReader(m.names, tenant)
		for _, indexes := range m.stored {
			for _, i := range indexes {
				if msg := &m.log[i]; msg.Sequence > after && !msg.expired(m.Retention, time.Now()) {
					tail.Add(msg.raw())
				}
			}
		}
		found = tail.Tail()
		return nil
	})
	return found, err
}

// LastEvents reads as [store.JetStream.LastEvents] does.
func (m *Memory) LastEvents(ctx context.Context, tenant string, ids []string) (found map[string]ledger.Last, err error) {
	err = m.do(ctx, "last_events", func() error {
		tail := ledger.NewTailReader(m.names, tenant)
		for _, id := range ids {
			for _, msg := range m.below(m.names.Event(tenant, id, "")) {
				tail.Add(msg.raw())
			}
		}
		found = tail.Tail().Events
		return nil
	})
	return found, err
}

// Position answers as [store.JetStream.Position] does.
func (m *Memory) Position(ctx context.Context) (at ledger.Position, err error) {
	err = m.do(ctx, "position", func() error {
		at = ledger.Position{Stream: m.names.Stream, Created: m.created, Last: uint64(len(m.log))}
		return nil
	})
	return at, err
}

// Renew does nothing: a ledger in memory is there.
func (m *Memory) Renew(ctx context.Context) error {
	return m.do(ctx, "renew", func() error { return nil })
}

// Watching reads as [store.JetStream.Watching] does.
func (m *Memory) Watching(ctx context.Context, tenant string) (w ledger.Watch, err error) {
	err = m.do(ctx, "watching", func() error {
		var all []ledger.Raw
		for subject := range m.stored {
			if strings.HasPrefix(subject, strings.TrimSuffix(m.names.Watchings(tenant), "*")) {
				all = append(all, m.last(subject, time.Now()).raw())
			}
		}
		w = ledger.ReadWatch(all, m.last(m.names.Status(tenant), time.Now()).raw())
		return nil
	})
	return w, err
}
