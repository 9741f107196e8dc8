package worker

import (
	"context"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/wire"
)

// filled is a ledger that takes no records.
type filled struct{ *ledgertest.Memory }

func (f filled) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	if strings.Contains(msgs[0].Subject, ".state.") {
		return 0, ledger.ErrFull
	}
	return f.Memory.Commit(ctx, msgs)
}

// A list names a meeting whose record is garbage, and which cannot be closed; nothing is
// known of it any more when a later list names another one.
func TestATornMeetingThatIsNotHeldAnyMore(t *testing.T) {
	names := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	l := filled{ledgertest.NewMemory(names)}
	s := shardOn(t, names, l, l)
	event := rollcall.Event{Type: rollcall.MeetingStarted, Tenant: "acme", ConferenceID: "x", Epoch: 1, Sequence: 2}
	for _, m := range []ledger.Message{
		{Subject: names.State("acme", "x"), Data: []byte("garbage")},
		{Subject: names.Event("acme", "x", event.Type), Data: wire.AppendEvent(nil, &event)},
	} {
		if _, err := l.Memory.Commit(t.Context(), []ledger.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.tracker.choice(t.Context(), []string{"x"}); err == nil || len(s.trust.torn) != 1 {
		t.Fatalf("%v; %d meetings cannot go on", err, len(s.trust.torn))
	}
	s.tracker.sweep(t.Context())
	if s.meetings.entries["x"] != nil {
		t.Fatal("it is still held")
	}
	if _, err := s.tracker.choice(t.Context(), []string{"y"}); err != nil || len(s.trust.torn) != 0 {
		t.Errorf("%v; %d meetings cannot go on", err, len(s.trust.torn))
	}
}
