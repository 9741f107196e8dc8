package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rollcall"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const query = "/v1.0/conference/videoConferences/query"

// caller calls a handler in process.
type caller struct {
	t       testing.TB
	handler http.Handler
	token   string
}

// newCaller has a good token.
func newCaller(t testing.TB, s *Simulator) *caller {
	t.Helper()
	c := &caller{t: t, handler: s.Handler()}
	answer := c.call("POST", "/v1.0/oauth2/accessToken", map[string]string{"appKey": DefaultAppKey, "appSecret": DefaultAppSecret})
	c.token, _ = answer.body["accessToken"].(string)
	return c
}

type answered struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

func (c *caller) call(method, path string, body any) answered {
	c.t.Helper()
	raw, isText := body.(string)
	if body != nil && !isText {
		encoded, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		raw = string(encoded)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(raw))
	r.Header.Set("x-acs-dingtalk-access-token", c.token)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	got := answered{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	_ = json.Unmarshal(got.raw, &got.body)
	return got
}

func (c *caller) query(ids ...string) answered {
	c.t.Helper()
	return c.call("POST", query, map[string]any{"conferenceIdList": ids})
}

// wants checks a documented error.
func (a answered) wants(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status || a.body["code"] != code || a.body["message"] == "" || len(a.body["requestid"].(string)) != 36 {
		t.Errorf("answer is %d %s, want %d %s", a.status, a.raw, status, code)
	}
}

func names(object any) map[string]bool {
	found := map[string]bool{}
	for name := range object.(map[string]any) {
		found[name] = true
	}
	return found
}

func set(words string) map[string]bool {
	found := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		found[word] = true
	}
	return found
}

func first(list any) any { return list.([]any)[0] }

// staged is a world in which a known scene has been acted.
func staged(t testing.TB, cfg Config) (*Simulator, string) {
	t.Helper()
	cfg.Meetings, cfg.Empty = 2, true
	s := newStill(t, cfg)
	id := s.ConferenceIDs()[0]
	act := func(a Act) {
		t.Helper()
		a.ConferenceID = id
		if _, err := s.Act(a); err != nil {
			t.Fatal(err)
		}
	}
	act(Act{Verb: "rename", Title: "Weekly"})
	act(Act{Verb: "invite", UserID: "u1", Nick: "Ann"})
	act(Act{Verb: "join", UserID: "u1"})
	act(Act{Verb: "mic_on", UserID: "u1"})
	act(Act{Verb: "invite", UserID: "u2", Nick: "Bo <b>"})
	act(Act{Verb: "decline", UserID: "u2", RejectDescription: "抱歉，正在开会"})
	act(Act{Verb: "join", Nick: "+86 139****0001"})
	act(Act{Verb: "mute_mics"})
	act(Act{Verb: "mic_on", UserID: "u1"})
	return s, id
}

func TestQueryAnswersAsDocumented(t *testing.T) {
	s, id := staged(t, Config{})
	got := newCaller(t, s).query(id, "nobody's", id)
	want := `{"infos":[{"conferenceId":"` + id + `","title":"Weekly","startTime":1785747600000,"status":2,"mediaStatus":1,"userList":[` +
		`{"userId":"u1","nick":"Ann","attendStatus":3,"cameraStatus":1,"micStatus":2},` +
		`{"userId":"u2","nick":"Bo <b>","attendStatus":4,"cameraStatus":0,"micStatus":0,"rejectDescription":"抱歉，正在开会"},` +
		`{"userId":"","nick":"+86 139****0001","attendStatus":3,"cameraStatus":1,"micStatus":1}]}]}`
	if got.status != 200 || string(got.raw) != want {
		t.Errorf("answer is %d\n%s\nwant\n%s", got.status, got.raw, want)
	}
	if ct := got.header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		t.Errorf("Content-Type is %q", ct)
	}
}

