package dingtalk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/poller"
)

func TestOngoing(t *testing.T) {
	for name, test := range map[string]struct {
		token, body string
		want        poller.OngoingPage
	}{
		"a page": {
			"", `{"onGoingConfList":[{"conferenceId":"a","title":"t","externalLinkUrl":"https://x/?pwd=1"},{"status":2,"conferenceId":"b"}],"nextToken":"n/2","hasMore":true,"totalCount":300}`,
			poller.OngoingPage{IDs: []string{"a", "b"}, Next: "n/2", Total: 300},
		},
		"the last": {"n/2", `{"onGoingConfList":[{"conferenceId":"c"}],"nextToken":"","hasMore":false,"totalCount":"3"}`, poller.OngoingPage{IDs: []string{"c"}, Total: 3}},
		"no more":  {"n/2", `{"onGoingConfList":[{"conferenceId":"c"}],"nextToken":"n/3","hasMore":false}`, poller.OngoingPage{IDs: []string{"c"}}},
		"unsaid":   {"", `{"onGoingConfList":[{"conferenceId":7}],"nextToken":12,"totalCount":-1}`, poller.OngoingPage{IDs: []string{"7"}, Next: "12"}},
		"nothing":  {"", `{"onGoingConfList":[],"nextToken":null,"hasMore":null}`, poller.OngoingPage{}},
		"absent":   {"", `{"hasMore":false,"totalCount":0}`, poller.OngoingPage{}},
		"null":     {"", `{"onGoingConfList":null,"hasMore":false,"totalCount":0}`, poller.OngoingPage{}},
		"bare":     {"", `{}`, poller.OngoingPage{}},
		"in words": {"", `{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":"2","hasMore":"True"}`, poller.OngoingPage{IDs: []string{"a"}, Next: "2"}},
		"no words": {"2", `{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":"3","hasMore":"false"}`, poller.OngoingPage{IDs: []string{"a"}}},
		"zero":     {"2", `{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":0}`, poller.OngoingPage{IDs: []string{"a"}}},
		"minus":    {"2", `{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":"-1"}`, poller.OngoingPage{IDs: []string{"a"}}},
		"its own":  {"2", `{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":"2"}`, poller.OngoingPage{IDs: []string{"a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				query := r.URL.Query()
				if r.Method != http.MethodGet || r.URL.Path != "/v1.0/conference/orgConferences" || query.Get("maxResults") != "128" {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				if query.Has("nextToken") != (test.token != "") || query.Get("nextToken") != test.token {
					t.Errorf("the token is sent as %v", query)
				}
				_, _ = w.Write([]byte(test.body))
			})
			got, err := client.Ongoing(t.Context(), test.token)
			got.Meetings = nil
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
			noSecrets(t, s.logs)
		})
	}
}

// TestOngoingThatIsNotTheWholeTruth must not let anybody seem to be missing.
func TestOngoingThatIsNotTheWholeTruth(t *testing.T) {
	for body, want := range map[string]poller.Class{
		`[]`: poller.ClassMalformed,
		`{"onGoingConfList":null,"hasMore":true}`:                                   poller.ClassMalformed,
		`{"success":false}`:                                                         poller.ClassTransient,
		`{"code":"serviceBusy"}`:                                                    poller.ClassTransient,
		`{"errcode":88,"sub_code":"60011","onGoingConfList":[]}`:                    poller.ClassPermission,
		`{"onGoingConfList":{}}`:                                                    poller.ClassMalformed,
		`{"onGoingConfList":[{}]}`:                                                  poller.ClassMalformed,
		`{"onGoingConfList":[null]}`:                                                poller.ClassMalformed,
		`{"onGoingConfList":["a"]}`:                                                 poller.ClassMalformed,
		`{"onGoingConfList":[{"conferenceId":"a"}],"hasMore":true}`:                 poller.ClassMalformed,
		`{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":"here","hasMore":1}`: poller.ClassMalformed,
		`{"onGoingConfList":[{"conferenceId":"a"}],"nextToken":0,"hasMore":true}`:   poller.ClassMalformed,
		`{"onGoingConfList":[{"conferenceId":"a"}`:                                  poller.ClassMalformed,
		`{"code":"systemError"}`:                                                    poller.ClassTransient,
		page:                                                                        poller.ClassBlocked,
	} {
		client, _ := serve(t, says(200, body))
		got, err := client.Ongoing(t.Context(), "here")
		if poller.ClassOf(err) != want || len(got.IDs) != 0 {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	client, _ := serve(t, says(403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","accessdenieddetail":{"requiredScopes":["S"]}}`))
	_, err := client.Ongoing(t.Context(), "")
	if poller.ClassOf(err) != poller.ClassPermission || !strings.HasPrefix(err.Error(), "list ongoing meetings: ") {
		t.Errorf("denied: %v", err)
	}
}
