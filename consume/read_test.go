package consume_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall"
	"rollcall/consume"
	"rollcall/internal/natstest"
)

// read collects what a reading passes on, until it has so many.
func read(t *testing.T, f consume.Feed, most int) (got []consume.Stored) {
	t.Helper()
	err := consume.Read(t.Context(), nil, f, func(m consume.Stored) error {
		if got = append(got, m); len(got) == most {
			return consume.ErrEnough
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func texts(messages []consume.Stored) (all string) {
	for _, m := range messages {
		all += string(m.Data) + " "
	}
	return all
}

func TestReadPassesOnWhatIsStoredAndReturns(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	plainStream(t, js)
	f := consume.Feed{JetStream: js}
	if got := read(t, f, 9); len(got) != 0 {
		t.Errorf("an empty stream holds %s", texts(got))
	}
	for i := range 4 {
		publish(t, js, fmt.Sprint("c", i%2), rollcall.MeetingStarted, fmt.Sprint(i))
	}
	m := &nats.Msg{Subject: names.Watch("acme", rollcall.WatchLost), Data: []byte("w"), Header: nats.Header{"traceparent": {"x"}}}
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	all := read(t, consume.Feed{JetStream: js, Watch: true}, 9)
	if got := texts(all); got != "0 1 2 3 w " {
		t.Fatalf("read %s", got)
	}
	if w := all[4]; w.Subject != m.Subject || w.Header.Get("traceparent") != "x" || w.Sequence != 5 || w.At.IsZero() || w.Stream.IsZero() {
		t.Errorf("%+v", w)
	}
	for want, f := range map[string]consume.Feed{
		"1 3 ": {ConferenceID: "c1"}, "0 1 2 3 ": {Since: time.Now().Add(-time.Hour)}, "2 3 ": {From: 3}, "": {From: 6}, "3 ": {Since: all[3].At},
	} {
		f.JetStream = js
		if got := texts(read(t, f, 9)); got != want {
			t.Errorf("%+v: read %q, want %q", f, got, want)
		}
	}
	if got := texts(read(t, f, 2)); got != "0 1 " {
		t.Errorf("until enough: %s", got)
	}
	broken := errors.New("broken")
	if err := consume.Read(t.Context(), nil, f, func(consume.Stored) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// What is stored while somebody reads is not read, or a busy stream had no end.
func TestReadEndsWhereTheStreamEnded(t *testing.T) {
	server := natstest.Start(t)
	js := server.JetStream(t)
	plainStream(t, js)
	publish(t, js, "c1", rollcall.MeetingStarted, "0")
	publish(t, js, "c1", rollcall.MeetingStarted, "1")
	got := ""
	err := consume.Read(t.Context(), nil, consume.Feed{JetStream: js}, func(m consume.Stored) error {
		got += string(m.Data)
		publish(t, js, "c1", rollcall.MeetingStarted, "more")
		return nil
	})
	if err != nil || got != "01" {
		t.Errorf("read %q, %v", got, err)
	}
}
