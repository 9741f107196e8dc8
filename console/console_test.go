package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"rollcall/console"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fixed []console.Check

func (f fixed) Health() []console.Check { return f }

// start runs a console and gives its URL; stop ends it and gives Run's error.
func start(t *testing.T, health console.Health) (url string, stop func() error) {
	t.Helper()
	server, err := console.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	polls := prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_polls_total", Help: "Polls."})
	registry.MustRegister(polls)
	polls.Add(3)
	server.Health, server.Metrics = health, registry
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	stop = func() error { cancel(); return <-ended }
	t.Cleanup(func() { cancel() })
	return "http://" + server.Addr().String(), stop
}

func get(t *testing.T, method, url string) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestReadyTellsAgesAndReasons(t *testing.T) {
	url, stop := start(t, fixed{
		{Name: "nats", OK: true},
		console.Aged("poll acme", 90*time.Second, time.Minute, "DingTalk is throttling"),
		console.Aged("waiting acme", time.Second, time.Minute, ""),
		{Name: "shard acme/0", Detail: "nobody holds it"},
	})
	response, body := get(t, "GET", url+"/readyz")
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", response.StatusCode)
	}
	var got, want any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	const expected = `{"ready":false,
		"reasons":["poll acme: 1m30s old, allowed are 1m0s; DingTalk is throttling","shard acme/0: nobody holds it"],
		"checks":[{"name":"nats","ok":true},
			{"name":"poll acme","ok":false,"ageSeconds":90,"allowedSeconds":60,"detail":"DingTalk is throttling"},
			{"name":"waiting acme","ok":true,"ageSeconds":1,"allowedSeconds":60},
			{"name":"shard acme/0","ok":false,"detail":"nobody holds it"}]}`
	if err := json.Unmarshal([]byte(expected), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestReadiness(t *testing.T) {
	for name, c := range map[string]struct {
		health console.Health
		status int
	}{
		"nobody to ask":   {nil, 503},
		"nothing to say":  {fixed{}, 503},
		"all holds":       {fixed{{Name: "nats", OK: true}}, 200},
		"just old enough": {fixed{console.Aged("poll", time.Minute, time.Minute, "")}, 200},
		"too old":         {fixed{console.Aged("poll", time.Minute+1, time.Minute, "")}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			url, stop := start(t, c.health)
			if response, body := get(t, "GET", url+"/readyz"); response.StatusCode != c.status {
				t.Errorf("status %d, want %d: %s", response.StatusCode, c.status, body)
			}
			if response, _ := get(t, "GET", url+"/livez"); response.StatusCode != 200 {
				t.Errorf("/livez gives %d: it must not depend on anything else", response.StatusCode)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A process that stands still is to be started again, whatever its health; once it
// moves it is not.
func TestAStuckProcessIsNotAlive(t *testing.T) {
	server, err := console.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var why atomic.Value
	why.Store("the loop has not moved for 2m0s")
	server.Health, server.Stuck = fixed{{Name: "nats", OK: true}}, func() string { return why.Load().(string) }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	url := "http://" + server.Addr().String()
	if answer, body := get(t, "GET", url+"/livez"); answer.StatusCode != http.StatusServiceUnavailable || body != "the loop has not moved for 2m0s\n" {
		t.Errorf("stuck, it answers %d %q", answer.StatusCode, body)
	}
	if answer, _ := get(t, "GET", url+"/readyz"); answer.StatusCode != http.StatusOK {
		t.Errorf("/readyz answers %d: it says something else", answer.StatusCode)
	}
	why.Store("")
	if answer, body := get(t, "GET", url+"/livez"); answer.StatusCode != http.StatusOK || body != "alive\n" {
		t.Errorf("well again, it answers %d %q", answer.StatusCode, body)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestPages(t *testing.T) {
	url, stop := start(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		holds        string
	}{
		{"GET", "/", 200, `href="/readyz"`},
		{"HEAD", "/livez", 200, ""},
		{"GET", "/livez", 200, "alive\n"},
		{"GET", "/metrics", 200, "rollcall_polls_total 3"},
		{"GET", "/nothing", 404, "not found"},
		{"GET", "/livez/x", 404, "not found"},
		{"POST", "/livez", 405, "only GET and HEAD"},
		{"DELETE", "/metrics", 405, "only GET and HEAD"},
	} {
		response, body := get(t, c.method, url+c.path)
		if response.StatusCode != c.status || !strings.Contains(body, c.holds) {
			t.Errorf("%s %s: %d %q", c.method, c.path, response.StatusCode, body)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
		} {
			if got := response.Header.Get(header); got != want {
				t.Errorf("%s %s: %s is %q", c.method, c.path, header, got)
			}
		}
		if !strings.HasPrefix(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s: no content security policy", c.method, c.path)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Profiles are there where they are asked for, and nowhere else.
func TestProfiles(t *testing.T) {
	for profiles, status := range map[bool]int{true: 200, false: 404} {
		server, err := console.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server.Profiles = profiles
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Run(ctx) }()
		for _, path := range []string{"", "heap?gc=1", "profile?seconds=1"} {
			response, body := get(t, "GET", "http://"+server.Addr().String()+"/debug/pprof/"+path)
			if response.StatusCode != status || len(body) == 0 {
				t.Errorf("profiles %v: %s gives %d and %d bytes", profiles, path, response.StatusCode, len(body))
			}
		}
		if response, _ := get(t, "POST", "http://"+server.Addr().String()+"/debug/pprof/heap"); response.StatusCode != 405 {
			t.Errorf("a POST gives %d", response.StatusCode)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// blocking is asked, tells so, and answers when it may.
type blocking struct{ asked, answer chan struct{} }

func (b blocking) Health() []console.Check {
	close(b.asked)
	<-b.answer
	return []console.Check{{Name: "nats", OK: true}}
}

func TestStopLetsAnswersFinish(t *testing.T) {
	health := blocking{make(chan struct{}), make(chan struct{})}
	url, stop := start(t, health)
	answered := make(chan string, 1)
	go func() {
		_, body := get(t, "GET", url+"/readyz")
		answered <- body
	}()
	<-health.asked
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	refused(t, url)
	close(health.answer)
	if body := <-answered; !strings.Contains(body, `"ready": true`) {
		t.Errorf("the answer under way was cut: %q", body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// refused waits until nobody listens any more.
func refused(t *testing.T, url string) {
	t.Helper()
	for {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		conn.Close()
	}
}

func TestPortInUseNamesTheKey(t *testing.T) {
	first, err := console.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, err = console.Listen(first.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("error %v", err)
	}
}

func TestLargeHeaderIsRefused(t *testing.T) {
	url, stop := start(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The refusal may come, with a reset, before all of it is written.
	_, _ = fmt.Fprintf(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 24<<10))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("answer %q, error %v", line, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Whoever holds all connections and says nothing keeps nobody from asking.
func TestIdleConnectionsBlindNobody(t *testing.T) {
	url, stop := start(t, nil)
	for i := range 300 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 { // the others do not even ask once
			_, _ = io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	if response, body := get(t, "GET", url+"/livez"); response.StatusCode != 200 {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestStrangersNamesAreRefused(t *testing.T) {
	server, err := console.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Hosts = []string{"rollcall.monitoring.svc"}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	_, port, err := net.SplitHostPort(server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for host, status := range map[string]int{
		"localhost": 200, "LocalHost.:" + port: 200, "127.0.0.1:" + port: 200, "[::1]:" + port: 200, "[::1]": 200,
		"10.244.3.17:8080": 200, "rollcall.monitoring.svc:8080": 200, "Rollcall.Monitoring.svc": 200, "a.localhost": 200,
		"evil.example": 421, "evil.example:" + port: 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "evil": 421, "xlocalhost": 421,
	} {
		for _, page := range []string{"/livez", "/readyz", "/metrics", "/"} {
			request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+server.Addr().String()+page, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = host
			response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if got := response.StatusCode; (got == http.StatusMisdirectedRequest) != (status == http.StatusMisdirectedRequest) {
				t.Errorf("%s under %s: %d", page, host, got)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