func TestQueryRefusesBadBodies(t *testing.T) {
	s, id := staged(t, Config{MaxBatch: 2})
	c := newCaller(t, s)
	for _, body := range []string{"", "{}", "null", "[", `{"conferenceIdList":[]}`, `{"conferenceIdList":"` + id + `"}`, `{"conferenceIdList":[1]}`} {
		c.call("POST", query, body).wants(t, 400, "paramsError")
	}
	c.call("POST", query, `{"conferenceIdList":["`+strings.Repeat("x", maxBody)+`"]}`).wants(t, 400, "paramsError")
	c.query("a", "b", "c").wants(t, 400, "paramsError")
	if got := c.query(id, "b"); got.status != 200 {
		t.Errorf("a batch of two is %d %s", got.status, got.raw)
	}
	if got := c.query("b"); string(got.raw) != `{"infos":[]}` {
		t.Errorf("an unknown id is %d %s", got.status, got.raw)
	}
}

func TestEndStyles(t *testing.T) {
	for style, check := range map[EndStyle]func(*testing.T, answered){
		EndStatus: func(t *testing.T, got answered) {
			ended := first(got.body["infos"]).(map[string]any)
			if got.status != 200 || ended["status"] != 1.0 || len(got.body["infos"].([]any)) != 2 {
				t.Errorf("answer is %d %s", got.status, got.raw)
			}
		},
		EndOmitted: func(t *testing.T, got answered) {
			if got.status != 200 || len(got.body["infos"].([]any)) != 1 {
				t.Errorf("answer is %d %s", got.status, got.raw)
			}
		},
		EndResourceClosed: func(t *testing.T, got answered) { got.wants(t, 400, "resourceClose") },
	} {
		t.Run(string(style), func(t *testing.T) {
			s, id := staged(t, Config{EndStyle: style})
			s.StepTo(epoch.Add(90 * time.Second))
			if _, err := s.Act(Act{Verb: "end", ConferenceID: id}); err != nil {
				t.Fatal(err)
			}
			c := newCaller(t, s)
			check(t, c.query(id, s.ConferenceIDs()[1]))
			info := c.call("GET", "/v1.0/conference/videoConferences/"+id, nil).body["confInfo"].(map[string]any)
			if info["status"] != 1.0 || info["startTime"] != 1785747600000.0 || info["endTime"] != 1785747690000.0 || info["confDuration"] != 90000.0 {
				t.Errorf("the ended meeting is %v", info)
			}
			if got := c.query(s.ConferenceIDs()[1]); got.status != 200 {
				t.Errorf("the other meeting alone is %d %s", got.status, got.raw)
			}
		})
	}
}

func TestEndStyleOfOneMeeting(t *testing.T) {
	s, id := staged(t, Config{EndStyle: EndStatus})
	if _, err := s.Act(Act{Verb: "end", ConferenceID: id, EndStyle: EndResourceClosed}); err != nil {
		t.Fatal(err)
	}
	newCaller(t, s).query(id).wants(t, 400, "resourceClose")
}

func TestMeetingAnswersAsDocumented(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	info := c.call("GET", "/v1.0/conference/videoConferences/"+id, nil).body["confInfo"]
	want := set("conferenceId title status startTime activeNum attendNum invitedNum creatorId creatorNick roomCode externalLinkUrl scheduleConferenceId bizType")
	if diff := cmp.Diff(want, names(info)); diff != "" {
		t.Error(diff)
	}
	got := info.(map[string]any)
	if got["activeNum"] != 2.0 || got["attendNum"] != 2.0 || got["invitedNum"] != 2.0 || got["status"] != 2.0 {
		t.Errorf("the meeting is %v", got)
	}
	if link := got["externalLinkUrl"].(string); !strings.Contains(link, "token=") {
		t.Errorf("the link %q has no token", link)
	}
	c.call("GET", "/v1.0/conference/videoConferences/nobody%2Fs", nil).wants(t, 404, "roomNotFound")
}

func TestHostileIdsCanBeAskedAbout(t *testing.T) {
	s := newStill(t, Config{Meetings: 20, Hostile: true})
	c := newCaller(t, s)
	for _, id := range s.ConferenceIDs() {
		got := c.call("GET", "/v1.0/conference/videoConferences/"+url.PathEscape(id), nil)
		if got.status != 200 || got.body["confInfo"].(map[string]any)["conferenceId"] != id {
			t.Errorf("%q: %d %s", id, got.status, got.raw)
		}
	}
	if got := c.query(s.ConferenceIDs()...); len(got.body["infos"].([]any)) != 20 {
		t.Errorf("%s", got.raw)
	}
}

