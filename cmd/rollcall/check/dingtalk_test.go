package check

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natsconn"
	"rollcall/simulator"
)

func TestWhatDingTalkRefuses(t *testing.T) {
	for _, c := range []struct {
		fault   string
		op      simulator.Operation
		check   string
		verdict Verdict
		words   []string
	}{
		{"invalidSuiteTicket", simulator.OpToken, "token", Fail, []string{"newest suite ticket is in its file", "what was sent: auth.client_id dingsimulator"}},
		{simulator.FaultHTML, simulator.OpToken, "token", Fail, []string{"blocked", "HTTP 200"}},
		{simulator.FaultX5, simulator.OpToken, "token", Fail, []string{"blocked", "refuses this machine's address"}},
		{simulator.FaultGarbage, simulator.OpToken, "token", Fail, []string{"no usable token", "api.dingtalk.io"}},
		{simulator.FaultReset, simulator.OpToken, "token", Fail, []string{"no answer from 127.0.0.1"}},
		{simulator.FaultX5, simulator.OpQuery, "permission", Fail, []string{"blocked", "refuses this machine's address"}},
		{simulator.FaultHTML, simulator.OpQuery, "permission", Fail, []string{"blocked"}},
		{"Forbidden.AccessDenied.ApiCountLimitForOrg", simulator.OpQuery, "permission", Fail, []string{"quota", "wait for the next one or buy more"}},
		{"Forbidden.AccessDenied.IpNotInWhiteList", simulator.OpQuery, "permission", Fail, []string{"allowed addresses"}},
		{"noPermission", simulator.OpQuery, "permission", Fail, []string{"an administrator grants it", "VideoConference.Conference.Read"}},
		{"orgAccessForbidden", simulator.OpQuery, "permission", Fail, []string{"does not cover this organization"}},
		{"waterLimitError", simulator.OpQuery, "permission", Warn, []string{"throttled", "HTTP 404", "request id", "try again in a minute"}},
		{"resourceClose", simulator.OpQuery, "permission", Warn, []string{"the permission is there", "is over", "track.conferences"}},
		{"paramsError", simulator.OpQuery, "permission", Warn, []string{"does not accept the id", "track.conferences"}},
		{"ServiceUnavailable", simulator.OpQuery, "permission", Fail, []string{"HTTP 503", "try again later"}},
		{simulator.FaultGarbage, simulator.OpQuery, "permission", Fail, []string{"malformed"}},
	} {
		t.Run(c.fault+" "+string(c.op), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.sim.Arm(simulator.Fault{Name: c.fault, Operation: c.op}); err != nil {
				t.Fatal(err)
			}
			r := run(t, w.check())
			r.says(t, "dingtalk "+c.check, c.verdict, c.words...)
			if failed := r.count[Fail]; (failed == 1) != (c.verdict == Fail) {
				t.Errorf("%d failed:\n%s", failed, r.text)
			}
		})
	}
}

func metered(sim *simulator.Simulator) (n int) {
	for _, served := range sim.Served() {
		if served.Operation.Metered() {
			n++
		}
	}
	return n
}

func TestOneMeteredCallOrNone(t *testing.T) {
	w := newWorld(t)
	run(t, w.check()).says(t, "dingtalk permission", OK, "one metered call", "tells about it")
	if n := metered(w.sim); n != 1 {
		t.Errorf("%d metered calls", n)
	}

	w = newWorld(t)
	w.tenant().Track.Conferences = nil
	run(t, w.check()).says(t, "dingtalk permission", OK, "cannot exist (one metered call)", "the permission is there")
	if n := metered(w.sim); n != 1 {
		t.Errorf("%d metered calls", n)
	}

	w = newWorld(t)
	c := w.check()
	c.NoCall = true
	run(t, c).says(t, "dingtalk permission", Skip, "--no-call")
	if n := metered(w.sim); n != 0 {
		t.Errorf("%d metered calls in spite of --no-call", n)
	}

	w = newWorld(t)
	w.tenant().Track.Conferences = []string{"no-such-id"}
	run(t, w.check()).says(t, "dingtalk permission", Warn, "does not know meeting no-such-id")
}

