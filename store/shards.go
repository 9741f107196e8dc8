package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

// shardsJSON is the stored shape of [ledger.Shards].
type shardsJSON struct {
	Schema int       `json:"schema"`
	Shards int       `json:"shards"`
	By     string    `json:"by"` // the worker that said it
	At     wire.Time `json:"at"`
}

func decodeShards(data []byte, sequence uint64) (ledger.Shards, error) {
	var stored shardsJSON
	err := json.Unmarshal(data, &stored)
	if err := wire.CheckSchema(data, stored.Schema, err); err != nil {
		return ledger.Shards{}, fmt.Errorf("decode the number of shards: %w", err)
	}
	if stored.Shards < 1 || stored.Shards > ledger.MaxShards {
		return ledger.Shards{}, fmt.Errorf("decode the number of shards: %d is not from 1 to %d", stored.Shards, ledger.MaxShards)
	}
	return ledger.Shards{Count: stored.Shards, Revision: sequence}, nil
}

// Shards reads how many shards the meetings of each of the tenants form. Those
// of which nobody has said it are not in the map.
func (s *JetStream) Shards(ctx context.Context, tenants []string) (map[string]ledger.Shards, error) {
	byName := make(map[string]string, len(tenants))
	subjects := make([]string, len(tenants))
	for i, tenant := range tenants {
		subjects[i] = s.names.Shards(tenant)
		byName[subjects[i]] = tenant
	}
	found, err := s.getLast(ctx, s.names.Stream, subjects)
	if err != nil {
		return nil, fmt.Errorf("read the numbers of shards: %w", err)
	}
	all := make(map[string]ledger.Shards, len(found))
	for name, m := range found {
		shards, err := decodeShards(m.data, m.sequence)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", byName[name], err)
		}
		all[byName[name]] = shards
	}
	return all, nil
}

// SetShards says how many shards a tenant's meetings form, if what said it last
// still has the revision expect (0: nothing did). Its errors are those of
// [JetStream.Claim].
func (s *JetStream) SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (ledger.Shards, error) {
	data, err := json.Marshal(shardsJSON{wire.RecordSchema, count, by, wire.Time{Time: time.Now()}})
	if err != nil {
		return ledger.Shards{}, fmt.Errorf("set the number of shards: %w: %w", ledger.ErrRefused, err)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	ack, err := s.js.PublishMsg(ctx, &nats.Msg{
		Subject: s.names.Commit(s.names.Shards(tenant)), Data: data,
		Header: nats.Header{
			"Nats-Rollup": {"sub"}, jetstream.MsgTTLHeader: {forever}, "Content-Type": {contentTypeJSON},
		},
	}, jetstream.WithExpectLastSequencePerSubject(expect), jetstream.WithRetryAttempts(0))
	if err != nil {
		return ledger.Shards{}, fmt.Errorf("set the number of shards of tenant %s: %w: %w", tenant, judgeClaim(err), err)
	}
	return ledger.Shards{Count: count, Revision: ack.Sequence}, nil
}
