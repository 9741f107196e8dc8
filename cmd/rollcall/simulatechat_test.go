package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollcall/simulator/chat"
)

func TestChatIsServedBesideTheAPI(t *testing.T) {
	var out strings.Builder
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "api") })
	handler, err := besideChat(&out, api, &net.TCPAddr{IP: net.IPv4zero, Port: 9099})
	if err != nil {
		t.Fatal(err)
	}
	slack := regexp.MustCompile(`printf %s 'http://127\.0\.0\.1:9099(/services/\S+)' >chat/slack`).FindStringSubmatch(out.String())
	if slack == nil {
		t.Fatalf("no address of Slack is printed:\n%s", out.String())
	}
	out.Reset()
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", slack[1], `{"text":"hello\nto \u202eall"}`, "ok"},
		{"GET", "/chat/messages", "", `"text":"hello\nto`},
		{"POST", "/v1.0/conference/videoConferences/query", "{}", "api"},
		{"GET", "/chat/nothing", "", "api"},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, w.Body, c.want)
		}
	}
	if !regexp.MustCompile(`^\d\d:\d\d:\d\d slack/team: hello / to \\u202eall\n$`).MatchString(out.String()) {
		t.Errorf("what arrived is printed as %q", out.String())
	}
}

func TestAnArrivalIsOneLine(t *testing.T) {
	m := chat.Message{At: time.Date(2026, 8, 3, 10, 4, 5, 0, time.UTC), Service: "dingtalk", Robot: "team", Title: "Weekly review", Text: "- Ann joined  \n- Li left\n"}
	if got, want := arrival(m), "10:04:05 dingtalk/team: Weekly review / - Ann joined / - Li left\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
