package dingtalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/poller"
)

func TestLookup(t *testing.T) {
	start, end := time.UnixMilli(1_785_000_000_000).UTC(), time.UnixMilli(1_785_000_600_000).UTC()
	tests := map[string]struct {
		body string
		want poller.Standing
	}{
		"ended": {
			`{"confInfo":{"conferenceId":"a","title":"t","status":1,"startTime":1785000000000,"endTime":1785000600000,"confDuration":600000,"externalLinkUrl":"https://x/?pwd=1"}}`,
			poller.Standing{Status: rollcall.StatusEnded, Title: "t", StartTime: start, EndTime: end},
		},
		"called off": {
			`{"confInfo":{"status":1,"startTime":1785000000000,"endTime":1785000600000,"attendNum":0}}`, poller.Standing{Status: rollcall.StatusEnded, EndTime: end},
		},
		"nobody came": {
			`{"confInfo":{"status":1,"startTime":1785000000000,"endTime":1785000600000,"attendNum":"0","confDuration":600000}}`,
			poller.Standing{Status: rollcall.StatusEnded, StartTime: start, EndTime: end},
		},
		"nobody yet": {`{"confInfo":{"status":0,"startTime":1785000000000,"attendNum":0}}`, poller.Standing{StartTime: start, Status: rollcall.StatusInitialized}},
		"strings":    {`{"confInfo":{"status":"2","startTime":"1785000000000","endTime":"0"}}`, poller.Standing{Status: rollcall.StatusStarted, StartTime: start}},
		"nothing":    {`{"confInfo":{}}`, poller.Standing{}},
		"null":       {`{"confInfo":{"conferenceId":null,"title":null,"status":null,"startTime":null,"endTime":null}}`, poller.Standing{}},
		"nonsense":   {`{"confInfo":{"conferenceId":[],"title":1,"status":9,"startTime":5,"endTime":{}}}`, poller.Standing{}},
		"the last":   {`{"confInfo":null,"confInfo":{"status":1,"status":0}}`, poller.Standing{Status: rollcall.StatusInitialized}},
		"long":       {`{"confInfo":{"title":"` + strings.Repeat("x", 999) + `"}}`, poller.Standing{Title: strings.Repeat("x", 256)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.Header.Get("x-acs-dingtalk-access-token") != theToken {
					t.Errorf("asked %s, %v", r.Method, r.Header)
				}
				_, _ = w.Write([]byte(test.body))
			})
			got, err := client.Lookup(t.Context(), "a")
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
			if strings.Contains(fmt.Sprint(s.logs.All()), "pwd") {
				t.Error("the join link shows in the log")
			}
		})
	}
}

func TestLookupOfNothing(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"confInfo":null}`, `{"confInfo":[]}`, `{"confInfo":"a"}`, `{"confInfo":{"status":1}`, `{"confInfo":{"conferenceId":"b","status":1}}`,
	} {
		client, _ := serve(t, says(200, body))
		got, err := client.Lookup(t.Context(), "a")
		if poller.ClassOf(err) != poller.ClassMalformed || got != (poller.Standing{}) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	client, s := serve(t, says(404, `{"code":"roomNotFound"}`))
	if _, err := client.Lookup(t.Context(), ""); poller.ClassOf(err) != poller.ClassBadRequest || s.calls+s.tokens != 0 {
		t.Errorf("no id: %v, %d calls", err, s.calls)
	}
	if _, err := client.Lookup(t.Context(), "a"); poller.ClassOf(err) != poller.ClassUnknown {
		t.Errorf("unknown: %v", err)
	}
}

func TestLookupIDsArriveExactly(t *testing.T) {
	ids := []string{
		"a", ".", "..", "...", "a/b", "/", "a b", "*.>", "周会-😀", "100%", "%2F", "a?b#c", "a;b,c", "+&=:@", `"\`, "query", "\x01", "\xff", "a/../b",
	}
	client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		segment, _ := strings.CutPrefix(r.URL.EscapedPath(), "/v1.0/conference/videoConferences/")
		id, err := url.PathUnescape(segment)
		if err != nil || strings.Contains(segment, "/") {
			t.Errorf("asked about %q: %v", segment, err)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"confInfo": map[string]string{"title": fmt.Sprintf("%q", id)}})
	})
	for _, id := range ids {
		got, err := client.Lookup(t.Context(), id)
		if want := fmt.Sprintf("%q", id); err != nil || got.Title != want {
			t.Errorf("%s arrived as %s: %v", want, got.Title, err)
		}
	}
}

func TestRefusedTokenInASuccess(t *testing.T) {
	client, s := serve(t, says(200, `{"code":"InvalidAuthentication"}`))
	_, err := client.Lookup(t.Context(), "a")
	if fault, ok := errors.AsType[*Fault](err); !ok || fault.Class() != poller.ClassToken || s.calls != 2 || s.tokens != 2 {
		t.Errorf("%v after %d calls and %d tokens", err, s.calls, s.tokens)
	}
}
