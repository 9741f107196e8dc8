package service_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap/zaptest"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/service"
	"rollcall/simulator"
	"rollcall/wire"
)

// A disk fills up under the embedded server, and is freed again. The process names
// it meanwhile, ends once a new start helps, and the next one tells what came.
func TestLongAFullDisk(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("takes a minute; set ROLLCALL_LONG=1")
	}
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	sim, cfg := simulated(t)
	cfg.DataDir = filepath.Join(small, "data")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	events := make(chan rollcall.Event, 1000)
	s, ended := runHeard(ctx, t, cfg, events)
	await(t, events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingStarted })
	free := fill(t, small)
	join(t, sim, "meanwhile")
	unready(t, s, cfg.DataDir, "nearly full", "write error")
	if got := status(t, s, "/livez"); got != http.StatusOK {
		t.Errorf("/livez gives %d while a new start would not help", got)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ends while the disk is full: %v", err)
	default:
	}
	free()
	err := <-ended
	if err == nil {
		t.Fatal("it ends as if it had been told to")
	}
	for _, word := range []string{cfg.DataDir, "to be started again", "no space left on device", "MiB of 64.0"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("it does not say %q: %v", word, err)
		}
	}

	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, ended = runHeard(ctx, t, cfg, events)
	await(t, events, func(e rollcall.Event) bool {
		return e.Type == rollcall.ParticipantJoined && e.Participant.UserID == "meanwhile"
	})
	join(t, sim, "later")
	await(t, events, func(e rollcall.Event) bool {
		return e.Type == rollcall.ParticipantJoined && e.Participant.UserID == "later"
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it stopped with %v", err)
	}
}

// runHeard runs a service, and puts its events into a channel from the first on.
func runHeard(ctx context.Context, t *testing.T, cfg config.Config, events chan<- rollcall.Event) (*service.Service, <-chan error) {
	t.Helper()
	s, err := service.New(cfg, "0.0.1", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(s.NATS(), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := conn.Subscribe("meetings.event.>", func(m *nats.Msg) {
		if e, err := wire.DecodeEvent(m.Data); err == nil {
			events <- e
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return s, ended
}

// fill takes the whole disk, and gives what frees it again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	_ = f.Close()
	return func() { _ = os.Remove(name) }
}

func join(t *testing.T, sim *simulator.Simulator, who string) {
	t.Helper()
	if _, err := sim.Act(simulator.Act{Verb: "join", ConferenceID: sim.ConferenceIDs()[0], UserID: who, Nick: who}); err != nil {
		t.Fatal(err)
	}
}

// unready waits until /readyz refuses with all of the words.
func unready(t *testing.T, s *service.Service, words ...string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		answer, err := http.Get("http://" + s.HTTP().String() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		missing := ""
		for _, word := range words {
			if !strings.Contains(string(body), word) {
				missing = word
			}
		}
		if missing == "" && answer.StatusCode == http.StatusServiceUnavailable {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%q is not in %s", missing, body)
		}
	}
}

func status(t *testing.T, s *service.Service, path string) int {
	t.Helper()
	answer, err := http.Get("http://" + s.HTTP().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	return answer.StatusCode
}
