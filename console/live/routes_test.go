package live

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/internal/secret"
)

// pageOf is a page whose board the test fills.
func pageOf(t *testing.T, cfg Config) (*Page, *reading) {
	t.Helper()
	cfg.Conn = &nats.Conn{}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := newReading(p)
	p.begin(r)
	return p, r
}

// ask is a request of a browser, with headers in pairs.
func ask(p http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, nil)
	r.RemoteAddr = "10.1.2.3:4711"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if r.Header.Get("Password") != "" {
		r.SetBasicAuth("anybody", r.Header.Get("Password"))
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestTheBrowserIsToldToRunNothingElse(t *testing.T) {
	p, _ := pageOf(t, Config{})
	const want = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'; require-trusted-types-for 'script'"
	for _, path := range []string{"/", "/?kiosk", "/meeting/acme/c1", "/live/assets/app/app.js", "/live/charts", "/live/nothing"} {
		if got := ask(p, "GET", path).Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestTheShellIsMadeForWhoAsks(t *testing.T) {
	p, _ := pageOf(t, Config{HideNames: true})
	for _, c := range []struct{ path, accept, holds, lacks string }{
		{"/", "", `lang="en"`, `class="kiosk"`},
		{"/", "fr, zh-TW;q=0.9, en;q=0.8", `lang="zh-CN"`, "uplot.js defer></script>zh"},
		{"/?lang=en", "zh", `lang="en"`, `lang="zh-CN"`},
		{"/?kiosk&lang=zh", "", `class="kiosk"`, `src="/live/assets/uplot/uplot.js"`},
		{"/?lang=%22%3E%3Cscript%3E", "", `data-hidden`, "<script>"},
	} {
		w := ask(p, "GET", c.path, "Accept-Language", c.accept)
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, c.holds) || strings.Contains(body, c.lacks) || !strings.Contains(body, p.files.Version) {
			t.Errorf("%s for %q: %d %s", c.path, c.accept, w.Code, body)
		}
	}
}

func TestWhatTheBrowserHasIsNotSentAgain(t *testing.T) {
	p, _ := pageOf(t, Config{})
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/live/assets/app/app.js": "text/javascript; charset=utf-8", "/live/assets/app/base.css": "text/css; charset=utf-8",
		"/live/assets/app/icon.svg": "image/svg+xml", "/live/charts": "application/json",
	} {
		first := ask(p, "GET", path, "Accept-Encoding", "br, gzip;q=0.5")
		if first.Code != 200 || first.Header().Get("Content-Type") != kind || first.Header().Get("Content-Encoding") != "gzip" || first.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v", path, first.Code, first.Header())
		}
		again := ask(p, "GET", path, "If-None-Match", first.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d, %d bytes", path, again.Code, again.Body.Len())
		}
		if plain := ask(p, "GET", path, "Accept-Encoding", "gzip;q=0"); plain.Header().Get("Content-Encoding") != "" || plain.Body.Len() == 0 {
			t.Errorf("%s for who reads no gzip: %v", path, plain.Header())
		}
		if head := ask(p, "HEAD", path); head.Body.Len() != 0 || head.Code != 200 {
			t.Errorf("HEAD %s: %d, %d bytes", path, head.Code, head.Body.Len())
		}
	}
	if w := ask(p, "GET", "/live/assets/app/../../page.go"); w.Code == 200 {
		t.Error("what is no asset is served")
	}
}

func TestWhoMaySeeThePage(t *testing.T) {
	token := func() (secret.String, error) { return secret.New("of the page"), nil }
	broken := func() (secret.String, error) { return secret.String{}, errors.New("gone") }
	near := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	far := []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}
	for name, c := range map[string]struct {
		cfg     Config
		headers []string
		status  int
	}{
		"nobody is asked":     {Config{}, nil, 200},
		"no token":            {Config{Token: token}, nil, 401},
		"a wrong password":    {Config{Token: token}, []string{"Password", "of the pag"}, 401},
		"the password":        {Config{Token: token}, []string{"Password", "of the page"}, 200},
		"the bearer":          {Config{Token: token}, []string{"Authorization", "Bearer of the page"}, 200},
		"a wrong bearer":      {Config{Token: token}, []string{"Authorization", "Bearer "}, 401},
		"the token alone":     {Config{Token: token}, []string{"Authorization", "of the page"}, 401},
		"a token that's gone": {Config{Token: broken}, []string{"Password", "x"}, 503},
		"a trusted proxy":     {Config{Token: token, Proxies: near}, nil, 200},
		"another proxy":       {Config{Token: token, Proxies: far}, nil, 401},
		"only a proxy":        {Config{Proxies: near}, nil, 200},
		"not the proxy":       {Config{Proxies: far}, []string{"X-Forwarded-For", "10.2.0.1"}, 403},
	} {
		p, _ := pageOf(t, c.cfg)
		for _, path := range []string{"/", "/live/charts", "/live/assets/app/app.js"} {
			if got := ask(p, "GET", path, c.headers...).Code; got != c.status {
				t.Errorf("%s: %s gives %d, want %d", name, path, got, c.status)
			}
		}
	}
}

