package ledger_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

func TestWhenAShardWasLookedAt(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 23, 2, minute, 0, 0, time.UTC) }
	lost := func(minute int) ledger.Watching {
		return ledger.Watching{Watching: wire.Watching{Sequence: 1, Lost: true, After: at(minute)}}
	}
	resumed := func(minute int) ledger.Watching {
		return ledger.Watching{Watching: wire.Watching{Sequence: 2, After: at(minute)}}
	}
	told := map[int]ledger.Watching{0: lost(1), 2: resumed(7)}
	for name, c := range map[string]struct {
		status    wire.Status
		shard, of int
		want      time.Time
	}{
		"no status":                             {wire.Status{}, 0, 1, time.Time{}},
		"an earlier version":                    {wire.Status{LastGoodPoll: at(3), Tracked: 1}, 1, 2, at(3)},
		"an earlier version, nothing tracked":   {wire.Status{LastGoodPoll: at(3)}, 1, 2, time.Time{}},
		"its own":                               {wire.Status{Shards: []time.Time{at(1), at(5)}, LastGoodPoll: at(1), Tracked: 2}, 1, 2, at(5)},
		"nothing of it is tracked":              {wire.Status{Shards: []time.Time{at(1), {}}, LastGoodPoll: at(1), Tracked: 2}, 1, 2, time.Time{}},
		"another division: one that is lost":    {wire.Status{Shards: []time.Time{at(1), at(5), at(8)}, Tracked: 2}, 0, 2, at(5)},
		"another division: one that was lost":   {wire.Status{Shards: []time.Time{at(1), at(8), at(2)}, Tracked: 2}, 1, 2, at(7)},
		"another division: nothing but idle":    {wire.Status{Shards: []time.Time{at(1), {}}, Tracked: 2}, 0, 3, time.Time{}},
		"another division: more shards than it": {wire.Status{Shards: []time.Time{at(9), at(5)}, Tracked: 2}, 7, 8, at(5)},
	} {
		w := ledger.Watch{Shards: told, Status: c.status}
		if got := w.LookedAt(c.shard, c.of); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestWhatCannotBeReadOfAWatch(t *testing.T) {
	status, err := json.Marshal(wire.Status{Tenant: "acme", Pace: time.Second, Tracked: 3})
	if err != nil {
		t.Fatal(err)
	}
	raw := func(shard, data string) ledger.Raw {
		return ledger.Raw{Subject: "meetings.watching.acme." + shard, Sequence: 5, Data: []byte(data)}
	}
	w := ledger.ReadWatch([]ledger.Raw{
		raw("0", `{"schema":1,"sequence":4,"lost":true}`), raw("1", `{"schema":2}`), raw("2", `rubbish`), raw("x", `{}`),
	}, ledger.Raw{Subject: "meetings.status.acme", Sequence: 6, Data: status})
	if w.Status.Tracked != 3 || len(w.Shards) != 3 || !w.Shards[0].Lost || w.Shards[0].Sequence != 4 {
		t.Errorf("%+v", w)
	}
	if !errors.Is(w.Shards[1].Err, wire.ErrNewerSchema) {
		t.Errorf("a newer schema: %v", w.Shards[1].Err)
	}
	if bad := w.Shards[2]; bad.Err != nil || bad.Revision != 5 || bad.Sequence != 0 {
		t.Errorf("what begins anew: %+v", bad)
	}
	if w := ledger.ReadWatch(nil, ledger.Raw{Sequence: 1, Data: []byte("rubbish")}); len(w.Shards) != 0 || w.Status.Tenant != "" {
		t.Errorf("an unreadable status: %+v", w)
	}
}
