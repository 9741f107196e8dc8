package dingtalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest/observer"

	"rollcall/poller"
)

// noSecrets fails if an error or a log tells a secret.
func noSecrets(t *testing.T, logs *observer.ObservedLogs, errs ...error) {
	t.Helper()
	var said []string
	for _, err := range errs {
		said = append(said, fmt.Sprintf("%v %+v %#v", err, err, err))
		if fault, ok := errors.AsType[*Fault](err); ok {
			said = append(said, fmt.Sprintf("%+v %#v", *fault, *fault))
		}
	}
	for _, entry := range logs.All() {
		said = append(said, fmt.Sprintf("%s %v", entry.Message, entry.ContextMap()))
	}
	for _, text := range said {
		for _, hidden := range []string{theSecret, theToken, theSecret[:10], theToken[:10]} {
			if strings.Contains(text, hidden) {
				t.Errorf("%q shows in %.300s", hidden, text)
			}
		}
	}
}

func TestFaultIsOneSentence(t *testing.T) {
	client, _ := serve(t, says(403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","message":"no\n\u001b[31m\u202eaccess",
		"requestid":"4A1F-2","accessdenieddetail":{"requiredScopes":["VideoConference.Conference.Read",null,7]}}`))
	fault := ask(t, client)["query meetings"]
	want := `query meetings: permission: HTTP 403, code Forbidden.AccessDenied.AccessTokenPermissionDenied, request id 4A1F-2, ` +
		`message "no [31maccess": missing permission VideoConference.Conference.Read: ` +
		`an administrator grants it in the DingTalk developer console: the app, Permissions, VideoConference.Conference.Read`
	if fault.Error() != want {
		t.Errorf("got  %s\nwant %s", fault, want)
	}
	if _, isFault := errors.AsType[poller.Fault](error(fault)); !isFault {
		t.Error("it is not a fault to the poller")
	}
}

// echoing answers with everything it is given, in every text it may.
func echoing(t *testing.T, status int, echo string) http.HandlerFunc {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"code": "c " + echo, "message": strings.Repeat("m", 240) + echo, "requestid": echo,
		"accessdenieddetail": map[string]any{"requiredScopes": []string{echo}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://"+theToken+":80/?"+theToken)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

func TestFaultHidesWhatServersEcho(t *testing.T) {
	for _, status := range []int{200, 302, 400, 401, 403, 404, 500} {
		client, s := serve(t, echoing(t, status, theSecret+" "+theToken+" "+theToken[:4]+"\u0007"+theToken[4:]))
		_, queryErr := client.Query(t.Context(), []string{"a"})
		_, lookupErr := client.Lookup(t.Context(), "a")
		noSecrets(t, s.logs, queryErr, lookupErr)
		if lookupErr == nil || !strings.Contains(lookupErr.Error(), dots) {
			t.Errorf("%d: %v", status, lookupErr)
		}

		client, s = serveBoth(t, echoing(t, status, theSecret), says(200, ""))
		_, err := client.CheckToken(t.Context())
		_, again := client.Query(t.Context(), []string{"a"})
		if err == nil || again == nil {
			t.Fatalf("%d: the token came from nowhere", status)
		}
		for _, text := range []string{err.Error(), again.Error(), fmt.Sprint(s.logs.All())} {
			if strings.Contains(text, theSecret[:10]) {
				t.Errorf("%d: the secret shows in %.300s", status, text)
			}
		}
	}
}

func TestFaultTextsAreBounded(t *testing.T) {
	long := strings.Repeat("长", 50_000)
	var scopes []string
	for range 1000 {
		scopes = append(scopes, long[:3000])
	}
	body, err := json.Marshal(map[string]any{
		"code": long, "message": long, "requestid": long, "accessdenieddetail": map[string]any{"requiredScopes": scopes},
	})
	if err != nil {
		t.Fatal(err)
	}
	client, _ := serve(t, says(400, string(body[:min(len(body), maxComplaint)])))
	fault := ask(t, client)["look up meeting"]
	if len(fault.Error()) > 1000 || fault.Class() != poller.ClassBadRequest {
		t.Errorf("half of an errorBody makes %d bytes", len(fault.Error()))
	}
	client, _ = serve(t, says(400, `{"code":"`+long+`","message":"`+long+`","requestid":17}`))
	fault = ask(t, client)["look up meeting"]
	if len(fault.Message) != 255 || len(fault.Code) != 126 || fault.RequestID != "17" {
		t.Errorf("%d bytes of message, %d of code, request %q", len(fault.Message), len(fault.Code), fault.RequestID)
	}
}

func TestRequestIDFromHeader(t *testing.T) {
	for _, name := range []string{"X-Acs-Request-Id", "X-Acs-Trace-Id", "x-request-id", "EagleEye-TraceId"} {
		client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(name, "r-9")
			w.WriteHeader(500)
		})
		if fault := ask(t, client)["query meetings"]; fault.RequestID != "r-9" {
			t.Errorf("%s: %v", name, fault)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 17, 500e6, time.UTC)
	qpm := `{"code":"Forbidden.AccessDenied.QpmLimitForApi"}`
	tests := []struct {
		header, body string
		want         time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{" 7 ", "", 7 * time.Second},
		{"0", "", 0},
		{"-5", "", 0},
		{"301", "", 5 * time.Minute},
		{"9223372036854775807", "", 5 * time.Minute},
		{"99999999999999999999", "", 0},
		{"soon", "", 0},
		{now.Add(90 * time.Second).Format(http.TimeFormat), "", 89500 * time.Millisecond},
		{now.Add(-time.Hour).Format(http.TimeFormat), "", 0},
		{now.Add(time.Hour).Format(http.TimeFormat), "", 5 * time.Minute},
		{"", qpm, 42500 * time.Millisecond},
		{"3", qpm, 3 * time.Second},
	}
	for _, test := range tests {
		client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if test.header != "" {
				w.Header().Set("Retry-After", test.header)
			}
			w.WriteHeader(403)
			_, _ = w.Write([]byte(test.body))
		})
		client.exchange.now = func() time.Time { return now }
		if got := ask(t, client)["query meetings"].RetryAfter(); got != test.want {
			t.Errorf("%q %q: %v, want %v", test.header, test.body, got, test.want)
		}
	}
	if got := untilMinute(now.Truncate(time.Minute)); got != time.Minute {
		t.Errorf("at the full minute: %v", got)
	}
}

func TestVeilForgetsTheOldest(t *testing.T) {
	var v redactor
	v.hide("abc")
	for i := range 30 {
		v.hide(fmt.Sprintf("secret-%02d", i))
		v.hide("steady one")
	}
	text := "abc secret-00 secret-29 steady one https://user:pw@proxy/"
	if got := v.clean(text, 100); got != "abc secret-00 ••• ••• https://•••@proxy/" {
		t.Errorf("got %q", got)
	}
}
