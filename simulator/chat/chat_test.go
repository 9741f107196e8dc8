package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/simulator/chat"
)

// sends has for each service a message that it takes.
func sends() map[string]string {
	return map[string]string{
		"dingtalk": `{"msgtype":"markdown","markdown":{"title":"t","text":"hello"}}`,
		"feishu":   `{"msg_type":"text","content":{"text":"hello"}}`,
		"wecom":    `{"msgtype":"markdown","markdown":{"content":"hello"}}`,
		"slack":    `{"text":"hello"}`,
		"teams":    `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard","body":[{"type":"TextBlock","text":"hello"}]}}]}`,
		"webhook":  `{"id":"e1","type":"rollcall.meeting.ended"}`,
	}
}

func sentTo(t *testing.T, service string) string {
	t.Helper()
	body := sends()[service]
	if body == "" {
		t.Fatalf("%s wants a message that it takes, which says hello, in sends() (chat_test.go)", service)
	}
	return body
}

// unsigned makes a robot of each service that wants no signature.
func unsigned(t *testing.T) *chat.Chat {
	t.Helper()
	robots := []chat.Robot{}
	for _, service := range chat.Services() {
		robots = append(robots, chat.Robot{Service: service, Name: "team"})
	}
	made, err := chat.New(chat.Config{Robots: robots})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func post(ctx context.Context, t *testing.T, c *chat.Chat, service, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://chat.example"+(chat.Robot{Service: service, Name: "team"}).Path(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if service == "webhook" {
		req.Header.Set("Content-Type", "application/cloudevents+json")
		req.Header.Set("webhook-id", "e1")
	}
	return (&http.Client{Transport: c.Transport()}).Do(req)
}

// outcome sends a message that the service takes, and returns what became of it.
func outcome(t *testing.T, c *chat.Chat, service string) chat.Outcome {
	t.Helper()
	resp, err := post(t.Context(), t, c, service, sentTo(t, service))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	all := c.Attempts()
	return all[len(all)-1].Outcome
}

func TestEveryServiceTakesAMessage(t *testing.T) {
	c := unsigned(t)
	for n, service := range chat.Services() {
		if got := outcome(t, c, service); got != chat.Shown {
			t.Fatalf("%s: the message of sends() is %s: %+v", service, got, c.Attempts()[n])
		}
		m := c.Messages()[n]
		if m.Number != n+1 || m.Service != service || m.Robot != "team" || !strings.Contains(m.Text, "hello") && service != "webhook" {
			t.Errorf("%s: shown as %+v", service, m)
		}
	}
}

// Each service's limit, to the message and to the moment.
func TestLimitsAreTheRealOnes(t *testing.T) {
	limits := map[string]struct {
		messages int
		window   time.Duration
		block    time.Duration // 0: the window alone
	}{
		"dingtalk": {20, time.Minute, 10 * time.Minute},
		"feishu":   {5, time.Second, 0},
		"wecom":    {20, time.Minute, 0},
		"slack":    {1, time.Second, 0},
		"teams":    {4, time.Second, 0},
	}
	for _, service := range chat.Services() {
		if service == "webhook" {
			continue // its receiver's own
		}
		t.Run(service, func(t *testing.T) {
			c, has := limits[service]
			if !has {
				t.Fatalf("%s wants the limit of its manual in TestLimitsAreTheRealOnes", service)
			}
			synctest.Test(t, func(t *testing.T) {
				services, began := unsigned(t), time.Now()
				for n := range c.messages {
					if got := outcome(t, services, service); got != chat.Shown {
						t.Fatalf("message %d is %s", n+1, got)
					}
				}
				time.Sleep(c.window - time.Millisecond)
				if got := outcome(t, services, service); got != chat.Throttled {
					t.Fatalf("one more within %v is %s", c.window, got)
				}
				free := began.Add(c.window)
				if c.block > 0 {
					free = time.Now().Add(c.block)
					time.Sleep(c.block - time.Millisecond)
					if got := outcome(t, services, service); got != chat.Throttled {
						t.Fatalf("one more within the silence is %s", got)
					}
				}
				time.Sleep(time.Until(free))
				if got := outcome(t, services, service); got != chat.Shown {
					t.Fatalf("one more after %v is %s", time.Since(began), got)
				}
			})
		})
	}
}

func TestFeishuTakesAHundredAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := unsigned(t)
		for n := range 100 {
			if got := outcome(t, c, "feishu"); got != chat.Shown {
				t.Fatalf("message %d is %s", n+1, got)
			}
			time.Sleep(250 * time.Millisecond)
		}
		if got := outcome(t, c, "feishu"); got != chat.Throttled {
			t.Fatalf("the message after a hundred is %s", got)
		}
	})
}

