package cluster_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"regexp"
	"testing"
	"time"

	"rollcall/simulator"
)

// images builds the images of Rollcall, twice, of NATS and of the witness, without a
// daemon, and loads them.
func (c *cluster) images() {
	c.t.Helper()
	c.page.section("## The images", "Built without a daemon or a registry: Rollcall's twice, with the same bytes, and NATS from its Go module, under the name that the manifests have.")
	c.t.Setenv("CGO_ENABLED", "0")
	rollcall, nats, witness := c.scratch+"/rollcall.tar", c.scratch+"/nats-server", c.scratch+"/witness"
	c.do("go run ./.ci/image", "-o", rollcall)
	c.do("go run ./.ci/image", "-o", rollcall+".again")
	if !bytes.Equal(bytesOf(c.t, rollcall), bytesOf(c.t, rollcall+".again")) {
		c.t.Error("two builds of Rollcall's image differ")
	}
	c.ask("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", nats, "github.com/nats-io/nats-server/v2")
	c.do("go run ./.ci/image -program nats-server -name "+c.natsImage(), "-program", nats, "-o", nats+".tar")
	c.ask("go", "test", "-c", "-trimpath", "-o", witness, "./cmd/rollcall/endtoend")
	c.do("go run ./.ci/image -program witness -name localhost/rollcall-witness:dev", "-program", witness, "-o", witness+".tar")
	for _, tar := range []string{rollcall, nats + ".tar", witness + ".tar"} {
		c.ask("load", tar)
	}
}

// natsImage is the name of the image that the overlay cluster wants.
func (c *cluster) natsImage() string {
	c.t.Helper()
	found := regexp.MustCompile(`image: (\S+/nats:\S+)`).FindSubmatch(bytesOf(c.t, "../kubernetes/overlays/cluster/nats.yaml"))
	if found == nil {
		c.t.Fatal("the overlay cluster names no image of NATS")
	}
	return string(found[1])
}

// files writes what the Secrets are made of, and returns where it is: the app's
// secret, and DingTalk's certificate with its key.
func (c *cluster) files() (app, certificate, key string) {
	c.t.Helper()
	cert, private := certificateOf(c.t, "dingtalk")
	return c.file("acme", []byte(simulator.DefaultAppSecret)), c.file("dingtalk.crt", cert), c.file("dingtalk.key", private)
}

// certificateOf makes one of its own authority for a host, in PEM.
func certificateOf(t *testing.T, host string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func bytesOf(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