func TestAnotherSitesPageReadsNothing(t *testing.T) {
	p, _ := pageOf(t, Config{Hosts: []string{"rollcall.example"}})
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Sec-Fetch-Site", "none", 200},
		{"Origin", "http://evil.example", 403},
		{"Origin", "null", 403},
		{"Origin", "http://127.0.0.1:8081", 403},
		{"Origin", "http://10.0.0.1:8080", 403},
		{"Origin", "http://127.0.0.1:8080", 200},
		{"Origin", "https://Rollcall.example", 200},
		{"Origin", "https://rollcall.example:8443", 200},
		{"Origin", "https://rollcall.example.evil", 403},
	} {
		if got := ask(p, "GET", "/live/charts", c.header, c.value).Code; got != c.status {
			t.Errorf("%s: %s gives %d, want %d", c.header, c.value, got, c.status)
		}
	}
	if got := ask(p, "GET", "/meeting/acme/c1", "Sec-Fetch-Site", "cross-site").Code; got != 200 {
		t.Errorf("a link from another site gives %d", got)
	}
}

func TestWhomTheForwarderTells(t *testing.T) {
	told := []Target{{Name: "team", Kind: "slack", Sent: 3, Monthly: -1, Trouble: "gone", Reason: "the hook was removed", Since: 1}}
	for name, c := range map[string]struct {
		targets func(context.Context) ([]Target, error)
		status  int
		holds   string
	}{
		"nobody":           {nil, 200, "[]"},
		"a target":         {func(context.Context) ([]Target, error) { return told, nil }, 200, `"reason":"the hook was removed"`},
		"nothing readable": {func(context.Context) ([]Target, error) { return nil, errors.New("no rights") }, 503, "NATS cannot be read now"},
	} {
		p, _ := pageOf(t, Config{Targets: c.targets})
		if w := ask(p, "GET", "/live/targets"); w.Code != c.status || !strings.Contains(w.Body.String(), c.holds) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestTheStreamSpeaksEachSecondAndEndsWithThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := pageOf(t, Config{})
		f := newFake()
		w := httptest.NewRecorder()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/live/stream", nil))
		}()
		synctest.Wait()
		for i := range 3 {
			r.board.tick(noon.Add(time.Duration(i)*time.Second), f, link{OK: true})
			synctest.Wait()
		}
		p.stop()
		<-ended
		body, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(body), "\n\n"); got != 3 || !strings.Contains(string(body), "event: whole") || strings.Count(string(body), "event: tick") != 2 {
			t.Errorf("%d parts: %s", got, body)
		}
		if kind := w.Header().Get("Content-Type"); kind != "text/event-stream; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v", w.Header())
		}
	})
}

func TestTooManyPagesLeaveRoomForOthers(t *testing.T) {
	p, _ := pageOf(t, Config{})
	for range maxViewers {
		if room, stay := p.enter(""); !room || !stay {
			t.Fatal("there is no room")
		}
	}
	if w := ask(p, "GET", "/live/stream"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many gets %d", w.Code)
	}
	p.leave("")
	if room, _ := p.enter(""); !room {
		t.Error("a page that left leaves no room")
	}
}

// A browser opens six connections to a server: were each a stream, a seventh
// page would not load.
func TestStreamsLeaveABrowserConnections(t *testing.T) {
	p, r := pageOf(t, Config{})
	r.board.tick(noon, newFake(), link{OK: true})
	for range maxOfABrowser {
		p.enter("mine")
	}
	one := ask(p, "GET", "/live/stream?browser=mine").Body.String()
	if !strings.Contains(one, "event: whole") || !strings.HasSuffix(one, later) {
		t.Errorf("one too many gets %q, and not what there is and the end", one)
	}
	if _, stay := p.enter("another"); !stay {
		t.Error("another browser's pages count")
	}
	p.leave("mine")
	if _, stay := p.enter("mine"); !stay {
		t.Error("a page that left leaves no room")
	}
	for range maxOfABrowser {
		p.leave("mine")
	}
	p.leave("another")
	if len(p.streams) != 0 {
		t.Errorf("those who have left are remembered: %v", p.streams)
	}
}

// What the page promises of a NATS that falls silent.
func TestSilenceShowsWithinThreeSeconds(t *testing.T) {
	if worst := probeEvery + answerWithin + tick; worst > 3*time.Second {
		t.Errorf("it may take %s until a frame says so", worst)
	}
}

// A page that nobody looks at reads nothing; whoever comes begins it anew.
func TestNobodyLooksNothingIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, first := pageOf(t, Config{})
		now := time.Now()
		if p.enter(""); p.retire(now.Add(time.Hour)) {
			t.Error("it stops though somebody looks")
		}
		if p.leave(""); p.retire(now.Add(linger)) || !p.retire(now.Add(linger+time.Second)) {
			t.Error("it stops at another time than five minutes after")
		}
		var got *reading
		var err error
		go func() { got, err = p.look(t.Context()) }()
		synctest.Wait()
		if len(p.wanted) != 1 || got != nil {
			t.Fatalf("%d ask for it to begin, %v", len(p.wanted), got)
		}
		second := newReading(p)
		p.begin(second)
		synctest.Wait()
		if err != nil || got != second || got == first {
			t.Errorf("%v, %v", got, err)
		}
		always, _ := pageOf(t, Config{Always: true})
		if always.retire(now.Add(24 * time.Hour)) {
			t.Error("one that reads always stops")
		}
	})
}