func TestAKnownIDIsShownOnce(t *testing.T) {
	c := unsigned(t)
	const body = `{"msgtype":"text","text":{"content":"hello"},"msgUuid":"u1"}`
	for range 2 {
		resp, err := post(t.Context(), t, c, "dingtalk", body)
		if err != nil {
			t.Fatal(err)
		}
		if said := read(t, resp); !strings.Contains(said, `"errcode":0`) {
			t.Errorf("answered %s", said)
		}
	}
	if n := len(c.Messages()); n != 1 {
		t.Errorf("%d messages are shown, want 1", n)
	}
	if got := c.Attempts()[1].Outcome; got != chat.Repeated {
		t.Errorf("the repetition is %s", got)
	}
}

func TestMisbehaviour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, service := range chat.Services() {
			for _, kind := range chat.FaultKinds() {
				c := unsigned(t)
				if err := c.Misbehave(chat.Fault{Kind: kind, Service: service, Robot: "team", Times: 1}); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				resp, err := post(ctx, t, c, service, sentTo(t, service))
				cancel()
				switch kind {
				case chat.Timeout:
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s, %s: %v", service, kind, err)
					}
				case chat.HangUp, chat.Drop:
					if !errors.Is(err, io.EOF) {
						t.Errorf("%s, %s: %v", service, kind, err)
					}
				default:
					if err != nil {
						t.Fatalf("%s, %s: %v", service, kind, err)
					}
					_ = resp.Body.Close()
				}
				if shown := len(c.Messages()) == 1; shown != (kind == chat.Drop) {
					t.Errorf("%s, %s: shown is %v", service, kind, shown)
				}
				if a := c.Attempts()[0]; a.Fault != kind {
					t.Errorf("%s, %s: the attempt is %+v", service, kind, a)
				}
			}
		}
	})
}

// Over a real connection a service hangs up and falls silent as well.
func TestMisbehaviourOverAConnection(t *testing.T) {
	c := unsigned(t)
	server := httptest.NewServer(c.Handler())
	defer server.Close()
	if err := c.Misbehave(chat.Fault{Kind: chat.Drop, Times: 1}); err != nil {
		t.Fatal(err)
	}
	url := server.URL + (chat.Robot{Service: "slack", Name: "team"}).Path()
	if resp, err := http.Post(url, "application/json", strings.NewReader(sends()["slack"])); err == nil {
		_ = resp.Body.Close()
		t.Error("there was an answer")
	}
	if n := len(c.Messages()); n != 1 {
		t.Errorf("%d messages are shown, want 1", n)
	}
}

func TestControl(t *testing.T) {
	c := unsigned(t)
	do := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	for _, service := range []string{"dingtalk", "slack"} {
		outcome(t, c, service)
	}
	_, all := do("GET", "/chat/messages", "")
	if strings.Count(all, "\n") != 2 || !strings.Contains(all, `"text":"hello"`) {
		t.Errorf("the messages are %s", all)
	}
	_, later := do("GET", "/chat/messages?since=1", "")
	var m chat.Message
	if err := json.Unmarshal([]byte(later), &m); err != nil || m.Service != "slack" || m.Number != 2 {
		t.Errorf("since 1: %s, %v", later, err)
	}
	if code, said := do("GET", "/chat/attempts?since=x", ""); code != 400 || !strings.Contains(said, "since") {
		t.Errorf("a wrong since: %d %s", code, said)
	}
	for _, wrong := range []string{`{"fault":"nap"}`, `{"fault":"gone","service":"irc"}`, `{"fault":"gone","x":1}`, `{`} {
		if code, said := do("POST", "/chat/fault", wrong); code != 400 || !strings.Contains(said, "error") {
			t.Errorf("%s: %d %s", wrong, code, said)
		}
	}
	if code, said := do("POST", "/chat/fault", `{"fault":"refuse","service":"wecom","times":2}`); code != 200 {
		t.Errorf("a fault: %d %s", code, said)
	}
	if got := outcome(t, c, "wecom"); got != chat.Refused {
		t.Errorf("with a fault a message is %s", got)
	}
	if code, _ := do("DELETE", "/chat/fault", ""); code != 200 {
		t.Errorf("clearing the faults: %d", code)
	}
	if got := outcome(t, c, "wecom"); got != chat.Shown {
		t.Errorf("without faults a message is %s", got)
	}
	if _, robots := do("GET", "/chat/robots", ""); strings.Count(robots, `"path":"/`) != len(chat.Services()) {
		t.Errorf("the robots are %s", robots)
	}
}

func TestOnlyTheLatestIsKept(t *testing.T) {
	c, err := chat.New(chat.Config{Robots: []chat.Robot{{Service: "wecom", Name: "team"}}, Keep: 2})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		outcome(t, c, "wecom")
	}
	if m := c.Messages(); len(m) != 2 || m[0].Number != 3 || m[1].Number != 4 {
		t.Errorf("kept are %+v", m)
	}
}

func TestRobotsThatCannotBeAreNamed(t *testing.T) {
	for _, robots := range [][]chat.Robot{
		{{Service: "irc", Name: "a"}},
		{{Service: "slack"}},
		{{Service: "slack", Name: "a"}, {Service: "slack", Name: "a"}},
	} {
		if _, err := chat.New(chat.Config{Robots: robots}); err == nil {
			t.Errorf("%+v: made", robots)
		}
	}
}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
