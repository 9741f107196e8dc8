package dingtalk

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/poller"
)

func TestHostileBodies(t *testing.T) {
	whole, ids := batch(2, 2)
	tests := map[string]struct {
		body string
		want poller.Class
	}{
		"empty":    {"", poller.ClassMalformed},
		"space":    {" \n", poller.ClassMalformed},
		"garbage":  {"\x00\xff\x1f garbage", poller.ClassMalformed},
		"half":     {string(whole[:len(whole)/2]), poller.ClassMalformed},
		"text":     {"ok", poller.ClassMalformed},
		"null":     {"null", poller.ClassMalformed},
		"array":    {`[{"infos":[]}]`, poller.ClassMalformed},
		"doubled":  {string(whole) + string(whole), poller.ClassMalformed},
		"too deep": {`{"infos":` + strings.Repeat("[", 1<<20), poller.ClassMalformed},
		"page":     {page, poller.ClassBlocked},
		"the wall": {`{"status":1111,"msg":"x","source":"x5","punish":"deny"}`, poller.ClassBlocked},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, s := serve(t, says(200, test.body))
			answers, err := client.Query(t.Context(), ids)
			if poller.ClassOf(err) != test.want || len(answers.Found) != 0 || answers.Complete {
				t.Errorf("found %d: %v", len(answers.Found), err)
			}
			if _, err := client.Lookup(t.Context(), ids[0]); poller.ClassOf(err) != test.want {
				t.Errorf("lookup: %v", err)
			}
			if s.calls != 2 || s.tokens != 1 {
				t.Errorf("%d calls, %d tokens", s.calls, s.tokens)
			}
		})
	}
}

