package target

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"rollcall/internal/secret"
)

// Known answers: a signature that is wrong looks like any other.

func TestDingTalkSignsAsItsManualSays(t *testing.T) {
	const want = "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="
	if got := dingTalkSign("1700000000000", "this is secret"); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
	u, err := url.Parse("https://oapi.dingtalk.com/robot/send?access_token=t&timestamp=1&sign=old")
	if err != nil {
		t.Fatal(err)
	}
	robot := dingTalkRobot{url: u, secret: "this is secret"}
	for range 3 { // the signature is made anew each time, and does not pile up
		const wantQuery = "access_token=t&sign=sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0%3D&timestamp=1700000000000"
		robot.url = robot.signed(time.UnixMilli(1_700_000_000_000))
		if got := robot.url.RawQuery; got != wantQuery {
			t.Errorf("the query is %s, want %s", got, wantQuery)
		}
	}
}

// The value was made with:
//
//	printf '' | openssl dgst -sha256 -binary -mac HMAC -macopt hexkey:$(printf '1599360473\ndemo' | xxd -p) | base64
func TestFeishuSignsNothingWithTheTimeAndTheSecret(t *testing.T) {
	const want = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
	if got := feishuSign("1599360473", "demo"); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
	bot := feishuBot{secret: "demo"}
	var body map[string]any
	if err := json.Unmarshal(bot.encode(Message{}, text{}, time.Unix(1_599_360_473, 9e8)).body, &body); err != nil {
		t.Fatal(err)
	}
	if body["timestamp"] != "1599360473" || body["sign"] != want {
		t.Errorf("signed with %v and %v: the time is in seconds, and a string", body["timestamp"], body["sign"])
	}
}

// The example of https://www.standardwebhooks.com and one with two keys.
func TestWebhookSignsAsStandardWebhooksSay(t *testing.T) {
	at := time.Unix(1_614_265_330, 5e8)
	m := Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Event: []byte(`{"test": 2432232314}`)}
	current, old := secret.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), secret.New("whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxsISEh")
	const first, second = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,ecARAny0Ha09B3RNcNmenwTTABbdkvOxrPXqpMfvMqM="
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{Secret: current}, first},
		{Options{Secret: current, OldSecrets: []secret.String{old}}, first + " " + second},
		{Options{}, ""},
	} {
		c.options.Address, c.options.Now = addressOf(t, "https://example.com/"), func() time.Time { return at }
		made, err := newWebhook(c.options, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		header, err := made.(*hook).headers(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := header.Get("webhook-signature"); got != c.want {
			t.Errorf("the signature is %q, want %q", got, c.want)
		}
		if got := header.Get("webhook-timestamp"); got != "1614265330" {
			t.Errorf("the timestamp is %s", got)
		}
	}
}

func addressOf(t testing.TB, raw string) Address {
	t.Helper()
	a, err := ParseAddress(raw)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
