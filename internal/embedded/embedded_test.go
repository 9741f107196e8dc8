package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"rollcall/internal/embedded"
	"rollcall/internal/secret"
	"rollcall/wire"
)

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

func start(t *testing.T, cfg embedded.Config) *embedded.Server {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	cfg.Names, cfg.Logger = names(), zaptest.NewLogger(t)
	s, err := embedded.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func asWorker(t *testing.T, s *embedded.Server) jetstream.JetStream {
	t.Helper()
	return dial(t, "", s.Options()...)
}

func dial(t *testing.T, url string, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(url, append(options, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func minute(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestWhatIsStoredSurvivesARestart(t *testing.T) {
	cfg := embedded.Config{DataDir: filepath.Join(t.TempDir(), "new", "data"), SyncAlways: true}
	s := start(t, cfg)
	js := asWorker(t, s)
	if _, err := js.CreateStream(minute(t), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(minute(t), "s", make([]byte, 3<<20)); err != nil {
		t.Fatalf("a message of 3 MiB: %v", err)
	}
	js.Conn().Close()
	s.Close()
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "jetstream")); err != nil {
		t.Errorf("the store is not where it belongs: %v", err)
	}
	stream, err := asWorker(t, start(t, cfg)).Stream(minute(t), "S")
	if err != nil || stream.CachedInfo().State.Msgs != 1 {
		t.Fatalf("after a restart: %v, %v", stream, err)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := embedded.Start(embedded.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Names: names()})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect("", s.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	address := strings.TrimPrefix(s.URL(), "nats://")
	s.Close()
	goleak.VerifyNone(t, before)
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = l.Close()
}

func TestStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg  embedded.Config
		want []string
	}{
		"port taken":   {embedded.Config{Listen: taken.Addr().String()}, []string{taken.Addr().String(), "nats.embedded.listen"}},
		"everywhere":   {embedded.Config{Listen: "0.0.0.0:0"}, []string{"0.0.0.0:0", "nats.embedded.listen", "nats.token_file"}},
		"no host":      {embedded.Config{Listen: ":0"}, []string{"nats.embedded.listen", "nats.password_file"}},
		"no password":  {embedded.Config{Listen: ":0", User: "ann"}, []string{"nats.password_file"}},
		"no port":      {embedded.Config{Listen: "127.0.0.1"}, []string{"nats.embedded.listen"}},
		"bad port":     {embedded.Config{Listen: "127.0.0.1:nats"}, []string{"nats.embedded.listen", "65535"}},
		"no directory": {embedded.Config{Listen: "127.0.0.1:0", DataDir: file}, []string{"data_dir", file}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.cfg.DataDir == "" {
				c.cfg.DataDir = t.TempDir()
			}
			c.cfg.Names = names()
			s, err := embedded.Start(c.cfg)
			if err == nil {
				s.Close()
				t.Fatal("it started")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not name %s", err, want)
				}
			}
			if lock, err := embedded.LockDir(c.cfg.DataDir); err == nil {
				lock.Release()
			} else if c.cfg.DataDir != file {
				t.Errorf("the directory is still locked: %v", err)
			}
		})
	}
}

// TestHoldDataDir is the other process of the test below.
func TestHoldDataDir(t *testing.T) {
	dir := os.Getenv("ROLLCALL_TEST_HOLD")
	if dir == "" {
		t.Skip("this is the other process of TestDataDirIsHeldByAnotherProcess")
	}
	if _, err := embedded.LockDir(dir); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the test closes it, or dies
}

func TestDataDirIsHeldByAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldDataDir$", "-test.v")
	other.Env = append(os.Environ(), "ROLLCALL_TEST_HOLD="+dir)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	for said := ""; !strings.Contains(said, "held"); {
		buffer := make([]byte, 256)
		n, err := stdout.Read(buffer)
		if err != nil {
			t.Fatalf("the other process: %v after %q", err, said)
		}
		said += string(buffer[:n])
	}
	_, err = embedded.Start(embedded.Config{DataDir: dir, Listen: "127.0.0.1:0", Names: names()})
	want := fmt.Sprintf("data_dir %s is in use by process %d", dir, other.Process.Pid)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = stdin.Close()
	_ = other.Wait() // it was killed, and that is its error
	lock, err := embedded.LockDir(dir)
	if err != nil {
		t.Fatalf("after the other process was killed: %v", err)
	}
	lock.Release()
}

func TestCredentialsOfReaders(t *testing.T) {
	const password = "open sesame"
	withUser := start(t, embedded.Config{Listen: "0.0.0.0:0", User: "ann", Password: secret.New(password)})
	withToken := start(t, embedded.Config{Listen: "0.0.0.0:0", Token: secret.New(password)})
	for name, c := range map[string]struct {
		server *embedded.Server
		option nats.Option
		ok     bool
	}{
		"user":           {withUser, nats.UserInfo("ann", password), true},
		"wrong password": {withUser, nats.UserInfo("ann", "x"), false},
		"nobody":         {withUser, nats.Name("nobody"), false},
		"worker's name":  {withUser, nats.UserInfo("worker", ""), false},
		"token":          {withToken, nats.Token(password), true},
		"wrong token":    {withToken, nats.Token("x"), false},
		"no token":       {withToken, nats.Name("nobody"), false},
		"worker, token":  {withToken, nats.UserInfo("worker", password), false},
	} {
		url := strings.Replace(c.server.URL(), "[::]", "127.0.0.1", 1)
		conn, err := nats.Connect(strings.Replace(url, "0.0.0.0", "127.0.0.1", 1), c.option)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	for _, s := range []*embedded.Server{withUser, withToken} {
		js := asWorker(t, s)
		if _, err := js.CreateStream(minute(t), jetstream.StreamConfig{Name: "MEETINGS", Subjects: []string{names().Commits()}}); err != nil {
			t.Errorf("the worker: %v", err)
		}
	}
}
