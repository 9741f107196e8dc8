package dingtalk

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/secret"
)

// vault holds a secret that may be exchanged.
type vault struct{ held atomic.Pointer[string] }

func (v *vault) put(value string) { v.held.Store(&value) }

func (v *vault) secret() (secret.String, error) { return secret.New(*v.held.Load()), nil }

// inVault runs a test in a bubble with a client that takes its secret from there.
func inVault(t *testing.T, o *office, test func(*testing.T, *vault, *Client, *observer.ObservedLogs)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{}
		v.put(theSecret)
		auth := internalApp()
		auth.ClientSecret = v.secret
		core, logs := observer.New(zapcore.InfoLevel)
		client, err := New(Config{Endpoint: "https://api.dingtalk.com", Auth: auth, Transport: o, Logger: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		test(t, v, client, logs)
	})
}

// work asks every ten seconds and demands that each question is answered at once.
func work(t *testing.T, client *Client, span time.Duration) {
	t.Helper()
	for range span / (10 * time.Second) {
		began := time.Now()
		if err := query(t, client); err != nil || time.Since(began) > 0 {
			t.Fatalf("a question took %v: %v", time.Since(began), err)
		}
		pass(10 * time.Second)
		synctest.Wait()
	}
}

func TestChangedSecretsMakeANewToken(t *testing.T) {
	o := &office{life: 7200}
	inVault(t, o, func(t *testing.T, v *vault, client *Client, logs *observer.ObservedLogs) {
		work(t, client, 10*time.Minute)
		if o.given != 1 || logs.Len() != 0 {
			t.Fatalf("%d tokens without a change, logged %v", o.given, logs.All())
		}
		v.put(theSecret + "2")
		work(t, client, lookEvery+20*time.Second)
		if last := o.bearers[len(o.bearers)-1]; o.given != 2 || last != "token-2" {
			t.Errorf("after the change %d tokens, the last call carried %s", o.given, last)
		}
		work(t, client, 100*time.Minute)
		if o.given != 2 || logs.Len() != 1 {
			t.Errorf("then %d tokens, logged %v", o.given, logs.All())
		}
		noSecrets(t, logs)
	})
}

// TestChangedSecretsThatAreWrong serves on with the token in hand, warns once,
// and takes the right secret.
func TestChangedSecretsThatAreWrong(t *testing.T) {
	o := &office{life: 7200}
	inVault(t, o, func(t *testing.T, v *vault, client *Client, logs *observer.ObservedLogs) {
		work(t, client, time.Minute)
		o.refusal = `{"code":"invalidClientIdOrSecret","requestid":"r-1"}`
		v.put("wrong secret")
		work(t, client, 10*time.Minute)
		if logs.Len() != 2 || !strings.Contains(logs.All()[1].Message, "not renewed") || o.given < 5 || o.given > 20 {
			t.Errorf("%d requests, logged %v", o.given, logs.All())
		}
		asked := o.given
		o.refusal = ""
		v.put(theSecret)
		work(t, client, lookEvery+20*time.Second)
		if o.given != asked+1 || logs.Len() != 4 || logs.All()[3].Level != zapcore.InfoLevel {
			t.Errorf("%d requests for the mended one, logged %v", o.given-asked, logs.All())
		}
		noSecrets(t, logs)
	})
}

// TestSecretsThatChangeDuringTheRequest must not be taken for tried.
func TestSecretsThatChangeDuringTheRequest(t *testing.T) {
	o := &office{life: 7200}
	inVault(t, o, func(t *testing.T, v *vault, client *Client, _ *observer.ObservedLogs) {
		work(t, client, time.Minute)
		o.slow = 75 * time.Second
		client.exchange.timeout = 2 * time.Minute
		v.put("second")
		work(t, client, lookEvery+10*time.Second)
		v.put("third")
		work(t, client, 5*time.Minute)
		if o.given != 3 {
			t.Errorf("%d tokens for three secrets", o.given)
		}
	})
}

// TestMendedSecretEndsAnOutage has no token to serve on with.
func TestMendedSecretEndsAnOutage(t *testing.T) {
	o := &office{life: 7200, refusal: `{"code":"invalidClientIdOrSecret"}`}
	inVault(t, o, func(t *testing.T, v *vault, client *Client, logs *observer.ObservedLogs) {
		for asked := 0; o.given < 9 || asked == o.given; { // up to a request of which the pause is a minute
			asked = o.given
			pass(time.Second)
			if query(t, client) == nil {
				t.Fatal("a wrong secret was accepted")
			}
		}
		o.refusal = ""
		v.put("mended")
		pass(lookEvery)
		if err := query(t, client); err != nil {
			t.Errorf("half a minute after it was mended: %v", err)
		}
		noSecrets(t, logs)
	})
}