func TestAnswersWithoutAList(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"infos":null}`, `{"infos":{}}`, `{"infos":[],"infos":[]}`, `{"infos":[null]}`, `{"infos":[{}]}`, `{"infos":["a"]}`, `{"requestId":"r"}`,
	} {
		client, _ := serve(t, says(200, body))
		answers, err := client.Query(t.Context(), []string{"a"})
		if poller.ClassOf(err) != poller.ClassMalformed || answers.Complete || len(answers.Found) != 0 {
			t.Errorf("%s: %+v, %v", body, answers, err)
		}
	}
	client, s := serve(t, says(200, `{}`))
	if answers, err := client.Query(t.Context(), nil); err != nil || !answers.Complete || s.calls+s.tokens != 0 {
		t.Errorf("about nothing: %+v, %v, %d calls", answers, err, s.calls)
	}
}

func TestLargeBodies(t *testing.T) {
	const limit = 10_000
	fill := func(size int) string {
		frame := `{"infos":[],"x":""}`
		return strings.Replace(frame, `""`, `"`+strings.Repeat("x", size-len(frame))+`"`, 1)
	}
	for size, want := range map[int]poller.Class{limit: poller.ClassNone, limit + 1: poller.ClassMalformed} {
		for _, zipped := range []bool{false, true} {
			client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if !zipped {
					_, _ = io.WriteString(w, fill(size))
					return
				}
				if r.Header.Get("Accept-Encoding") != "gzip" {
					t.Error("nobody asked for gzip")
				}
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = io.WriteString(z, fill(size))
				_ = z.Close()
			})
			client.exchange.maxAnswer = limit
			if _, err := client.Query(t.Context(), []string{"a"}); poller.ClassOf(err) != want {
				t.Errorf("%d bytes, zipped %v: %v", size, zipped, err)
			}
		}
	}
}

// spaces is an endless body.
type spaces struct{ read int64 }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.read += int64(len(p))
	return len(p), nil
}

func (*spaces) Close() error { return nil }

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/v1.0/oauth2/") {
		return respond(200, `{"accessToken":"`+theToken+`"}`), nil
	}
	return f(r)
}

func with(t *testing.T, transport http.RoundTripper) *Client {
	t.Helper()
	client, err := New(Config{Endpoint: "https://api.dingtalk.com", Auth: internalApp(), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestEndlessBodies(t *testing.T) {
	for status, most := range map[int]int64{200: maxAnswer, 500: maxComplaint} {
		endless := &spaces{}
		client := with(t, tripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: endless, ContentLength: 1 << 60}, nil
		}))
		_, err := client.Query(t.Context(), []string{"a"})
		if fault, ok := errors.AsType[*Fault](err); !ok || status == 200 && (fault.Class() != poller.ClassMalformed || !strings.Contains(err.Error(), "larger than 64 MiB")) {
			t.Errorf("%d: %v", status, err)
		}
		if endless.read > most+1 {
			t.Errorf("%d: read %d bytes", status, endless.read)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/x?token=y", status)
		})
		for _, fault := range ask(t, client) {
			host := strings.TrimPrefix(elsewhere.URL, "http://")
			if fault.Class() != poller.ClassTransient || !strings.Contains(fault.Error(), "redirects to host "+host+",") {
				t.Errorf("%d: %v", status, fault)
			}
		}
		if reached || s.calls != 2 {
			t.Errorf("%d: followed %v, %d calls", status, reached, s.calls)
		}
	}
	client, _ := serve(t, says(304, ""))
	if fault := ask(t, client)["query meetings"]; !strings.Contains(fault.Error(), "(not named)") {
		t.Errorf("without a target: %v", fault)
	}
}

func TestBrokenConnections(t *testing.T) {
	hijack := func(said string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, said)
			_ = conn.Close()
		}
	}
	for _, said := range []string{
		"", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"infos\":[]}",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	} {
		client, s := serve(t, hijack(said))
		_, err := client.Query(t.Context(), []string{"a"})
		fault, ok := errors.AsType[*Fault](err)
		if !ok || fault.Class() != poller.ClassTransient || fault.Status != 0 || strings.Contains(err.Error(), "conference/") {
			t.Errorf("%.50q: %v", said, err)
		}
		noSecrets(t, s.logs, err)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	client, err := New(Config{Endpoint: "http://" + listener.Addr().String(), Auth: internalApp()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.Query(t.Context(), []string{"a"})
	if poller.ClassOf(err) != poller.ClassTransient || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestTransportErrorsAreVeiled(t *testing.T) {
	client := with(t, tripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New(`invalid proxy address "http://me:hunter2@proxy" for ` + theToken)
	}))
	_, err := client.Query(t.Context(), []string{"a"})
	if poller.ClassOf(err) != poller.ClassTransient || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), theToken) {
		t.Errorf("got %v", err)
	}
}

// drip is a body that comes too slowly, until its request is given up.
type drip struct {
	ctx    context.Context
	closed bool
}

func (d *drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d *drip) Close() error { d.closed = true; return nil }

func TestSlowBodies(t *testing.T) {
	for limit, want := range map[time.Duration]string{
		0:               "no whole answer from api.dingtalk.com within 10s",
		4 * time.Second: context.DeadlineExceeded.Error(),
	} {
		synctest.Test(t, func(t *testing.T) {
			var body *drip
			client := with(t, tripper(func(r *http.Request) (*http.Response, error) {
				body = &drip{ctx: r.Context()}
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, ContentLength: -1}, nil
			}))
			ctx := t.Context()
			if limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
			}
			began := time.Now()
			_, err := client.Query(ctx, []string{"a"})
			if err == nil || !strings.Contains(err.Error(), want) || !body.closed {
				t.Errorf("closed %v: %v", body.closed, err)
			}
			if limit == 0 && (poller.ClassOf(err) != poller.ClassTransient || time.Since(began) != DefaultTimeout) {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			if limit > 0 && err != context.DeadlineExceeded {
				t.Errorf("the caller's own deadline became %v", err)
			}
		})
	}
}

func TestCancelledCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices an end only then
		cancel()
		<-r.Context().Done()
	})
	if _, err := client.Query(ctx, []string{"a"}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestIDsArriveExactly(t *testing.T) {
	ids := []string{
		"a", ".", "..", "a/b", "/", "a b", "*.>", "周会-😀", "100%", "%2F", "a?b#c", "a;b,c", "+&=:@", `"\`, "<script>", "a\u2028b", "query", "\x01",
	}
	client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ConferenceIDList []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if got, want := strings.Join(body.ConferenceIDList, "|"), strings.Join(ids, "|"); got != want {
			t.Errorf("asked about %q, want %q", got, want)
		}
		var infos []map[string]string
		for _, id := range body.ConferenceIDList {
			infos = append(infos, map[string]string{"conferenceId": id})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"infos": infos})
	})
	answers, err := client.Query(t.Context(), ids)
	if err != nil || len(answers.Found) != len(ids) || answers.Unasked != 0 {
		t.Errorf("found %d of %d: %v", len(answers.Found), len(ids), err)
	}
	for i, f := range answers.Found {
		if f.ConferenceID != ids[i] {
			t.Errorf("%q came back as %q", ids[i], f.ConferenceID)
		}
	}
}
