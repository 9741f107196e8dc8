package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/internal/natstest"
	"rollcall/wire"
)

// storedEvent is the n-th event of a meeting as the publisher writes it.
func storedEvent(n uint64, nick string) []byte {
	at := time.Date(2026, 11, 23, 9, 15, 0, 0, time.UTC)
	return wire.AppendEvent(nil, &rollcall.Event{
		Tenant: "acme", ConferenceID: "c.1", Epoch: at.UnixMilli(), Sequence: n, Type: rollcall.ParticipantJoined,
		Time: at, Index: 1, Count: 1,
		Meeting:     rollcall.Conference{Title: "Weekly", Status: rollcall.StatusStarted, Present: 1},
		Participant: &rollcall.Participant{Key: "u1", UserID: "u1", Nick: nick, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1},
		Provenance:  rollcall.ProvenanceObserved, Window: rollcall.Window{After: at.Add(-15 * time.Second), Before: at},
	})
}

// tailStream is a stream with messages, of which only the second is no event.
func tailStream(t *testing.T, messages ...[]byte) (*natstest.Server, jetstream.JetStream) {
	t.Helper()
	server := natstest.Start(t)
	js := server.JetStream(t)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "M", Subjects: []string{"m.>"}}); err != nil {
		t.Fatal(err)
	}
	for _, data := range messages {
		publish(t, js, data)
	}
	return server, js
}

func publish(t *testing.T, js jetstream.JetStream, data []byte) {
	t.Helper()
	subject := wire.Names{Stream: "M", Prefix: "m"}.Event("acme", "c.1", rollcall.ParticipantJoined)
	if _, err := js.Publish(t.Context(), subject, data); err != nil {
		t.Fatal(err)
	}
}

// tailing runs the command; stop ends it and gives its exit code and what it
// wrote to standard error.
func tailing(t *testing.T, args ...string) (out *bufio.Reader, stop func() (int, string)) {
	t.Helper()
	reader, writer := io.Pipe()
	var stderr bytes.Buffer
	p := program{args: append([]string{"tail"}, args...), stdout: writer, stderr: &stderr, env: func(string) (string, bool) { return "", false }}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ended := make(chan int, 1)
	go func() {
		ended <- p.run(ctx)
		writer.Close()
	}()
	return bufio.NewReader(reader), func() (int, string) {
		cancel()
		code := <-ended
		return code, stderr.String()
	}
}

func line(t *testing.T, out *bufio.Reader) string {
	t.Helper()
	text, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(text, "\n")
}

func TestTailShowsOneLineAnEventAndPassesOverTheRest(t *testing.T) {
	server, _ := tailStream(t, storedEvent(1, "Ada"), []byte("no event\n\x1b[2J"), storedEvent(2, "Eve\n\u202e"))
	out, stop := tailing(t, "--nats", server.URL(), "--stream", "M", "--prefix", "m", "--since", "1h", "--type", "joined")
	if got := line(t, out); !strings.HasSuffix(got, "Weekly                    Ada               joined") {
		t.Errorf("%q", got)
	}
	if got := line(t, out); !strings.HasSuffix(got, `Eve\x0a\u202e     joined`) {
		t.Errorf("%q", got)
	}
	code, said := stop()
	if code != exitDone || strings.Count(said, "rollcall: passed over a message that is no event") != 1 || strings.Contains(said, "\x1b") {
		t.Errorf("exit code %d, standard error %q", code, said)
	}
}

func TestTailJSONIsWhatIsStored(t *testing.T) {
	event := storedEvent(1, "Eve\u202e")
	server, _ := tailStream(t, event, []byte("{}"), storedEvent(2, "Ada"))
	out, stop := tailing(t, "--nats", server.URL(), "--stream", "M", "--prefix", "m", "--since", "1h", "--json", "--conference", "c.1", "--tenant", "acme")
	if got := line(t, out); got != string(event) {
		t.Errorf("got  %q\nwant %q", got, event)
	}
	if got := line(t, out); got != string(storedEvent(2, "Ada")) {
		t.Errorf("%q", got)
	}
	if code, said := stop(); code != exitDone || !strings.Contains(said, "no event") {
		t.Errorf("exit code %d, standard error %q", code, said)
	}
}

func TestTailShowsThatNobodyLooks(t *testing.T) {
	server, js := tailStream(t, storedEvent(1, "Ada"))
	at := time.Now().UTC().Truncate(time.Millisecond)
	lost := rollcall.WatchEvent{
		Tenant: "acme", Shards: 1, Epoch: 1, Sequence: 1, Type: rollcall.WatchLost, Reason: rollcall.ReasonThrottled,
		Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: at.Add(-2 * time.Minute), Before: at},
	}
	data, err := wire.EncodeWatch("", &lost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), wire.Names{Stream: "M", Prefix: "m"}.Watch("acme", lost.Type), data); err != nil {
		t.Fatal(err)
	}
	publish(t, js, storedEvent(2, "Bob"))
	args := []string{"--nats", server.URL(), "--stream", "M", "--prefix", "m", "--since", "1h"}
	for want, more := range map[string][]string{
		"Ada, nobody looks, Bob": nil, "nobody looks": {"--type", "watch.*"}, "Ada, Bob": {"--conference", "c.1"},
		"Ada, watch.lost, Bob": {"--json", "--tenant", "acme"},
	} {
		out, stop := tailing(t, append(args, more...)...)
		for _, want := range strings.Split(want, ", ") {
			if got := line(t, out); !strings.Contains(got, want) {
				t.Errorf("%q: got %q, want one with %q", more, got, want)
			}
		}
		if code, said := stop(); code != exitDone || said != "" {
			t.Errorf("%q: exit code %d, standard error %q", more, code, said)
		}
	}
}

func TestTailNamesMeetingsByTitle(t *testing.T) {
	other := bytes.ReplaceAll(storedEvent(1, "Bob"), []byte("Weekly"), []byte("Daily"))
	server, _ := tailStream(t, other, storedEvent(2, "Ada"))
	for _, more := range [][]string{nil, {"--json"}} {
		out, stop := tailing(t, append([]string{"--nats", server.URL(), "--stream", "M", "--prefix", "m", "--since", "1h", "--title", "wEEkly"}, more...)...)
		if got := line(t, out); !strings.Contains(got, "Ada") {
			t.Errorf("%q", got)
		}
		stop()
	}
}

func TestTailWithoutItsStreamFails(t *testing.T) {
	server, _ := tailStream(t)
	p := program{args: []string{"tail", "--nats", server.URL()}, stdout: io.Discard, env: func(string) (string, bool) { return "", false }}
	var stderr bytes.Buffer
	p.stderr = &stderr
	if code := p.run(t.Context()); code != exitFailed || !strings.Contains(stderr.String(), "find stream MEETINGS") {
		t.Errorf("exit code %d, standard error %q", code, stderr.String())
	}
}
