package natsconn_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/natsconn"
	"rollcall/internal/natstest"
)

const password = "hunter2-very-secret"

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wait waits until the condition holds.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func connect(t *testing.T, cfg natsconn.Config) (*nats.Conn, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	conn, err := natsconn.Connect(cfg, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, logs
}

func seen(logs *observer.ObservedLogs, message string) int {
	return logs.FilterMessage(message).Len()
}

func TestAnOutageIsLoggedOnceAtEachEnd(t *testing.T) {
	s := natstest.Start(t)
	conn, logs := connect(t, natsconn.Config{URL: s.URL()})
	if !conn.IsConnected() || seen(logs, "connected to NATS") != 1 {
		t.Fatalf("not connected, or not said once: %v", logs.All())
	}
	s.Stop()
	wait(t, "the failed attempt is logged", func() bool { return seen(logs, "cannot reach NATS; retrying") > 0 })
	if err := conn.Publish("a", nil); !errors.Is(err, nats.ErrReconnectBufExceeded) {
		t.Errorf("publish while disconnected: %v, want a failure at once", err)
	}
	s.Restart()
	wait(t, "the connection is back", func() bool { return seen(logs, "connected to NATS") == 2 })
	if lost := seen(logs, "connection to NATS lost"); lost != 1 {
		t.Errorf("the loss was logged %d times", lost)
	}
	back := logs.FilterMessage("connected to NATS").All()[1].ContextMap()
	if outage, ok := back["outage"].(time.Duration); !ok || outage <= 0 {
		t.Errorf("the outage is %v", back["outage"])
	}
}

func TestAServerThatComesLater(t *testing.T) {
	s := natstest.Start(t)
	s.Stop()
	conn, logs := connect(t, natsconn.Config{URL: s.URL()})
	if conn.IsConnected() {
		t.Fatal("connected to nothing")
	}
	wait(t, "the failed attempt is logged", func() bool { return seen(logs, "cannot reach NATS; retrying") > 0 })
	s.Restart()
	wait(t, "the server is found", func() bool { return conn.IsConnected() && seen(logs, "connected to NATS") == 1 })
}

func TestCredentialsFromFiles(t *testing.T) {
	withUser := natstest.StartWith(t, server.Options{Username: "ann", Password: password})
	withToken := natstest.StartWith(t, server.Options{Authorization: password})
	for name, cfg := range map[string]natsconn.Config{
		"user":  {URL: withUser.URL(), User: "ann", PasswordFile: file(t, password+"\n")},
		"token": {URL: withToken.URL(), TokenFile: file(t, password+"\n")},
	} {
		if conn, logs := connect(t, cfg); !conn.IsConnected() {
			t.Errorf("%s: not connected: %v", name, logs.All())
		}
	}
}

// door lets in whoever knows the password, and counts who knocks.
type door struct{ knocks atomic.Int64 }

func (d *door) Check(c server.ClientAuthentication) bool {
	d.knocks.Add(1)
	return c.GetOpts().Password == password
}

func TestARenewedSecretIsReadAgain(t *testing.T) {
	var d door
	s := natstest.StartWith(t, server.Options{CustomClientAuthentication: &d})
	path := file(t, "the old one")
	conn, logs := connect(t, natsconn.Config{URL: s.URL(), User: "ann", PasswordFile: path})
	// The client by itself gives up after two refusals.
	wait(t, "it was refused again and again", func() bool { return d.knocks.Load() >= 4 })
	if refusals := seen(logs, "cannot reach NATS; retrying"); refusals != 1 {
		t.Errorf("the refusal was logged %d times", refusals)
	}
	if err := os.WriteFile(path, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	wait(t, "the new secret is used", conn.IsConnected)
}

func TestNoSecretIsShown(t *testing.T) {
	s := natstest.StartWith(t, server.Options{Username: "ann", Password: password})
	with := strings.Replace(s.URL(), "nats://", "nats://ann:"+password+"@", 1)
	for _, bad := range []string{
		with, s.URL() + "," + with, "nats://" + password + "@h:4222", password + "@h",
		"nats://ann:" + password + "@ho st:4222", "nats://ann:" + password + "@:4222", "nats://h:4222,nats://ann:" + password + "@%zz",
	} {
		_, err := natsconn.Connect(natsconn.Config{URL: bad}, zap.NewNop())
		if err == nil || strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "nats.url") {
			t.Errorf("got %v, want an error without the password", err)
		}
	}
	for _, cfg := range []natsconn.Config{
		{CredentialsFile: password},
		{TokenFile: password},
		{User: "ann", PasswordFile: password},
		{TLS: natsconn.TLS{CA: password}},
		{TLS: natsconn.TLS{Cert: password, Key: password}},
	} {
		cfg.URL = s.URL()
		if _, err := natsconn.Connect(cfg, zap.NewNop()); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("got %v, want an error without the password", err)
		}
	}
}

// far dials this machine, and has it look like another one.
type far struct{}

func (far) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return elsewhere{conn}, err
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4222} }

func TestASecretSentUnencryptedIsSaid(t *testing.T) {
	const words = "the token or password is sent to NATS unencrypted; write tls:// in nats.url, with TLS set up in nats-server"
	s := natstest.StartWith(t, server.Options{Authorization: password})
	open := natstest.Start(t)
	dial := []nats.Option{nats.SetCustomDialer(far{})}
	for name, c := range map[string]struct {
		cfg  natsconn.Config
		said int
	}{
		"to another machine": {natsconn.Config{URL: s.URL(), TokenFile: file(t, password), Options: dial}, 1},
		"to this machine":    {natsconn.Config{URL: s.URL(), TokenFile: file(t, password)}, 0},
		"no secret":          {natsconn.Config{URL: open.URL(), Options: dial}, 0},
	} {
		if conn, logs := connect(t, c.cfg); !conn.IsConnected() || seen(logs, words) != c.said {
			t.Errorf("%s: said %d times, want %d", name, seen(logs, words), c.said)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	const url = "nats://127.0.0.1:1"
	absent := filepath.Join(t.TempDir(), "absent")
	for want, cfg := range map[string]natsconn.Config{
		"nats.url is empty":                     {},
		"nats.credentials_file: open " + absent: {URL: url, CredentialsFile: absent},
		"nats.token_file":                       {URL: url, TokenFile: file(t, " \n")},
		"is empty":                              {URL: url, User: "ann", PasswordFile: file(t, "")},
		"belong together":                       {URL: url, User: "ann"},
		"give only one of":                      {URL: url, TokenFile: absent, CredentialsFile: absent},
		"nats.tls.ca_file":                      {URL: url, TLS: natsconn.TLS{CA: absent}},
		"nats.tls.cert_file and nats.tls":       {URL: url, TLS: natsconn.TLS{Cert: absent}},
		"nats.tls.cert_file and key_file":       {URL: url, TLS: natsconn.TLS{Cert: absent, Key: absent}},
	} {
		if _, err := natsconn.Connect(cfg, zap.NewNop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
