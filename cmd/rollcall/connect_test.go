package main

import (
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natstest"
)

// lockedBuilder may be written to while NATS still calls back.
type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// failing runs a command and gives its exit code and what it complains of.
func failing(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out strings.Builder
	var complaint lockedBuilder
	p := program{args: args, stdout: &out, stderr: &complaint, env: func(string) (string, bool) { return "", false }}
	return p.run(t.Context()), complaint.String()
}

// What another attempt would not fix is said after the first one.
func TestRefusedCredentialsAreNoSilence(t *testing.T) {
	s := natstest.StartWith(t, server.Options{Authorization: "hunter2"})
	for _, command := range []string{"tail", "workers", "budget", "list"} {
		code, complaint := failing(t, command, "--nats", s.URL())
		if code != exitFailed || !strings.Contains(complaint, "refuses the credentials") || strings.Contains(complaint, "does not answer") {
			t.Errorf("%s: exit code %d: %s", command, code, complaint)
		}
	}
}

func TestWhatCannotBeRightIsNotWaitedFor(t *testing.T) {
	s := natstest.Start(t)
	js := s.JetStream(t)
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "MEETINGS", Subjects: []string{"meetings.>"}, RePublish: &jetstream.RePublish{Source: "meetings.>", Destination: "other.>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, complaint := failing(t, "tail", "--nats", s.URL()); code != exitFailed || !strings.Contains(complaint, `below "other", not below "meetings"`) {
		t.Errorf("another prefix: exit code %d: %s", code, complaint)
	}
	if err := js.DeleteStream(t.Context(), "MEETINGS"); err != nil {
		t.Fatal(err)
	}
	if _, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MEETINGS", Subjects: []string{"meetings.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "meetings.status.acme", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"tail", "workers", "budget"} {
		code, complaint := failing(t, command, "--nats", s.URL(), "--tenant", "acne")
		if code != exitFailed || !strings.Contains(complaint, "nothing of a tenant acne; there are: acme") {
			t.Errorf("%s: exit code %d: %s", command, code, complaint)
		}
	}
}
