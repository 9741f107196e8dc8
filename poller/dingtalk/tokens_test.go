package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/secret"
	"rollcall/poller"
)

// office is DingTalk without a network. Its knobs are turned while no
// call is under way.
type office struct {
	mu      sync.Mutex
	slow    time.Duration // how long a token takes
	thought time.Duration // how long a call takes
	refusal string        // what a token request gets instead of one
	life    int           // of tokens, in seconds
	valid   string        // the only token that calls may carry; "": any
	given   int           // tokens given or refused
	calls   int
	bearers []string
}

func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, "/v1.0/oauth2/") {
		return o.call(r), nil
	}
	o.mu.Lock()
	o.given++
	number, slow, refusal, life := o.given, o.slow, o.refusal, o.life
	o.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if refusal != "" {
		return respond(400, refusal), nil
	}
	return respond(200, fmt.Sprintf(`{"accessToken":"token-%d","expireIn":%d}`, number, life)), nil
}

func (o *office) call(r *http.Request) *http.Response {
	<-time.After(o.thought)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	bearer := r.Header.Get("x-acs-dingtalk-access-token")
	o.bearers = append(o.bearers, bearer)
	if o.valid != "" && bearer != o.valid {
		return respond(400, `{"code":"InvalidAuthentication","requestid":"r"}`)
	}
	return respond(200, `{"infos":[]}`)
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// inOffice runs a test in a bubble of time with a client of the office.
func inOffice(t *testing.T, o *office, test func(*testing.T, *Client, *observer.ObservedLogs)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		client, err := New(Config{Endpoint: "https://api.dingtalk.com", Auth: internalApp(), Transport: o, Logger: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		test(t, client, logs)
	})
}

func query(t *testing.T, client *Client) error {
	t.Helper()
	_, err := client.Query(t.Context(), []string{"a"})
	return err
}

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }

func TestTokenIsRenewedAheadWithoutWaiting(t *testing.T) {
	for life, renewed := range map[int]time.Duration{
		7200: 110 * time.Minute, 1200: 10 * time.Minute, 600: 5 * time.Minute, 2: time.Second, 1 << 40: 24*time.Hour - 10*time.Minute,
	} {
		o := &office{life: life}
		inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
			began := time.Now()
			o.slow = 100 * time.Millisecond
			expires, err := client.CheckToken(t.Context())
			if want := began.Add(min(time.Duration(life), 86400) * time.Second); err != nil || !expires.Equal(want) {
				t.Fatalf("life %d: expires %v, want %v: %v", life, expires, want, err)
			}
			pass(renewed - 101*time.Millisecond)
			if err := query(t, client); err != nil || o.given != 1 {
				t.Errorf("life %d: %d tokens before the time: %v", life, o.given, err)
			}
			pass(time.Millisecond)
			before := time.Now()
			for range 5 {
				if err := query(t, client); err != nil {
					t.Fatal(err)
				}
			}
			if waited := time.Since(before); waited != 0 || o.bearers[5] != "token-1" {
				t.Errorf("life %d: waited %v for %s", life, waited, o.bearers[5])
			}
			pass(o.slow + time.Millisecond)
			if err := query(t, client); err != nil || o.given != 2 || o.bearers[6] != "token-2" {
				t.Errorf("life %d: then %d tokens, %v: %v", life, o.given, o.bearers, err)
			}
		})
	}
}

func TestTokenOutageHurtsOnlyAtTheEnd(t *testing.T) {
	o := &office{life: 7200}
	inOffice(t, o, func(t *testing.T, client *Client, logs *observer.ObservedLogs) {
		if err := query(t, client); err != nil {
			t.Fatal(err)
		}
		o.refusal = `{"code":"systemError","requestid":"r-1"}`
		pass(110 * time.Minute)
		for range 9 {
			if err := query(t, client); err != nil {
				t.Fatalf("the old token is still valid: %v", err)
			}
			pass(time.Minute)
			synctest.Wait()
		}
		pass(time.Minute)
		if err := query(t, client); poller.ClassOf(err) != poller.ClassTransient {
			t.Errorf("at its end: %v", err)
		}
		if logs.Len() != 1 || logs.All()[0].Level != zapcore.WarnLevel || logs.All()[0].ContextMap()["request_id"] != "r-1" {
			t.Errorf("the log repeats itself: %v", logs.All())
		}
		o.refusal = `{"code":"invalidClientIdOrSecret"}`
		pass(time.Minute)
		if err := query(t, client); poller.ClassOf(err) != poller.ClassToken || logs.Len() != 1 {
			t.Errorf("a different failure: %v, %d logs", err, logs.Len())
		}
		o.refusal = ""
		pass(time.Minute)
		if err := query(t, client); err != nil {
			t.Errorf("after the outage: %v", err)
		}
		last := logs.All()[logs.Len()-1]
		if logs.Len() != 2 || last.Level != zapcore.InfoLevel || last.ContextMap()["attempt"] != int64(o.given-1) {
			t.Errorf("%d tokens asked, logged %v", o.given, logs.All())
		}
		noSecrets(t, logs)
	})
}

func TestTokenFailureBacksOff(t *testing.T) {
	o := &office{life: 7200, refusal: `{"code":"systemError"}`}
	inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
		wait := time.Second
		for round := range 9 {
			err := query(t, client)
			if o.given != round+1 || err == nil {
				t.Fatalf("round %d: %d requests, %v", round, o.given, err)
			}
			pass(wait - time.Millisecond)
			if again := query(t, client); !errors.Is(again, err) || o.given != round+1 {
				t.Fatalf("round %d: %d requests within %v: %v", round, o.given, wait, again)
			}
			pass(time.Millisecond)
			wait = min(2*wait, time.Minute)
		}
		o.refusal = ""
		if err := query(t, client); err != nil || client.tokens.outage.failures != 0 {
			t.Errorf("healed: %v", err)
		}
	})
}

