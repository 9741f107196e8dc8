package deploy_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"rollcall/cmd/rollcall/check"
	"rollcall/internal/natsconn"
)

// mounted is a configuration of nats-server as it lies in its pod or on its machine:
// beside the files that it includes, with a certificate and its users' passwords.
func mounted(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	certify(t, dir)
	t.Setenv("POD_NAME", "nats-0")
	places := strings.NewReplacer("/etc/nats-tls", dir, "./tls", dir, "store_dir: /data", "store_dir: "+dir, "store_dir: ./data", "store_dir: "+dir)
	for _, from := range []string{file, "nats/accounts.conf", "nats/permissions.conf"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(from)), []byte(places.Replace(textOf(t, from))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.Base(file))
}

// certify writes a certificate, that of net/http's tests, as a Secret holds one.
func certify(t *testing.T, dir string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pair := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "tls.crt": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		"tls.key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Every configuration of nats-server is one that it accepts.
func TestNATSAcceptsItsConfigurations(t *testing.T) {
	for _, file := range []string{"kubernetes/overlays/cluster/nats.conf", "kubernetes/overlays/simulator/nats.conf", "nats/server.conf"} {
		url := brokerOf(t, mounted(t, file))
		if conn, _ := connect(t, url, "worker"); !conn.IsConnected() {
			t.Errorf("%s: the worker is not let in", file)
		}
	}
}

// The three servers of the overlay have room for what its workers make there.
func TestTheClusterHasRoomForItsStream(t *testing.T) {
	const overlay = "kubernetes/overlays/cluster/"
	url := brokerOf(t, mounted(t, overlay+"nats.conf"))
	cfg := load(t, overlay+"rollcall.yaml")
	cfg.DataDir, cfg.HTTP.Listen, cfg.NATS.URL = t.TempDir(), "127.0.0.1:0", url
	cfg.NATS.PasswordFile, cfg.NATS.TLS.CAFile = secret(t, password("worker")), ""
	cfg.Tenants[0].Endpoint, cfg.Tenants[0].Auth.ClientSecretFile = simulated(t), secret(t, "any")
	tried := false
	_, err := check.Check{
		Config: cfg, NoCall: true,
		Broker: natsconn.Config{URL: url, User: cfg.NATS.User, PasswordFile: cfg.NATS.PasswordFile, InboxPrefix: cfg.NATS.InboxPrefix},
		Report: func(r check.Result) {
			if r.Check != "limits" {
				return
			}
			if tried = true; r.Verdict != check.OK {
				t.Errorf("%s; %s", r.Found, r.Fix)
			}
		},
	}.Run(t.Context())
	if err != nil || !tried {
		t.Errorf("the limits were tried: %v, %v", tried, err)
	}
	options, err := server.ProcessConfigFile(mounted(t, overlay+"nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if s := cfg.Stream; options.JetStreamMaxStore <= s.MaxBytes+s.WorkersMaxBytes+s.BudgetMaxBytes {
		t.Errorf("a server may store %d bytes, less than the streams", options.JetStreamMaxStore)
	}
}

// The script makes every password that the servers' configuration asks for.
func TestTheClusterHasItsPasswords(t *testing.T) {
	script := textOf(t, "kubernetes/overlays/cluster/secrets")
	for _, wanted := range regexp.MustCompile(`\$([A-Z]+)_PASSWORD`).FindAllStringSubmatch(textOf(t, "nats/accounts.conf"), -1) {
		if !regexp.MustCompile(`for user in .*\b` + wanted[1] + `\b.*; do`).MatchString(script) {
			t.Errorf("the script secrets makes no password of %s", wanted[1])
		}
	}
}
