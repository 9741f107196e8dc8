package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"rollcall"
)

// watchJSON is a watch event as it stands on the wire.
type watchJSON struct {
	SpecVersion     string        `json:"specversion"`
	ID              string        `json:"id"`
	Source          string        `json:"source"`
	Type            string        `json:"type"`
	Time            Time          `json:"time"`
	DataContentType string        `json:"datacontenttype"`
	DataSchema      string        `json:"dataschema"`
	Sequence        string        `json:"sequence"`
	PartitionKey    string        `json:"partitionkey"`
	Epoch           string        `json:"epoch"`
	Tenant          string        `json:"tenant"`
	Data            watchDataJSON `json:"data"`
}

type watchDataJSON struct {
	Tenant     string     `json:"tenant"`
	Shard      int        `json:"shard"`
	Shards     int        `json:"shards"`
	Epoch      int64      `json:"epoch"`
	Sequence   uint64     `json:"sequence"`
	Reason     string     `json:"reason"`
	Provenance string     `json:"provenance"`
	Window     windowJSON `json:"window"`
}

// EncodeWatch returns a watch event as a CloudEvent in structured JSON; source is
// that of [Names].
func EncodeWatch(source string, e *rollcall.WatchEvent) ([]byte, error) {
	if err := checkWatch(e); err != nil {
		return nil, fmt.Errorf("encode watch event: %w", err)
	}
	return json.Marshal(watchOf(source, e))
}

func watchOf(source string, e *rollcall.WatchEvent) watchJSON {
	sequence := string(AppendDigits(nil, e.Sequence, sequenceDigits))
	return watchJSON{
		SpecVersion: "1.0", ID: fmt.Sprintf("%s/watch-%d/%d-%s", e.Tenant, e.Shard, e.Epoch, sequence),
		Source: source + "/rollcall/" + e.Tenant, Type: typePrefix + string(e.Type), Time: Time{Time: e.Window.Before},
		DataContentType: "application/json", DataSchema: DataSchema, Sequence: sequence, PartitionKey: e.Tenant,
		Epoch: strconv.FormatInt(e.Epoch, 10), Tenant: e.Tenant,
		Data: watchDataJSON{
			Tenant: e.Tenant, Shard: e.Shard, Shards: e.Shards, Epoch: e.Epoch, Sequence: e.Sequence,
			Reason: string(e.Reason), Provenance: string(e.Provenance),
			Window: windowJSON{Time{Time: e.Window.After}, Time{Time: e.Window.Before}},
		},
	}
}

// DecodeWatch reads what [EncodeWatch] writes, and passes over what it does not know.
func DecodeWatch(data []byte) (rollcall.WatchEvent, error) {
	if err := checkEventSchema(data); err != nil {
		return rollcall.WatchEvent{}, fmt.Errorf("decode watch event: %w", err)
	}
	var stored watchJSON
	if err := json.Unmarshal(data, &stored); err != nil {
		return rollcall.WatchEvent{}, fmt.Errorf("decode watch event: %w", err)
	}
	d := &stored.Data
	e := rollcall.WatchEvent{
		Tenant: d.Tenant, Shard: d.Shard, Shards: d.Shards, Epoch: d.Epoch, Sequence: d.Sequence,
		Reason: rollcall.Reason(d.Reason), Provenance: rollcall.Provenance(d.Provenance),
		Window: rollcall.Window{After: d.Window.After.Time, Before: d.Window.Before.Time},
	}
	for _, t := range []rollcall.Type{rollcall.WatchLost, rollcall.WatchResumed} {
		if stored.Type == typePrefix+string(t) {
			e.Type = t
		}
	}
	if err := checkWatch(&e); err != nil {
		return rollcall.WatchEvent{}, fmt.Errorf("decode watch event %.300q: %w", stored.ID, err)
	}
	return e, nil
}

func checkWatch(e *rollcall.WatchEvent) error {
	switch {
	case !rollcall.ValidTenant(e.Tenant):
		return fmt.Errorf("%.64q is no tenant", e.Tenant)
	case e.Type != rollcall.WatchLost && e.Type != rollcall.WatchResumed:
		return fmt.Errorf("%.64q is no type of watch event", e.Type)
	case e.Shard < 0 || e.Shard >= e.Shards || e.Epoch < 0 || e.Sequence == 0:
		return fmt.Errorf("%s: shard %d of %d, epoch %d, sequence %d", e.Type, e.Shard, e.Shards, e.Epoch, e.Sequence)
	case !slices.Contains(rollcall.Provenances(), e.Provenance):
		return fmt.Errorf("%s: unknown provenance %.64q", e.Type, e.Provenance)
	case e.Window.Before.IsZero() || e.Window.Before.Before(e.Window.After):
		return fmt.Errorf("%s: the window ends before it begins", e.Type)
	}
	return nil
}