func TestCancelledCallerLeavesTheFlightAlone(t *testing.T) {
	o := &office{life: 7200, slow: 5 * time.Second}
	inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
		first, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		second, stop := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for _, ctx := range []context.Context{first, second, t.Context()} {
			go func() {
				_, err := client.Query(ctx, []string{"a"})
				results <- err
			}()
			synctest.Wait()
		}
		if err := <-results; err != context.DeadlineExceeded {
			t.Errorf("the impatient one got %v", err)
		}
		stop()
		if err := <-results; err != context.Canceled {
			t.Errorf("the one who left got %v", err)
		}
		if err := <-results; err != nil || o.given != 1 {
			t.Errorf("the one who stayed got %v after %d requests", err, o.given)
		}
		if _, err := client.Query(second, []string{"a"}); err != context.Canceled || o.calls != 1 {
			t.Errorf("a dead context: %v, %d calls", err, o.calls)
		}
	})
}

func TestManyCallersShareOneFlight(t *testing.T) {
	o := &office{life: 7200, slow: time.Second, thought: time.Second}
	inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
		together := func() {
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					if err := query(t, client); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		together()
		if o.given != 1 || o.calls != 20 {
			t.Errorf("%d tokens, %d calls", o.given, o.calls)
		}
		o.valid = "token-2" // the first is refused from here on
		together()
		if o.given != 2 || o.calls != 20+40 {
			t.Errorf("after the refusal: %d tokens, %d calls", o.given, o.calls)
		}
	})
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	o := &office{life: 7200, valid: "never"}
	inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
		err := query(t, client)
		fault, ok := errors.AsType[*Fault](err)
		if !ok || fault.Class() != poller.ClassToken || fault.Code != "InvalidAuthentication" || o.given != 2 || o.calls != 2 {
			t.Errorf("%v after %d tokens and %d calls", err, o.given, o.calls)
		}
		if o.bearers[0] != "token-1" || o.bearers[1] != "token-2" {
			t.Errorf("asked with %v", o.bearers)
		}
		o.refusal = `{"code":"invalidClientIdOrSecret"}`
		if err := query(t, client); poller.ClassOf(err) != poller.ClassToken || o.calls != 3 {
			t.Errorf("without a renewal: %v after %d calls", err, o.calls)
		}
		o.valid = ""
		if err := query(t, client); err == nil || o.calls != 3 {
			t.Errorf("the refused token was used again: %v, %d calls", err, o.calls)
		}
	})
}

func TestRefusedTokenThatSomebodyRenewed(t *testing.T) {
	o := &office{life: 7200}
	inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
		held, err := client.tokens.get(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // who is late gets what the first one got
			fresh, err := client.tokens.get(t.Context(), held.generation)
			if err != nil || fresh.generation != held.generation+1 || o.given != 2 {
				t.Errorf("generation %d after %d: %d tokens, %v", fresh.generation, held.generation, o.given, err)
			}
		}
	})
}

func TestTokenRequestHasItsOwnLimit(t *testing.T) {
	o := &office{life: 7200, slow: time.Hour}
	inOffice(t, o, func(t *testing.T, client *Client, _ *observer.ObservedLogs) {
		began := time.Now()
		err := query(t, client)
		if poller.ClassOf(err) != poller.ClassTransient || time.Since(began) != DefaultTimeout || !strings.Contains(err.Error(), "within 10s") {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestCloseEndsTheFlight(t *testing.T) {
	o := &office{life: 7200, slow: 5 * time.Second}
	inOffice(t, o, func(t *testing.T, client *Client, logs *observer.ObservedLogs) {
		result := make(chan error)
		go func() { result <- query(t, client) }()
		synctest.Wait()
		client.Close()
		for _, err := range []error{<-result, query(t, client)} {
			if poller.ClassOf(err) != poller.ClassTransient || !strings.Contains(err.Error(), "closed") {
				t.Errorf("got %v", err)
			}
		}
		if o.given != 1 || logs.Len() != 0 {
			t.Errorf("%d requests, logged %v", o.given, logs.All())
		}
	})
}

func TestSecretsAreReadAgain(t *testing.T) {
	o := &office{life: 7200}
	inOffice(t, o, func(t *testing.T, _ *Client, _ *observer.ObservedLogs) {
		gone := false
		auth := internalApp()
		auth.ClientSecret = func() (secret.String, error) {
			if gone {
				return secret.String{}, errors.New("file is gone, it held " + theSecret)
			}
			return secret.New(theSecret), nil
		}
		core, logs := observer.New(zapcore.DebugLevel)
		client, err := New(Config{Endpoint: "https://api.dingtalk.com", Auth: auth, Transport: o, Logger: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := query(t, client); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		gone = true
		err = query(t, client)
		if poller.ClassOf(err) != poller.ClassToken || !strings.Contains(err.Error(), "client secret: file is gone") {
			t.Errorf("without a secret: %v", err)
		}
		noSecrets(t, logs, err)
		pass(time.Second)
		gone = false
		if err := query(t, client); err != nil || o.given != 2 {
			t.Errorf("%d requests: %v", o.given, err)
		}
	})
}
