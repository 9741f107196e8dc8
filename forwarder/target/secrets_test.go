package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/secret"
	"rollcall/simulator/chat"
)

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

func demandError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want an error with %q", what, err, want)
	}
}

const (
	token = "tok3n-of-the-robot"
)

// secretive are options with a token in every part of the address.
func secretive(t testing.TB, base string) Options {
	return Options{
		Address: addressOf(t, base+"/"+token+"/send?access_token="+token+"&key="+token+"&sig="+token),
		Secret:  secret.New("whsec_c2lnbmVyLXRoYXQtbm9ib2R5LXNlZXMhIQ=="), OldSecrets: []secret.String{secret.New("whsec_b2xkLXNpZ25lci10aGF0LW5vYm9keS1zZWVz")},
	}
}

// demandHidden wants no secret in what is shown, under whatever verb.
func demandHidden(t *testing.T, what string, shown any) {
	t.Helper()
	data, _ := json.Marshal(shown)
	for _, text := range []string{fmt.Sprint(shown), fmt.Sprintf("%+v %#v %s %q %x", shown, shown, shown, shown, shown), string(data)} {
		for _, hidden := range []string{token, "tok3n", fmt.Sprintf("%x", token), "c2lnbmVy", "b2xkLXNp", "example.com", "chat.example"} {
			if contains(text, hidden) {
				t.Errorf("%s shows %q: %s", what, hidden, text)
			}
		}
	}
}

type refuses struct{ err error }

func (r refuses) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

type echoes struct{ status int }

// RoundTrip says the whole address and the secrets in its answer.
func (e echoes) RoundTrip(r *http.Request) (*http.Response, error) {
	words := "no: " + r.URL.String() + " " + token + " " + url.QueryEscape(token) + " whsec_c2lnbmVyLXRoYXQtbm9ib2R5LXNlZXMhIQ=="
	body, _ := json.Marshal(map[string]any{"errcode": 40035, "errmsg": words, "code": 19002, "msg": words, "error": map[string]string{"code": "x", "message": words}})
	return &http.Response{StatusCode: e.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(body)))}, nil
}

func TestNothingShowsAnAddressOrASecret(t *testing.T) {
	o := secretive(t, "https://example.com")
	demandHidden(t, "the options", o)
	demandHidden(t, "an address", o.Address)
	demandHidden(t, "an address's pointer", &o)
	demandHidden(t, "a hash", o.Address.Key())
	for _, transport := range []http.RoundTripper{
		echoes{200},
		echoes{400},
		echoes{500},
		refuses{errors.New("dial " + token)},
		refuses{io.EOF},
		refuses{context.DeadlineExceeded},
		refuses{&url.Error{Op: "Post", URL: "https://example.com/" + token, Err: io.ErrUnexpectedEOF}},
	} {
		o.Transport = transport
		for _, kind := range Kinds() {
			made, err := kind.New(o)
			if err != nil {
				t.Fatalf("%s: %v", kind.Name, err)
			}
			demandHidden(t, kind.Name+"'s target", made)
			got := made.Send(t.Context(), message(kind, "e-1"))
			demandHidden(t, kind.Name+"'s outcome", got)
			if strings.Contains(got.Detail, "//") || strings.Contains(got.Detail, "\n") {
				t.Errorf("%s: the detail holds an address or a line break: %q", kind.Name, got.Detail)
			}
		}
	}
	for _, raw := range []string{"http://" + token + "/", "https://user@" + token + "/", "https://%zz" + token, token} {
		_, err := ParseAddress(raw)
		demandHidden(t, "the error of an address", err)
	}
}