func TestMembersArePaged(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	path := "/v1.0/conference/videoConferences/" + url.PathEscape(id) + "/members"
	s.StepTo(epoch.Add(time.Minute))
	got := c.call("GET", path+"?maxResults=2", nil)
	if n := len(got.body["memberModels"].([]any)); n != 2 || got.body["nextToken"] == nil || got.body["totalCount"] != 3.0 {
		t.Fatalf("first page is %s", got.raw)
	}
	ann := first(got.body["memberModels"])
	if diff := cmp.Diff(set("unionId conferenceId userNick joinTime duration host coHost attendStatus outerOrgMember pstnJoin"), names(ann)); diff != "" {
		t.Error(diff)
	}
	if a := ann.(map[string]any); a["unionId"] != "u1" || a["duration"] != 60000.0 || a["attendStatus"] != 3.0 || a["host"] == nil {
		t.Errorf("Ann is %v", a)
	}
	got = c.call("GET", path+"?maxResults=2&nextToken="+got.body["nextToken"].(string), nil)
	if n := len(got.body["memberModels"].([]any)); n != 1 || got.body["nextToken"] != nil {
		t.Errorf("last page is %s", got.raw)
	}
	for _, bad := range []string{"?maxResults=0", "?maxResults=x", "?nextToken=-1", "?nextToken=x"} {
		c.call("GET", path+bad, nil).wants(t, 400, "paramsError")
	}
	c.call("GET", "/v1.0/conference/videoConferences/nobodys/members", nil).wants(t, 404, "roomNotFound")
}

func TestLeavingIsTimedForMembers(t *testing.T) {
	s, id := staged(t, Config{})
	s.StepTo(epoch.Add(time.Minute))
	for _, a := range []Act{{Verb: "leave"}, {Verb: "call"}, {Verb: "join"}} {
		a.ConferenceID, a.UserID = id, "u1"
		if _, err := s.Act(a); err != nil {
			t.Fatal(err)
		}
	}
	s.StepTo(epoch.Add(90 * time.Second))
	if _, err := s.Act(Act{Verb: "kick", ConferenceID: id, UserID: "u1"}); err != nil {
		t.Fatal(err)
	}
	got := newCaller(t, s).call("GET", "/v1.0/conference/videoConferences/"+id+"/members", nil)
	var visits [][]any
	for _, m := range got.body["memberModels"].([]any) {
		if v := m.(map[string]any); v["unionId"] == "u1" {
			visits = append(visits, []any{v["joinTime"], v["leaveTime"], v["duration"], v["attendStatus"]})
		}
	}
	want := [][]any{{1785747600000.0, 1785747660000.0, 60000.0, 6.0}, {1785747660000.0, 1785747690000.0, 30000.0, 5.0}}
	if diff := cmp.Diff(want, visits); diff != "" {
		t.Errorf("Ann's visits: %s", diff)
	}
}