func TestMissingScopesAreNamedForALookupToo(t *testing.T) {
	w := newWorld(t)
	w.tenant().Track.Conferences = nil
	if err := w.sim.Arm(simulator.Fault{Name: "Forbidden.AccessDenied.AccessTokenPermissionDenied", Operation: simulator.OpMeeting}); err != nil {
		t.Fatal(err)
	}
	run(t, w.check()).says(t, "dingtalk permission", Fail, "missing scopes: VideoConference.Conference.Read", "administrator grants it", "open-dev.dingtalk.com")
}

func TestListsAreTriedWhereMeetingsAreLookedFor(t *testing.T) {
	finding := func() *world {
		w := newWorld(t)
		w.tenant().Track.Organization.Enabled, w.tenant().Track.Users = true, []string{"u1"}
		return w
	}
	w := finding()
	r := run(t, w.check())
	r.says(t, "dingtalk organization", OK, "track.organization (one metered call)", "the permission is there", "go on")
	r.says(t, "dingtalk users", OK, "track.users (one metered call)", "the permission is there")
	if n := metered(w.sim); n != 3 {
		t.Errorf("%d metered calls", n)
	}

	w = finding()
	c := w.check()
	c.NoCall = true
	r = run(t, c)
	r.says(t, "dingtalk organization", Skip, "--no-call")
	r.says(t, "dingtalk users", Skip, "--no-call")
	if n := metered(w.sim); n != 0 {
		t.Errorf("%d metered calls in spite of --no-call", n)
	}

	w = finding()
	for op, name := range map[simulator.Operation]string{
		simulator.OpOrganization: "Forbidden.AccessDenied.AccessTokenPermissionDenied", simulator.OpUser: "paramsError",
	} {
		if err := w.sim.Arm(simulator.Fault{Name: name, Operation: op}); err != nil {
			t.Fatal(err)
		}
	}
	r = run(t, w.check())
	r.says(t, "dingtalk permission", OK, "tells about it")
	r.says(t, "dingtalk organization", Fail, "missing scopes: VideoConference.Conference.Read", "administrator grants it", "asks about the others all the same")
	r.says(t, "dingtalk users", Fail, "paramsError", "union ids")
}

// TestTheOtherHostIsTried has an organization at one of DingTalk's two hosts,
// and the configuration name the other.
func TestTheOtherHostIsTried(t *testing.T) {
	authority := newAuthority(t, "DingTalk")
	for name, c := range map[string]struct {
		endpoint, home string // home "": neither knows the app
		words          []string
	}{
		"io for com":    {"https://api.dingtalk.io/", "api.dingtalk.com", []string{"set endpoint: https://api.dingtalk.com", "what was sent"}},
		"com for io":    {"https://API.dingtalk.com", "api.dingtalk.io", []string{"set endpoint: https://api.dingtalk.io"}},
		"neither":       {"https://api.dingtalk.io", "", []string{"check the app's id", "endpoint https://api.dingtalk.io", "https://api.dingtalk.com was tried as well, and refuses"}},
		"the other one": {"https://api.dingtalk.io", "broken", []string{"https://api.dingtalk.com was tried as well: transient"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			handler := w.sim.Handler()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				host := r.TLS.ServerName
				switch {
				case r.Method == http.MethodHead, host == c.home:
					handler.ServeHTTP(out, r)
				case c.home == "broken" && host == "api.dingtalk.com":
					out.WriteHeader(http.StatusBadGateway)
				default:
					out.WriteHeader(http.StatusBadRequest)
					_, _ = out.Write([]byte(`{"code":"invalidClientIdOrSecret","message":"m","requestid":"r"}`))
				}
			}))
			server.Config.ErrorLog = quiet()
			for _, host := range []string{"api.dingtalk.com", "api.dingtalk.io"} {
				leaf := authority.issue(t, host, instant().Add(-time.Hour), instant().Add(time.Hour))
				if server.TLS == nil {
					server.TLS = &tls.Config{}
				}
				server.TLS.Certificates = append(server.TLS.Certificates, leaf)
			}
			server.StartTLS()
			defer server.Close()
			w.tenant().Endpoint = c.endpoint
			check := w.check()
			check.Resolve = func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil }
			check.Transport = &http.Transport{
				TLSClientConfig: &tls.Config{Time: instant, RootCAs: authority.pool},
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
				},
			}
			run(t, check).says(t, "dingtalk token", Fail, c.words...)
			if n := metered(w.sim); n != 0 {
				t.Errorf("%d metered calls", n)
			}
		})
	}
}