// Over the network: no name, no listener, no certificate, no TLS, no way back.
func TestWhyNothingArrivesIsToldWithoutTheAddress(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	silent := httptest.NewTLSServer(http.NotFoundHandler())
	defer silent.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for what, c := range map[string]struct{ base, want string }{
		"no listener":    {closed.URL, "refused"},
		"no certificate": {silent.URL, "certificate"},
		"no TLS":         {strings.Replace(plain.URL, "http:", "https:", 1), "TLS"},
	} {
		kind, _ := KindOf("slack")
		o := secretive(t, c.base)
		made, err := kind.New(o)
		if err != nil {
			t.Fatal(err)
		}
		got := made.Send(t.Context(), message(kind, "e-1"))
		if got.Class != Unreachable || got.Unsure || !strings.Contains(got.Detail, c.want) {
			t.Errorf("%s: %+v", what, got)
		}
		demandHidden(t, what, got)
	}
}

func TestAStoppedAttemptMayHaveArrived(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	kind, _ := KindOf("slack")
	made, err := kind.New(Options{Address: addressOf(t, "https://example.com"), Transport: refuses{context.Canceled}})
	if err != nil {
		t.Fatal(err)
	}
	if got := made.Send(ctx, message(kind, "e-1")); got.Class != Unreachable || !got.Unsure {
		t.Errorf("%+v", got)
	}
}

func TestPrivateAddressesAreRefusedAtTheConnection(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	kind, _ := KindOf("webhook")
	byName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, base := range []string{server.URL, byName} {
		for _, allowed := range []bool{false, true} {
			made, err := kind.New(Options{Address: addressOf(t, base), AllowPrivate: allowed})
			if err != nil {
				t.Fatal(err)
			}
			before := asked.Load()
			got := made.Send(t.Context(), message(kind, "e-1"))
			if reached := asked.Load() > before; reached != allowed || (got.Class == Delivered) != allowed {
				t.Errorf("%s, allowed %v: reached %v, %+v", base, allowed, reached, got)
			}
			if !allowed && (!strings.Contains(got.Detail, "allow_private") || got.Unsure) {
				t.Errorf("%s: %+v", base, got)
			}
		}
	}
}

func TestWhatIsPublic(t *testing.T) {
	for _, ip := range []string{"8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "172.32.0.1", "100.128.0.1"} {
		if !public(netip.MustParseAddr(ip)) {
			t.Errorf("%s is public, and refused", ip)
		}
	}
	for _, ip := range []string{
		"127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
		"192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
		"2001:db8::1", "2002:7f00:1::", "2001::1", "fec0::1", "100::1", "3fff::1",
	} {
		if public(netip.MustParseAddr(ip)) {
			t.Errorf("%s is not public, and allowed", ip)
		}
	}
}

// A redirect may lead anywhere, with the message.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Bool
	mux := http.NewServeMux()
	mux.Handle("/other", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
	mux.Handle("/", http.RedirectHandler("/other", http.StatusTemporaryRedirect))
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, kind := range Kinds() {
		made, err := kind.New(Options{Address: addressOf(t, server.URL+"/x?access_token=t&key=k"), AllowPrivate: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := made.Send(t.Context(), message(kind, "e-1")); got.Class != AuthError || !strings.Contains(got.Detail, "redirects are not followed") {
			t.Errorf("%s: %+v", kind.Name, got)
		}
	}
	if followed.Load() {
		t.Error("a redirect was followed")
	}
}

func TestAnswersAreReadWithABound(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 4*maxAnswer))
	}))
	defer server.Close()
	kind, _ := KindOf("slack")
	made, err := kind.New(Options{Address: addressOf(t, server.URL)})
	if err != nil {
		t.Fatal(err)
	}
	if got := made.Send(t.Context(), message(kind, "e-1")); got.Class != ServerError || len(got.Detail) > 2*maxForeign {
		t.Errorf("%+v", got)
	}
}

// A service that never answers is given up, within a bound.
func TestSilenceIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakes(t, nil)
		if err := f.Misbehave(chat.Fault{Kind: chat.Timeout}); err != nil {
			t.Fatal(err)
		}
		for _, kind := range Kinds() {
			began := time.Now()
			got := f.targets[kind.Name].Send(t.Context(), message(kind, "e-1"))
			if took := time.Since(began); got.Class != Unreachable || !got.Unsure || took > time.Minute {
				t.Errorf("%s: %+v after %v", kind.Name, got, took)
			}
		}
	})
}
