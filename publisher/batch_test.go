package publisher_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/wire"
)

// The messages of a batch share what they are dressed in; none may wear what
// another one left there.
func TestEveryMessageOfABatchHasItsOwnHeaders(t *testing.T) {
	conn := natstest.Start(t).Connect(t)
	var got []*nats.Msg
	all := make(chan struct{})
	sub, err := conn.Subscribe(names().Commits(), func(m *nats.Msg) {
		if got = append(got, m); len(got) == 7 {
			close(all)
			_ = m.Respond([]byte("{}"))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()

	p := &publisher.Publisher{Conn: conn, Names: names(), Timeout: time.Minute}
	_, err = p.Commit(t.Context(), []ledger.Message{
		{Subject: "meetings.event.acme.a.meeting.started", Data: []byte("1"), ContentType: wire.ContentType},
		{Subject: "meetings.event.acme.a.participant.joined", Data: []byte("2"), ContentType: wire.ContentType},
		{Subject: "meetings.state.acme.a", Data: []byte("3"), ContentType: "application/json", Guarded: true, Expect: 7, Rollup: true, TTL: "never"},
		{Subject: "meetings.event.acme.b.meeting.ended", Data: []byte("4"), ContentType: wire.ContentType},
		{Subject: "meetings.state.acme.b", Data: []byte("5"), ContentType: "application/json", Guarded: true, Expect: 12, Rollup: true},
		{Subject: "meetings.tracked.acme.b", Rollup: true, TTL: "1s"},
		{Subject: "meetings.status.acme"},
	})
	expect(t, "an acknowledgement that is none", err, ledger.ErrUnknown)
	<-all

	type sent struct{ Subject, Data, Number, Expected, Rollup, TTL, ContentType, Commit string }
	var shown []sent
	for _, m := range got {
		h := m.Header
		if id := h.Get("Nats-Batch-Id"); id == "" || id != got[0].Header.Get("Nats-Batch-Id") {
			t.Errorf("%s has the batch id %q", m.Subject, id)
		}
		shown = append(shown, sent{
			m.Subject, string(m.Data), h.Get("Nats-Batch-Sequence"), h.Get("Nats-Expected-Last-Subject-Sequence"),
			h.Get("Nats-Rollup"), h.Get("Nats-TTL"), h.Get("Content-Type"), h.Get("Nats-Batch-Commit"),
		})
	}
	const commit, event, json = "rollcall.MEETINGS.commit.", wire.ContentType, "application/json"
	want := []sent{
		{commit + "event.acme.a.meeting.started", "1", "1", "", "", "", event, ""},
		{commit + "event.acme.a.participant.joined", "2", "2", "", "", "", event, ""},
		{commit + "state.acme.a", "3", "3", "7", "sub", "never", json, ""},
		{commit + "event.acme.b.meeting.ended", "4", "4", "", "", "", event, ""},
		{commit + "state.acme.b", "5", "5", "12", "sub", "", json, ""},
		{commit + "tracked.acme.b", "", "6", "", "sub", "1s", "", ""},
		{commit + "status.acme", "", "7", "", "", "", "", "1"},
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
}
