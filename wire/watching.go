package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"rollcall"
)

// Watching is what stands on [Names.Watching]: how the last watch event of a shard
// left it. The zero value is a shard for which nothing was ever published.
type Watching struct {
	Epoch    int64           // Unix ms, of the last watch event
	Sequence uint64          // of the last watch event
	Lost     bool            // nobody looks
	After    time.Time       // when the last good answer was asked, of those that led to the event
	Reason   rollcall.Reason // of the loss; "" where somebody looks
	Shards   int             // of the division that the shard was one of; 0: an earlier version does not say
}

type watchingJSON struct {
	Schema   int    `json:"schema"`
	Epoch    int64  `json:"epoch"`
	Sequence uint64 `json:"sequence"`
	Lost     bool   `json:"lost"`
	After    Time   `json:"after"`
	Reason   string `json:"reason"`
	Shards   int    `json:"shards,omitempty"`
}

// EncodeWatching returns the stored JSON.
func EncodeWatching(w *Watching) ([]byte, error) {
	return json.Marshal(watchingJSON{RecordSchema, w.Epoch, w.Sequence, w.Lost, Time{Time: w.After}, string(w.Reason), w.Shards})
}

// DecodeWatching reads what [EncodeWatching] writes. The error of a newer schema
// matches [ErrNewerSchema].
func DecodeWatching(data []byte) (Watching, error) {
	var stored watchingJSON
	err := json.Unmarshal(data, &stored)
	if err := CheckSchema(data, stored.Schema, err); err != nil {
		return Watching{}, fmt.Errorf("decode the watch of a shard: %w", err)
	}
	return Watching{stored.Epoch, stored.Sequence, stored.Lost, stored.After.Time, rollcall.Reason(stored.Reason), stored.Shards}, nil
}
