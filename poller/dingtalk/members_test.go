package dingtalk

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/poller"
)

func TestMembers(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	full := rollcall.Member{
		UserID: "u1", Nick: "Ann", Attendance: rollcall.AttendanceLeft, Joined: at(1785747600000), Left: at(1785747660000), Stayed: time.Minute,
		Roles: rollcall.Roles{Host: rollcall.FactTrue, CoHost: rollcall.FactFalse, External: rollcall.FactFalse, Phone: rollcall.FactTrue},
	}
	for name, test := range map[string]struct {
		body string
		want poller.MembersPage
		bad  bool
	}{
		"a line": {`{"memberModels":[{"unionId":"u1","conferenceId":"a","userNick":"Ann","joinTime":1785747600000,"leaveTime":1785747660000,
			"duration":60000,"host":true,"coHost":false,"attendStatus":6,"outerOrgMember":false,"pstnJoin":true,"link":"https://secret"}],
			"nextToken":"t","totalCount":300}`, poller.MembersPage{Members: []rollcall.Member{full}, Next: "t", Total: 300}, false},
		"in strings": {
			`{"memberModels":[{"unionId":"u1","userNick":"Ann","joinTime":"1785747600000","leaveTime":"1785747660000",
			"duration":"60000","host":"true","coHost":0,"attendStatus":"6","outerOrgMember":"false","pstnJoin":1}],"nextToken":0}`,
			poller.MembersPage{Members: []rollcall.Member{full}},
			false,
		},
		"nulls": {
			`{"memberModels":[{"unionId":null,"userNick":null,"joinTime":null,"leaveTime":null,"duration":null,"host":null,"attendStatus":null}]}`,
			poller.MembersPage{Members: []rollcall.Member{{}}},
			false,
		},
		"nothing said": {`{"memberModels":[{}],"totalCount":"1"}`, poller.MembersPage{Members: []rollcall.Member{{}}, Total: 1}, false},
		"nonsense": {
			`{"memberModels":[{"unionId":"u1","joinTime":-5,"leaveTime":"soon","duration":-1,"host":"maybe","attendStatus":77}]}`,
			poller.MembersPage{Members: []rollcall.Member{{UserID: "u1"}}},
			false,
		},
		"whose":       {`{"memberModels":[7,{"unionId":{}},{"unionId":"u2"}]}`, poller.MembersPage{Members: []rollcall.Member{{UserID: "u2"}}, Unread: 2}, false},
		"nobody":      {`{"memberModels":null}`, poller.MembersPage{}, false},
		"absent":      {`{}`, poller.MembersPage{}, false},
		"no list":     {`{"memberModels":"x"}`, poller.MembersPage{}, true},
		"its own end": {`{"memberModels":[{}],"nextToken":"n/2"}`, poller.MembersPage{Members: []rollcall.Member{{}}}, false},
		"no object":   {`[]`, poller.MembersPage{}, true},
		"refused":     {`{"code":"systemError"}`, poller.MembersPage{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if want := "/v1.0/conference/videoConferences/a%2Fb/members?maxResults=128&nextToken=n%2F2"; r.Method != http.MethodGet || r.URL.String() != want {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				_, _ = w.Write([]byte(test.body))
			})
			got, err := client.Members(t.Context(), "a/b", "n/2")
			noSecrets(t, s.logs)
			if diff := cmp.Diff(test.want, got); diff != "" || (err != nil) != test.bad {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