func TestOrganizationIsPaged(t *testing.T) {
	s := newStill(t, Config{Meetings: 9})
	c := newCaller(t, s)
	var ids []string
	for token, pages := "", 0; pages < 9; pages++ {
		got := c.call("GET", "/v1.0/conference/orgConferences?maxResults=3&nextToken="+token, nil)
		for _, item := range got.body["onGoingConfList"].([]any) {
			if diff := cmp.Diff(set("conferenceId title roomCode status startTime creatorId creatorNick bizType"), names(item)); diff != "" {
				t.Fatal(diff)
			}
			ids = append(ids, item.(map[string]any)["conferenceId"].(string))
		}
		next, more := got.body["nextToken"].(string)
		if more != got.body["hasMore"] || got.body["totalCount"] != 7.0 {
			t.Fatalf("page is %s", got.raw)
		}
		if token = next; !more {
			break
		}
	}
	var want []string // every fourth has not started
	for i, id := range s.ConferenceIDs() {
		if i%4 != 3 {
			want = append(want, id)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
}

func TestMeetingsOfAUserAndOfARoom(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	got := c.call("GET", "/v1.0/conference/users/lists?unionId=u1", nil)
	if diff := cmp.Diff([]any{id}, got.body["onGoingConfIdList"]); diff != "" || got.body["memberModelMap"].(map[string]any)[id].(map[string]any)["unionId"] != "u1" {
		t.Errorf("%s", got.raw)
	}
	if got := c.call("GET", "/v1.0/conference/users/lists?unionId=u2", nil); len(got.body["onGoingConfIdList"].([]any)) != 0 {
		t.Errorf("who declined is in %s", got.raw)
	}
	c.call("GET", "/v1.0/conference/users/lists", nil).wants(t, 400, "paramsError")
	code := s.world.byID[id].roomCode
	got = c.call("GET", "/v1.0/conference/roomCodes/"+code+"/infos", nil)
	if first(got.body["conferenceList"]).(map[string]any)["conferenceId"] != id || got.body["hasMore"] != false {
		t.Errorf("%s", got.raw)
	}
	c.call("GET", "/v1.0/conference/roomCodes/0/infos", nil).wants(t, 404, "roomNotFound")
	c.call("GET", "/v1.0/nothing", nil).wants(t, 404, "InvalidAction.NotFound")
}

func TestTokenFlows(t *testing.T) {
	internal := func(key, secret string) (string, any) {
		return "/v1.0/oauth2/accessToken", map[string]string{"appKey": key, "appSecret": secret}
	}
	corp := func(key, secret, corpID, ticket string) (string, any) {
		return "/v1.0/oauth2/corpAccessToken", map[string]string{"suiteKey": key, "suiteSecret": secret, "authCorpId": corpID, "suiteTicket": ticket}
	}
	unified := func(corpID, key, secret, grant string) (string, any) {
		return "/v1.0/oauth2/" + corpID + "/token", map[string]string{"client_id": key, "client_secret": secret, "grant_type": grant}
	}
	const k, sec, co, sk, ss, st = DefaultAppKey, DefaultAppSecret, DefaultCorpID, DefaultSuiteKey, DefaultSuiteSecret, DefaultSuiteTicket
	type flow func() (string, any)
	for code, f := range map[string]flow{
		"":                             func() (string, any) { return internal(k, sec) },
		" ":                            func() (string, any) { return corp(sk, ss, co, st) },
		"  ":                           func() (string, any) { return unified(co, k, sec, "client_credentials") },
		"400 invalidClientIdOrSecret":  func() (string, any) { return internal(k, "x") },
		"400 invalidClientIdOrSecret ": func() (string, any) { return internal("x", sec) },
		"400 invalidSuiteKey":          func() (string, any) { return corp("x", ss, co, st) },
		"400 invalidSuiteKey ":         func() (string, any) { return corp(sk, "x", co, st) },
		"400 invalidSuiteTicket":       func() (string, any) { return corp(sk, ss, co, "x") },
		"400 invalidAuthInfo":          func() (string, any) { return corp(sk, ss, "x", st) },
		"400 invalid.client":           func() (string, any) { return unified(co, k, "x", "client_credentials") },
		"401 unauthorized.client":      func() (string, any) { return unified("x", k, sec, "client_credentials") },
		"400 paramError":               func() (string, any) { return unified(co, k, sec, "password") },
		"400 paramError ":              func() (string, any) { return "/v1.0/oauth2/accessToken", "[" },
		"400 paramError  ":             func() (string, any) { return "/v1.0/oauth2/corpAccessToken", "[" },
	} {
		s, id := staged(t, Config{})
		c := &caller{t: t, handler: s.Handler()}
		path, body := f()
		got := c.call("POST", path, body)
		if want := strings.TrimSpace(code); want != "" {
			status, name, _ := strings.Cut(want, " ")
			if status == "401" {
				got.wants(t, 401, name)
			} else {
				got.wants(t, 400, name)
			}
			continue
		}
		c.token, _ = got.body["accessToken"].(string)
		if path == "/v1.0/oauth2/"+co+"/token" {
			c.token, _ = got.body["access_token"].(string)
			got.body["expireIn"] = got.body["expires_in"]
		}
		if c.token == "" || got.body["expireIn"] != 7200.0 || c.query(id).status != 200 {
			t.Errorf("%s answers %s", path, got.raw)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	now := epoch
	s := newStill(t, Config{TokenLife: time.Minute, Now: func() time.Time { return now }})
	c := newCaller(t, s)
	ids := s.ConferenceIDs()
	if got := c.query(ids...); got.status != 200 {
		t.Fatalf("%s", got.raw)
	}
	now = now.Add(time.Minute)
	c.query(ids...).wants(t, 400, "InvalidAuthentication")
	c = newCaller(t, s)
	(&caller{t: t, handler: c.handler}).query(ids...).wants(t, 400, "InvalidAuthentication")
	s.RevokeTokens()
	c.query(ids...).wants(t, 400, "InvalidAuthentication")
}

func TestQPSIsEnforced(t *testing.T) {
	now := epoch
	s := newStill(t, Config{QPS: 2, Now: func() time.Time { return now }})
	c := newCaller(t, s)
	ids := s.ConferenceIDs()
	for second := range 3 {
		now = epoch.Add(time.Duration(second) * time.Second)
		for range 2 {
			if got := c.query(ids...); got.status != 200 {
				t.Fatalf("second %d: %s", second, got.raw)
			}
		}
		now = now.Add(999 * time.Millisecond)
		c.query(ids...).wants(t, 403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
	}
	if got := newCaller(t, s); got.token == "" {
		t.Error("token calls are metered")
	}
}

func TestServedTellsWhatWasShown(t *testing.T) {
	s, id := staged(t, Config{ShuffleInfos: true})
	c := newCaller(t, s)
	ids := s.ConferenceIDs()
	orders := map[string]bool{}
	for range 20 {
		c.query(append(ids, "nobody's")...)
	}
	for _, served := range s.Served()[1:] {
		if served.Operation != OpQuery || served.Status != 200 || len(served.Asked) != 3 || len(served.Shown) != 2 || !served.At.Equal(epoch) {
			t.Fatalf("%+v", served)
		}
		orders[served.Shown[0].ConferenceID] = true
		for _, shown := range served.Shown {
			told, err := shown.Truth()
			if shown.ConferenceID == id && (err != nil || len(told.Roster) != 2 || told.Roster[1].Mic != rollcall.DeviceOpen) {
				t.Fatalf("%+v, %v", told, err)
			}
		}
	}
	if len(orders) != 2 {
		t.Error("infos are not shuffled")
	}
}

func TestWireIsRealHTTP(t *testing.T) {
	s, id := staged(t, Config{})
	w := NewWire(s.Handler())
	defer w.Close()
	c := newCaller(t, s)
	body, _ := json.Marshal(map[string]any{"conferenceIdList": []string{id}})
	r, _ := http.NewRequestWithContext(context.Background(), "POST", "http://dingtalk.test"+query, bytes.NewReader(body))
	r.Header.Set(tokenHeader, c.token)
	resp, err := w.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || resp.ContentLength != int64(len(got)) || !json.Valid(got) {
		t.Errorf("%v %v %s", resp, err, got)
	}
	w.Close()
	if _, err := w.Client().Get("http://dingtalk.test/"); err == nil {
		t.Error("a closed wire answers")
	}
}

func BenchmarkQuery(b *testing.B) {
	s := newStill(b, Config{Seed: 1, Meetings: 100, People: 20, Keep: 100})
	c := newCaller(b, s)
	body, _ := json.Marshal(map[string]any{"conferenceIdList": s.ConferenceIDs()})
	size := len(c.query(s.ConferenceIDs()...).raw)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", query, bytes.NewReader(body))
		r.Header.Set(tokenHeader, c.token)
		c.handler.ServeHTTP(nowhere{http.Header{}}, r)
	}
}

// nowhere is an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// A batch answer may leave meetings out that are not over: a lookup knows them.
func TestBatchAnswersLeaveOut(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want int
	}{
		"not started": {Config{Meetings: 5, Empty: true, HideUnstarted: true}, 0},
		"a cap":       {Config{Meetings: 5, MaxInfos: 3}, 3},
	} {
		s, err := New(c.cfg)
		if err != nil {
			t.Fatal(err)
		}
		caller, ids := newCaller(t, s), s.ConferenceIDs()
		got := caller.query(ids...)
		if infos, _ := got.body["infos"].([]any); got.status != http.StatusOK || len(infos) != c.want {
			t.Errorf("%s: %d of %d meetings in %s", name, len(infos), len(ids), got.raw)
		}
		if got := caller.call("GET", "/v1.0/conference/videoConferences/"+url.PathEscape(ids[4]), nil); got.status != http.StatusOK {
			t.Errorf("%s: the lookup answers %d %s", name, got.status, got.raw)
		}
	}
	if _, err := New(Config{MaxInfos: -1}); err == nil {
		t.Error("a negative cap is taken")
	}
}
