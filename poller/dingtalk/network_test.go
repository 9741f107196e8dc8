package dingtalk

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/poller"
)

// TestWrongHosts asks where DingTalk is not: each time it is said what to look at.
func TestWrongHosts(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	talking, err := net.Dial("tcp", plain.Listener.Addr().String()) // holds a port on which nobody listens, nor can
	if err != nil {
		t.Fatal(err)
	}
	defer talking.Close()
	other := newTransport()
	defer other.CloseIdleConnections()
	other.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.dingtalk.example", IsNotFound: true}}
	}
	for name, c := range map[string]struct {
		endpoint  string
		transport http.RoundTripper
		says      []string
	}{
		"no such name":   {"https://api.dingtalk.example", other, []string{"api.dingtalk.example", "no such host", fixName}},
		"nobody listens": {"http://" + talking.LocalAddr().String(), nil, []string{"no answer from 127.0.0.1", fixWay}},
		"another's name": {secure.URL, nil, []string{"certificate", fixTLS}},
		"no TLS":         {strings.Replace(plain.URL, "http:", "https:", 1), nil, []string{fixTLS}},
		"a web server":   {plain.URL, nil, []string{"HTTP 404", "check the corp id and the endpoint"}},
	} {
		client, err := New(Config{Endpoint: c.endpoint, Auth: internalApp(), Transport: c.transport})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_, err = client.CheckToken(t.Context())
		for _, want := range c.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
		if class := poller.ClassOf(err); class != poller.ClassTransient && name != "a web server" {
			t.Errorf("%s: class %v", name, class)
		}
	}
}
