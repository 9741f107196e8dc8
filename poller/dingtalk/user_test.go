package dingtalk

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/poller"
)

func TestOngoingOf(t *testing.T) {
	client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/v1.0/conference/users/lists" || r.URL.Query().Get("unionId") != "u/1 &" {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		_, _ = w.Write([]byte(`{"memberModelMap":{"a":{"userNick":"Ann"}},"onGoingConfIdList":["a",7]}`))
	})
	got, err := client.OngoingOf(t.Context(), "u/1 &")
	if diff := cmp.Diff([]string{"a", "7"}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	noSecrets(t, s.logs)
}

func TestOngoingOfThatIsNotTheWholeTruth(t *testing.T) {
	for body, want := range map[string]poller.Class{
		`{}`: poller.ClassNone,
		`{"onGoingConfIdList":null,"memberModelMap":null}`: poller.ClassNone,
		`{"memberModelMap":{}}`:                            poller.ClassNone,
		`{"memberModelMap":{"a":{}}}`:                      poller.ClassMalformed,
		`[]`:                                               poller.ClassMalformed,
		`{"success":"false"}`:                              poller.ClassTransient,
		`{"code":"serviceBusy","requestid":"r"}`:           poller.ClassTransient,
		`{"onGoingConfIdList":"a"}`:                        poller.ClassMalformed,
		`{"onGoingConfIdList":["",1]}`:                     poller.ClassMalformed,
		`{"onGoingConfIdList":["a",`:                       poller.ClassMalformed,
		`{"onGoingConfIdList":[]}`:                         poller.ClassNone,
	} {
		client, _ := serve(t, says(200, body))
		got, err := client.OngoingOf(t.Context(), "u")
		if poller.ClassOf(err) != want || len(got) != 0 {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
}

func TestWhatTheListSays(t *testing.T) {
	client, _ := serve(t, says(200, `{"onGoingConfList":[
		{"conferenceId":"a","title":"Weekly","creatorId":"u1","creatorNick":"Ann","externalLinkUrl":"https://x/?pwd=1"},
		{"conferenceId":"b","title":null,"creatorNick":["?"]}]}`))
	got, err := client.Ongoing(t.Context(), "")
	want := []poller.Listed{{ConferenceID: "a", Title: "Weekly", CreatorID: "u1", CreatorNick: "Ann"}, {ConferenceID: "b"}}
	if diff := cmp.Diff(want, got.Meetings); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}
