package dingtalk_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"rollcall"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/poller/discovery"
)

// line is a DingTalk on a bare wire: it keeps connections, and may hang up once
// it has read a request.
type line struct {
	url    string
	answer func(path string, seen int) (status int, body string, ok bool) // ok false: hang up

	mu   sync.Mutex
	seen map[string]int // requests by path
}

func openLine(t *testing.T, answer func(path string, seen int) (int, string, bool)) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{url: "http://" + listener.Addr().String(), answer: answer, seen: map[string]int{}}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { l.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return l
}

func (l *line) talk(conn net.Conn) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		status, body, ok := l.answer(request.URL.Path, l.count(request.URL.Path))
		if !ok {
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
	}
}

func (l *line) count(path string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[path]++
	return l.seen[path]
}

// metered is how many requests came in that DingTalk meters.
func (l *line) metered() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for path, seen := range l.seen {
		if path != tokenPath {
			n += seen
		}
	}
	return n
}

const (
	tokenPath = "/v1.0/oauth2/accessToken"
	tokenBody = `{"accessToken":"the-token","expireIn":7200}`
)

func (l *line) client(t *testing.T) *dingtalk.Client {
	t.Helper()
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: l.url, Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: "x", ClientSecret: held("a secret")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// calls are all metered operations.
var calls = map[string]func(context.Context, *dingtalk.Client) error{
	"query":   func(ctx context.Context, c *dingtalk.Client) error { _, err := c.Query(ctx, []string{"a"}); return err },
	"lookup":  func(ctx context.Context, c *dingtalk.Client) error { _, err := c.Lookup(ctx, "a"); return err },
	"ongoing": func(ctx context.Context, c *dingtalk.Client) error { _, err := c.Ongoing(ctx, ""); return err },
	"members": func(ctx context.Context, c *dingtalk.Client) error { _, err := c.Members(ctx, "a", ""); return err },
	"user":    func(ctx context.Context, c *dingtalk.Client) error { _, err := c.OngoingOf(ctx, "u"); return err },
}

// TestNothingIsSentTwice hangs up on a connection that was kept, after the
// request was read: DingTalk may have worked on it, and it must not come again.
func TestNothingIsSentTwice(t *testing.T) {
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			l := openLine(t, func(path string, _ int) (int, string, bool) { return 200, tokenBody, path == tokenPath })
			client := l.client(t)
			if _, err := client.CheckToken(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := call(t.Context(), client); poller.ClassOf(err) != poller.ClassTransient {
				t.Errorf("got %v", err)
			}
			if n := l.metered(); n != 1 {
				t.Errorf("DingTalk saw %d requests", n)
			}
		})
	}
}

// TestASecondRequestIsPaid refuses a token: the request with the new one is
// made when it is paid for, and not otherwise.
func TestASecondRequestIsPaid(t *testing.T) {
	for name, call := range calls {
		for budget := 1; budget <= 3; budget++ {
			l := openLine(t, func(path string, _ int) (int, string, bool) {
				if path == tokenPath {
					return 200, tokenBody, true
				}
				return 400, `{"code":"InvalidAuthentication"}`, true
			})
			client, spent := l.client(t), 0
			p := &poller.Poller{Source: client, Spend: func(context.Context, string) error {
				if spent == budget {
					return errors.New("nothing is left")
				}
				spent++
				return nil
			}}
			err := p.Call(t.Context(), name, func(ctx context.Context) error { return call(ctx, client) })
			if err == nil || spent != min(budget, 2) || l.metered() != spent {
				t.Errorf("%s: of %d calls %d were paid and %d made: %v", name, budget, spent, l.metered(), err)
			}
		}
	}
}

