package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/service"
	"rollcall/consume"
	"rollcall/simulator"
)

// onDisk lists the files below a directory that hold a text.
func onDisk(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A person comes and goes in meetings that go on, that are over and that are watched no
// more; then they are forgotten. Nothing of what the worker keeps on the disk names them,
// while it goes on and they are in a meeting, and after the next start; and who watches
// sees everybody else as before.
func TestForgottenPeopleAreNowhereOnTheDisk(t *testing.T) {
	const id, nick = "manager4220", "Adalind Zerafina"
	sim, err := simulator.New(simulator.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	act := func(wanted simulator.Act) {
		t.Helper()
		if _, err := sim.Act(wanted); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	cfg, err := orderConfig(dir, api.URL, []string{"acme"})
	if err != nil {
		t.Fatal(err)
	}
	run := func() (s *service.Service, stop func()) {
		t.Helper()
		s, err := service.New(cfg, "v1.2.3", zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Errorf("the worker stopped with %v", err)
			}
		})
		stop = sync.OnceFunc(func() { cancel(); running.Wait() })
		t.Cleanup(stop)
		<-s.Ready()
		return s, stop
	}
	s, stop := run()
	rollcall := func(args ...string) string {
		t.Helper()
		var out, complaint strings.Builder
		p := &program{args: append(args, "--nats", s.NATS(), "--tenant", "acme"), stdout: &out, stderr: &complaint, env: func(string) (string, bool) { return "", false }}
		if code := p.run(t.Context()); code != exitDone {
			t.Fatalf("rollcall %v exits with %d: %s%s", args, code, out.String(), complaint.String())
		}
		return out.String()
	}
	for i, meeting := range []string{"on", "over", "off"} {
		act(simulator.Act{Verb: "create", ConferenceID: meeting, Title: "Weekly " + meeting})
		act(simulator.Act{Verb: "join", ConferenceID: meeting, UserID: "u2", Nick: "Bob"})
		for range 5 + i {
			act(simulator.Act{Verb: "join", ConferenceID: meeting, UserID: id, Nick: nick})
			rollcall("track", meeting) // asks at once
			act(simulator.Act{Verb: "leave", ConferenceID: meeting, UserID: id})
			rollcall("track", meeting)
		}
		act(simulator.Act{Verb: "join", ConferenceID: meeting, UserID: id, Nick: nick})
		rollcall("track", meeting)
	}
	rollcall("untrack", "off")
	act(simulator.Act{Verb: "end", ConferenceID: "over"})
	rollcall("track", "over")
	watching, unwatch := context.WithCancel(t.Context())
	defer unwatch()
	watched := make(chan struct{})
	meetings, err := consume.Watch(watching, s.Conn(), consume.Options{Tenant: "acme", OnChange: func(u consume.Update) {
		if u.Kind == consume.Changed && u.Event.Type == "participant.forgotten" && u.Event.ConferenceID == "on" {
			close(watched)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	<-meetings.Synced()
	if len(onDisk(t, dir, nick)) == 0 {
		t.Fatal("the name is nowhere: what is there to forget?")
	}

	told := rollcall("forget", "--user", id, "--yes")
	if !strings.Contains(told, "forgotten in 3 meetings") {
		t.Errorf("it is told: %s", told)
	}
	nowhere := func(when string) {
		t.Helper()
		for _, text := range []string{id, nick} {
			if files := onDisk(t, dir, text); len(files) > 0 {
				t.Errorf("%s: %q stands in %q", when, text, files)
			}
		}
	}
	nowhere("at once")
	<-watched
	on, _ := meetings.Get("acme", "on")
	if len(on.People) != 2 || strings.Contains(fmt.Sprint(on.People), id) || meetings.Repairs() > 0 {
		t.Errorf("who watches sees %+v, after %d repairs", on.People, meetings.Repairs())
	}
	for range 3 { // DingTalk lists the person on
		act(simulator.Act{Verb: "leave", ConferenceID: "on", UserID: "u2"})
		rollcall("track", "on")
		act(simulator.Act{Verb: "join", ConferenceID: "on", UserID: "u2", Nick: "Bob"})
		rollcall("track", "on")
	}
	act(simulator.Act{Verb: "leave", ConferenceID: "on", UserID: id})
	rollcall("track", "on")
	nowhere("while the meeting goes on")
	unwatch()
	stop()
	nowhere("after a stop")
	s, stop = run()
	if shown := rollcall("show", "on"); !strings.Contains(shown, "Bob") {
		t.Errorf("after the next start: %s", shown)
	}
	act(simulator.Act{Verb: "join", ConferenceID: "on", UserID: id, Nick: nick})
	rollcall("track", "on")
	stop()
	nowhere("after the next start")
}