// TestASilentAnswerProvesNothing has DingTalk answer with a success that tells
// of a failure, or says nothing.
func TestASilentAnswerProvesNothing(t *testing.T) {
	for body, words := range map[string][]string{
		`{"code":"serviceBusy","message":"try later","requestid":"R-1"}`: {"code serviceBusy", "request id R-1", "try later"},
		`{"success":false,"errorCode":"50001"}`:                          {"code 50001"},
		`{}`:                                                             {"malformed"},
		`{"infos":null}`:                                                 {"malformed"},
	} {
		w := newWorld(t)
		server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1.0/conference/") {
				_, _ = out.Write([]byte(body))
				return
			}
			w.sim.Handler().ServeHTTP(out, r)
		}))
		w.tenant().Endpoint = server.URL
		run(t, w.check()).says(t, "dingtalk permission", Fail, words...)
		w.tenant().Track.Conferences = nil
		run(t, w.check()).says(t, "dingtalk permission", Fail, words...)
		server.Close()
	}
}

func TestSecrets(t *testing.T) {
	w := newWorld(t)
	w.tenant().Auth.ClientSecretFile = filepath.Join(w.dir, "nowhere")
	r := run(t, w.check())
	r.says(t, "dingtalk secret", Fail, "auth.client_secret_file", w.dir+"/nowhere", "no such file")
	r.says(t, "dingtalk token", Skip, `"secret" is not ok`)

	w = newWorld(t)
	w.file(t, "acme", simulator.DefaultAppSecret+" ")
	run(t, w.check()).says(t, "dingtalk token", OK, "")

	for content, want := range map[string]string{
		"\xef\xbb\xbf" + simulator.DefaultAppSecret: "byte-order mark", `"` + simulator.DefaultAppSecret + `"`: "in quotes", "\xff\xfea\x00": "UTF-16",
	} {
		w = newWorld(t)
		w.file(t, "acme", content)
		run(t, w.check()).says(t, "dingtalk secret", Fail, want)
	}
}

// Somebody writes a secret where the name of its file belongs.
func TestASecretInPlaceOfItsFileIsNotShown(t *testing.T) {
	const misplaced = "hunter2/hunter2"
	w := newWorld(t).on(startNATS(t, nil).URL())
	w.tenant().Auth.ClientSecretFile = misplaced
	c := w.check()
	for _, broker := range []natsconn.Config{
		{TokenFile: misplaced}, {CredentialsFile: misplaced}, {User: "u", PasswordFile: misplaced}, {TLS: natsconn.TLS{Cert: misplaced, Key: misplaced}},
	} {
		broker.URL = w.cfg.NATS.URL
		c.Broker = broker
		r := run(t, c)
		r.says(t, "dingtalk secret", Fail, "auth.client_secret_file", "is shown, since")
		r.says(t, "nats login", Fail, "is shown, since")
		if strings.Contains(r.text, "hunter2") {
			t.Errorf("it is shown:\n%s", r.text)
		}
	}
}

func TestSettingsWorthALook(t *testing.T) {
	w := newWorld(t)
	run(t, w.check()).lacks(t, "local settings")
	w.tenant().Poll.Timezone = "Asia/Shanghai"
	w.tenant().Track.UsersSchedule = "@every 1h"
	run(t, w.check()).says(t, "local settings", Warn, "tenants[0].poll.timezone: has no effect", "tenants[0].track.users_schedule: name their union ids")
}

