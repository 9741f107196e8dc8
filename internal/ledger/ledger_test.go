package ledger_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/wire"
)

var names = wire.Names{Stream: "MEETINGS", Prefix: "meetings"}

func TestCheckBatchRefuses(t *testing.T) {
	many := make([]ledger.Message, ledger.MaxBatchMessages+1)
	for i := range many {
		many[i].Subject = "meetings.event.a"
	}
	heavy := make([]ledger.Message, 5)
	for i := range heavy {
		heavy[i] = ledger.Message{Subject: "meetings.event.a", Data: make([]byte, 900<<10)}
	}
	for want, msgs := range map[string][]ledger.Message{
		"empty":                   {},
		"1001 messages":           many,
		"at most 4194304":         heavy,
		"max_payload is 1048576":  {{Subject: "meetings.state.acme.big", Data: make([]byte, 1<<20)}},
		"meetings.state.acme.big": {{Subject: "meetings.state.acme.big", Data: make([]byte, 1<<20)}},
		`no subject below`:        {{Subject: "elsewhere.event"}},
		`"meetings.event.*"`:      {{Subject: "meetings.event.*"}},
		`"meetings.event.a b"`:    {{Subject: "meetings.event.a b"}},
		`"meetings.event..a"`:     {{Subject: "meetings.event..a"}},
		`"meetings."`:             {{Subject: "meetings."}},
		"content type":            {{Subject: "meetings.event.a", ContentType: "a\r\nNats-Rollup: all"}},
		`TTL "10ms"`:              {{Subject: "meetings.event.a", TTL: "10ms"}},
		`TTL "soon"`:              {{Subject: "meetings.event.a", TTL: "soon"}},
		`"meetings.event.a."`:     {{Subject: "meetings.event.a."}},
		`"meetingsx.event"`:       {{Subject: "meetingsx.event"}},
		`"meetings"`:              {{Subject: "meetings"}},
		`"meetings.bad >"`:        {{Subject: "meetings.event.a"}, {Subject: "meetings.event.a"}, {Subject: "meetings.bad >"}},
		"written twice":           {{Subject: "meetings.state.a.b"}, {Subject: "meetings.state.a.b", Guarded: true}},
		"a.c is written twice":    {{Subject: "meetings.state.a.c", Rollup: true}, {Subject: "meetings.x"}, {Subject: "meetings.state.a.c", Rollup: true}},
	} {
		err := ledger.CheckBatch(names, msgs, 1<<20)
		if !errors.Is(err, ledger.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a refusal with %q", err, want)
		}
	}
}

func TestCheckBatchAccepts(t *testing.T) {
	msgs := make([]ledger.Message, ledger.MaxBatchMessages)
	for i := range msgs {
		msgs[i] = ledger.Message{Subject: "meetings.event.a", Data: []byte("{}"), TTL: "1s"}
	}
	msgs[0] = ledger.Message{Subject: "meetings.state.a.b", Guarded: true, Rollup: true, TTL: "never", ContentType: "application/json"}
	msgs[1] = ledger.Message{Subject: "meetings.state.a.b"} // plain, after the guarded one
	if err := ledger.CheckBatch(names, msgs, 1<<20); err != nil {
		t.Fatal(err)
	}
}

func TestStatusOnTheWire(t *testing.T) {
	at := time.Date(2026, 11, 23, 1, 2, 3, 4_000_000, time.UTC)
	status := wire.Status{
		Tenant: "acme", State: wire.StateQuota, LastGoodPoll: at,
		Pace: 15 * time.Second, Tracked: 7, At: at.Add(time.Minute), Shards: []time.Time{at, {}},
	}
	m, err := ledger.StatusMessage(names, status)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schema":1,"tenant":"acme","state":"quota","lastGoodPoll":"2026-11-23T01:02:03.004Z","lastPass":null,` +
		`"pace":"15s","tracked":7,"at":"2026-11-23T01:03:03.004Z","shards":[{"lookedAt":"2026-11-23T01:02:03.004Z"},{"lookedAt":null}]}`
	if string(m.Data) != want || m.Subject != "meetings.status.acme" || !m.Rollup || m.TTL != "never" {
		t.Fatalf("got %+v %s", m, m.Data)
	}
	var back wire.Status
	if err := json.Unmarshal(m.Data, &back); err != nil || !reflect.DeepEqual(back, status) {
		t.Fatalf("got %+v, %v", back, err)
	}
}

func TestStatusRefuses(t *testing.T) {
	if _, err := ledger.StatusMessage(names, wire.Status{Tenant: "a.b"}); !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a hostile tenant: %v", err)
	}
	var s wire.Status
	for _, bad := range []string{`{"schema":2,"pace":"1s"}`, `{"schema":1,"pace":"1"}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
