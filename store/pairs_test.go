package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/natstest"
	"rollcall/wire"
)

// Where an answer would be too large the rest is not asked for on its own: a
// record and its entry in the tracked set are always asked for in one request.
func TestARecordIsReadWithItsEntry(t *testing.T) {
	server := natstest.Start(t)
	js, err := jetstream.New(server.Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	names := wire.Names{Stream: "S", Prefix: "s"}
	s, err := Open(minute(t), js, names, StreamConfig{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	const meetings = 20 // more than an answer may have, together
	large := bytes.Repeat([]byte("x"), 900<<10)
	var ids []string
	for i := range meetings {
		ids = append(ids, fmt.Sprint("c", i))
	}
	publish := func(subject string, data []byte) {
		if _, err := js.Publish(minute(t), names.Commit(subject), data); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		publish(names.State("acme", id), large)
	}
	for _, id := range ids {
		publish(names.Tracked("acme", id), []byte("x"))
	}
	var mu sync.Mutex
	var asked []getRequest
	spy := server.Connect(t)
	if _, err := spy.Subscribe("$JS.API.DIRECT.GET.S", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		var r getRequest
		_ = json.Unmarshal(m.Data, &r)
		asked = append(asked, r)
	}); err != nil {
		t.Fatal(err)
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	found, err := s.Load(minute(t), "acme", ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if r := found[id]; r.Revision == 0 || r.Tracking == nil {
			t.Errorf("%s is read as %+v", id, r)
		}
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) < 2 {
		t.Fatalf("it was asked %d times: the test says nothing", len(asked))
	}
	for _, r := range asked {
		for _, id := range ids {
			if slices.Contains(r.MultiLast, names.State("acme", id)) != slices.Contains(r.MultiLast, names.Tracked("acme", id)) {
				t.Errorf("one of the two messages of %s is asked for alone", id)
			}
		}
	}
}