func TestCorpApp(t *testing.T) {
	w := newWorld(t)
	w.tenant().Auth = config.Auth{
		Kind: config.AuthCorp, SuiteKey: simulator.DefaultSuiteKey, CorpID: simulator.DefaultCorpID,
		SuiteSecretFile: w.file(t, "suite", simulator.DefaultSuiteSecret), SuiteTicketFile: w.file(t, "ticket", "an old ticket"),
	}
	run(t, w.check()).says(t, "dingtalk token", Fail, "invalidSuiteTicket", "auth.suite_ticket_file "+w.dir, "only the newest is good")
	w.file(t, "ticket", simulator.DefaultSuiteTicket)
	run(t, w.check()).says(t, "dingtalk token", OK, "valid until 2026-11-23T11:00:00Z")
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	w.tenant().Endpoint = "https://api.dingtalk.test"
	c := w.check()
	c.Resolve = func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	}
	run(t, c).says(t, "dingtalk name", Fail, "no answer from the name server", "server misbehaving")
	c.Resolve = func(context.Context, string) ([]string, error) { return []string{"a", "b", "c", "d"}, nil }
	c.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(w.url, "http://"))
	}}
	r := run(t, c)
	r.says(t, "dingtalk name", OK, "a, b, c and 1 more")
	r.says(t, "dingtalk connect", Fail, "speaks no TLS")
}

func TestNothingAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.tenant().Endpoint = "http://" + listener.Addr().String()
	c := w.check()
	c.Timeout = time.Second
	r := run(t, c)
	r.says(t, "dingtalk connect", Fail, "no answer comes: it took more than 1s")
	r.says(t, "dingtalk token", Skip)
	listener.Close()
	run(t, w.check()).says(t, "dingtalk connect", Fail, "connection refused")
}

// TestCertificates shows each way in which a certificate is not right.
func TestCertificates(t *testing.T) {
	authority := newAuthority(t, "Corporate Proxy CA")
	for name, c := range map[string]struct {
		leaf    tls.Certificate
		trusted bool
		words   []string
	}{
		"unknown authority": {authority.issue(t, "127.0.0.1", instant().Add(-time.Hour), instant().Add(time.Hour)), false, []string{"Corporate Proxy CA", "unknown authority", "proxy or firewall in between", "SSL_CERT_FILE"}},
		"wrong host":        {authority.issue(t, "api.other.example", instant().Add(-time.Hour), instant().Add(time.Hour)), true, []string{"for api.other.example, not for 127.0.0.1", "a proxy in between"}},
		"expired":           {authority.issue(t, "127.0.0.1", instant().Add(-48*time.Hour), instant().Add(-24*time.Hour)), true, []string{"has expired on 2026-11-22T09:00:00Z", "clock of this machine says 2026-11-23T09:00:00Z"}},
		"not yet valid":     {authority.issue(t, "127.0.0.1", instant().Add(24*time.Hour), instant().Add(48*time.Hour)), true, []string{"not valid before 2026-11-24T09:00:00Z", "clock of this machine"}},
		"fine":              {authority.issue(t, "127.0.0.1", instant().Add(-time.Hour), instant().Add(time.Hour)), true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			server := httptest.NewUnstartedServer(w.sim.Handler())
			server.Config.ErrorLog = quiet()
			server.TLS = &tls.Config{Certificates: []tls.Certificate{c.leaf}}
			server.StartTLS()
			defer server.Close()
			w.tenant().Endpoint = server.URL
			check := w.check()
			config := &tls.Config{Time: instant}
			if c.trusted {
				config.RootCAs = authority.pool
			} else {
				config.RootCAs = newAuthority(t, "Another").pool
			}
			check.Transport = &http.Transport{TLSClientConfig: config}
			r := run(t, check)
			if c.words == nil {
				r.says(t, "dingtalk connect", OK, "TLS 1.3, certificate for 127.0.0.1 from \"CN=Corporate Proxy CA\" until 2026-11-23T10:00:00Z")
				r.says(t, "dingtalk token", OK)
				return
			}
			r.says(t, "dingtalk connect", Fail, c.words...)
		})
	}
}

func TestThroughAProxy(t *testing.T) {
	w := newWorld(t)
	w.tenant().Endpoint = "https://api.dingtalk.test"
	proxy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	c := w.check()
	c.Transport = &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
		u, err := r.URL.Parse(strings.Replace(proxy.URL, "//", "//user:"+password+"@", 1))
		return u, err
	}}
	r := run(t, c)
	r.says(t, "dingtalk name", OK, "look up 127.0.0.1")
	r.says(t, "dingtalk connect", Fail, "through the proxy 127.0.0.1:", "Proxy Authentication Required", "check HTTPS_PROXY and the credentials in it")
}