// TestWhatIsSentIsPaid makes passes over a wire that breaks again and again.
func TestWhatIsSentIsPaid(t *testing.T) {
	l := openLine(t, func(path string, seen int) (int, string, bool) {
		switch {
		case path == tokenPath:
			return 200, tokenBody, true
		case strings.HasSuffix(path, "/query"):
			return 200, `{"infos":[]}`, seen%3 != 0
		}
		return 200, `{"confInfo":{"conferenceId":"m1","status":2}}`, seen%2 == 0
	})
	client, spent, number := l.client(t), 0, uint64(0)
	p := &poller.Poller{Source: client, Spend: func(context.Context, string) error { spent++; return nil }}
	made := 0
	for range 4 {
		made += p.Pass(t.Context(), poller.Ask{
			IDs:  []string{"m1"},
			Next: func() rollcall.Number { number++; return rollcall.Number{Term: 1, Poll: number} },
			Emit: func(context.Context, rollcall.Observation) error { return nil },
		}).Calls
	}
	if l.metered() != spent || made != spent {
		t.Errorf("DingTalk saw %d requests, %d were paid and %d reported", l.metered(), spent, made)
	}
}

// TestListsEnd reads lists whose pages do not say well where they end.
func TestListsEnd(t *testing.T) {
	page := func(ids, rest string) string {
		var all []string
		for id := range strings.FieldsSeq(ids) {
			all = append(all, `{"conferenceId":"`+id+`"}`)
		}
		return `{"onGoingConfList":[` + strings.Join(all, ",") + `]` + rest + `}`
	}
	for name, c := range map[string]struct {
		pages []string // the last one is given again and again
		found int
		whole bool
		calls int
	}{
		"one":                      {[]string{page("a", ``)}, 1, true, 1},
		"two, in strings":          {[]string{page("a", `,"hasMore":"true","nextToken":"2"`), page("b", `,"hasMore":"false","totalCount":"2"`)}, 2, true, 2},
		"two, the end is zero":     {[]string{page("a", `,"nextToken":20`), page("b", `,"nextToken":0`)}, 2, true, 2},
		"two, the end is -1":       {[]string{page("a", `,"nextToken":20`), page("b", `,"nextToken":"-1"`)}, 2, true, 2},
		"its own token":            {[]string{page("a", `,"nextToken":"x"`), page("b", `,"nextToken":"x"`)}, 2, true, 2},
		"the same, all of it":      {[]string{page("a", `,"nextToken":"x","hasMore":true,"totalCount":1`), page("a", `,"nextToken":"y","hasMore":true,"totalCount":1`)}, 1, true, 2},
		"the same, not all of it":  {[]string{page("a", `,"nextToken":"x","hasMore":true,"totalCount":2`), page("a", `,"nextToken":"y","hasMore":true,"totalCount":2`)}, 1, false, 2},
		"the same, nobody counts":  {[]string{page("a", `,"nextToken":"x"`), page("a", `,"nextToken":"y"`)}, 1, false, 2},
		"round and round":          {[]string{page("a", `,"nextToken":"x"`), page("b", `,"nextToken":"y"`), page("c", `,"nextToken":"x"`)}, 3, false, 3},
		"round and round, counted": {[]string{page("a", `,"nextToken":"x"`), page("b", `,"nextToken":"y"`), page("c", `,"nextToken":"x","totalCount":3`)}, 3, true, 3},
		"cut short":                {[]string{page("a b", `,"totalCount":300`)}, 2, false, 1},
		"cut short, with a token":  {[]string{page("a", `,"nextToken":"x","totalCount":3`), page("b", `,"totalCount":3`)}, 2, false, 2},
		"an empty page":            {[]string{page("a", `,"nextToken":"x"`), page("", `,"nextToken":"y"`)}, 1, false, 2},
		"an empty end":             {[]string{page("a", `,"nextToken":"x"`), `{}`}, 1, true, 2},
		"nothing":                  {[]string{`{"onGoingConfList":null,"totalCount":0,"hasMore":"false"}`}, 0, true, 1},
		"broken off":               {[]string{page("a", `,"nextToken":"x"`), `[]`}, 1, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := openLine(t, func(path string, seen int) (int, string, bool) {
				if path == tokenPath {
					return 200, tokenBody, true
				}
				return 200, c.pages[min(seen, len(c.pages))-1], true
			})
			client := l.client(t)
			all, err := discovery.Organization(&poller.Poller{Source: client}, client).Read(t.Context())
			if len(all) != c.found || (err == nil) != c.whole || l.metered() != c.calls {
				t.Errorf("%d found in %d calls: %v", len(all), l.metered(), err)
			}
		})
	}
}
