package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryErrorOfTheTableCanBeArmed(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	for _, want := range errorRows() {
		for _, capitals := range []bool{false, true} {
			if err := s.Arm(Fault{Name: want.code, Times: 1, Capitals: capitals}); err != nil {
				t.Fatal(err)
			}
			got := c.query(id)
			if capitals {
				got.body["code"], got.body["message"], got.body["requestid"] = got.body["Code"], got.body["Message"], got.body["RequestId"]
			}
			got.wants(t, want.status, want.code)
		}
	}
	if got := c.query(id); got.status != 200 {
		t.Errorf("after the faults: %d %s", got.status, got.raw)
	}
}

func TestPermissionErrorNamesTheScope(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	if err := s.Arm(Fault{Name: codePermission, Times: 1}); err != nil {
		t.Fatal(err)
	}
	detail := c.query(id).body["accessdenieddetail"].(map[string]any)
	if got := first(detail["requiredScopes"]); got != "VideoConference.Conference.Read" {
		t.Errorf("required scope is %v", got)
	}
}

func TestFaultsHitWhomTheyShould(t *testing.T) {
	now := epoch
	s := newStill(t, Config{Seed: 4, Now: func() time.Time { return now }})
	c := newCaller(t, s)
	ids := s.ConferenceIDs()
	arm := func(f Fault) {
		t.Helper()
		s.Disarm()
		if err := s.Arm(f); err != nil {
			t.Fatal(err)
		}
	}
	arm(Fault{Name: "systemError", Operation: OpMeeting})
	if got := c.query(ids...); got.status != 200 {
		t.Errorf("another operation is struck: %s", got.raw)
	}
	c.call("GET", "/v1.0/conference/videoConferences/"+ids[0], nil).wants(t, 500, "systemError")

	arm(Fault{Name: "systemError", For: time.Second, Status: 503, RetryAfter: 1500 * time.Millisecond})
	got := c.query(ids...)
	got.wants(t, 503, "systemError")
	if after := got.header.Get("Retry-After"); after != "2" {
		t.Errorf("Retry-After is %q", after)
	}
	now = now.Add(time.Second)
	if got := c.query(ids...); got.status != 200 || len(s.Armed()) != 0 {
		t.Errorf("a fault outlives its time: %s", got.raw)
	}

	arm(Fault{Name: "systemError", Times: 3, Probability: 0.5})
	hits := 0
	for range 40 {
		if c.query(ids...).status == 500 {
			hits++
		}
		if armed := s.Armed(); hits < 3 && (len(armed) != 1 || armed[0].Times != 3-hits) {
			t.Fatalf("after %d hits %+v is armed", hits, armed)
		}
	}
	if hits != 3 {
		t.Errorf("%d hits, want 3", hits)
	}
}

func TestImpossibleFaultIsRefused(t *testing.T) {
	s := newStill(t, Config{})
	for _, f := range []Fault{
		{},
		{Name: "nonsense"},
		{Name: FaultX5, Operation: "nonsense"},
		{Name: FaultX5, Times: -1},
		{Name: FaultX5, Probability: 1.5},
		{Name: FaultX5, Status: 99},
		{Name: FaultX5, Delay: -1},
	} {
		if s.Arm(f) == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	if len(s.Armed()) != 0 {
		t.Error("a refused fault is armed")
	}
}

// post asks over real HTTP and gives the body with the error of reading it.
func post(client *http.Client, base, token, id string) (*http.Response, []byte, error) {
	body, err := json.Marshal(map[string]any{"conferenceIdList": []string{id}})
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(context.Background(), "POST", base+query, strings.NewReader(string(body)))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set(tokenHeader, token)
	resp, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, got, err
}

func TestShapesOfFaults(t *testing.T) {
	s, id := staged(t, Config{})
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	token := newCaller(t, s).token
	strike := func(f Fault) (*http.Response, []byte, error) {
		t.Helper()
		f.Times = 1
		if err := s.Arm(f); err != nil {
			t.Fatal(err)
		}
		return post(server.Client(), server.URL, token, id)
	}
	_, whole, err := post(server.Client(), server.URL, token, id)
	if err != nil || !json.Valid(whole) {
		t.Fatal(err, whole)
	}
	resp, got, err := strike(Fault{Name: FaultHTML})
	if err != nil || resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Content-Type"), "text/html") || json.Valid(got) {
		t.Errorf("html: %v %s %v", resp, got, err)
	}
	if resp, _, err = strike(Fault{Name: FaultHTML, Status: 502}); err != nil || resp.StatusCode != 502 {
		t.Errorf("html 502: %v %v", resp, err)
	}
	resp, got, err = strike(Fault{Name: FaultX5})
	if err != nil || resp.StatusCode != 200 || !strings.Contains(string(got), `"status":1111`) || !strings.Contains(string(got), `"source":"x5","punish":"deny"`) {
		t.Errorf("x5: %s %v", got, err)
	}
	if resp, got, err = strike(Fault{Name: FaultEmpty}); err != nil || resp.StatusCode != 200 || len(got) != 0 {
		t.Errorf("empty: %s %v", got, err)
	}
	if _, got, err = strike(Fault{Name: FaultGarbage}); err != nil || len(got) == 0 || json.Valid(got) {
		t.Errorf("garbage: %s %v", got, err)
	}
	if resp, got, err = strike(Fault{Name: FaultTruncated}); err != nil || resp.StatusCode != 200 || string(got) != string(whole[:len(whole)/2]) {
		t.Errorf("truncated: %s %v", got, err)
	}
	if _, got, err = strike(Fault{Name: FaultCut}); !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != string(whole[:len(whole)/2]) {
		t.Errorf("cut: %s %v", got, err)
	}
	if _, got, err = strike(Fault{Name: FaultHuge, Bytes: 3 << 20}); err != nil || len(got) < 3<<20 || !json.Valid(got) {
		t.Errorf("huge: %d %v", len(got), err)
	}
	if _, got, err = strike(Fault{Name: FaultDrip, Delay: time.Microsecond}); err != nil || string(got) != string(whole) {
		t.Errorf("drip: %s %v", got, err)
	}
	// Go's client asks again by itself when a kept connection dies, so this one is fresh.
	server.Client().CloseIdleConnections()
	if _, _, err = strike(Fault{Name: FaultReset}); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	if _, _, err = strike(Fault{Name: FaultHang, Delay: time.Millisecond}); !errors.Is(err, io.EOF) {
		t.Errorf("hang: %v", err)
	}
	checkNotes(t, s.Served())
}

// checkNotes checks that what did not arrive whole is not noted as shown.
func checkNotes(t *testing.T, served []Served) {
	t.Helper()
	seen := map[string]Served{}
	for _, note := range served {
		seen[note.Fault] = note
		arrived := note.Operation == OpQuery && (note.Fault == "" || note.Fault == FaultDrip)
		if arrived != (len(note.Shown) == 1) {
			t.Errorf("with fault %q %d meetings are noted as shown", note.Fault, len(note.Shown))
		}
	}
	for name, status := range map[string]int{FaultCut: 0, FaultHang: 0, FaultReset: 0, FaultX5: 200, FaultHTML: 502} {
		if seen[name].Status != status {
			t.Errorf("%s is noted with status %d, want %d", name, seen[name].Status, status)
		}
	}
}

func TestOddAnswers(t *testing.T) {
	s, id := staged(t, Config{})
	c := newCaller(t, s)
	strike := func(name string) []any {
		t.Helper()
		if err := s.Arm(Fault{Name: name, Times: 1}); err != nil {
			t.Fatal(err)
		}
		got := c.query(id)
		if got.status != 200 || got.body["infos"] == nil {
			t.Fatalf("%s: %d %s", name, got.status, got.raw)
		}
		if notes := s.Served(); notes[len(notes)-1].Shown != nil {
			t.Errorf("%s is noted as shown", name)
		}
		return got.body["infos"].([]any)
	}
	info := func(name string) map[string]any { return strike(name)[0].(map[string]any) }
	user := func(info map[string]any) map[string]any { return first(info["userList"]).(map[string]any) }
	if odd := info(FaultStrings); odd["status"] != "2" || odd["startTime"] != "1785747600000" || user(odd)["micStatus"] != "2" {
		t.Errorf("strings: %v", odd)
	}
	if odd := info(FaultNulls); odd["userList"] != nil || odd["title"] != nil || len(odd) != 6 {
		t.Errorf("nulls: %v", odd)
	}
	if diff := cmp.Diff(set("conferenceId status"), names(info(FaultAbsent))); diff != "" {
		t.Error(diff)
	}
	if odd := info(FaultCodes); odd["status"] != 9.0 || user(odd)["attendStatus"] != 9.0 || user(odd)["userId"] != "u1" {
		t.Errorf("codes: %v", odd)
	}
	for name, value := range user(info(FaultCodes)) {
		if n, isNumber := value.(float64); isNumber && n != 9 {
			t.Errorf("codes: %s is %v", name, n)
		}
	}
	if odd := strike(FaultForeign); len(odd) != 2 || odd[1].(map[string]any)["conferenceId"] == id {
		t.Errorf("foreign: %v", odd)
	}
	if odd := strike(FaultTwice); len(odd) != 2 || odd[1].(map[string]any)["conferenceId"] != id || odd[1].(map[string]any)["title"] == "Weekly" {
		t.Errorf("twice: %v", odd)
	}
	for name := range distortions() { // an error and an empty answer stay what they are
		if err := s.Arm(Fault{Name: name, Times: 2}); err != nil {
			t.Fatal(err)
		}
		if got := c.query("nobodys"); string(got.raw) != `{"infos":[]}` {
			t.Errorf("%s: %s", name, got.raw)
		}
		c.query().wants(t, 400, "paramsError")
	}
}

// In a bubble time is exact, so latency can be checked to the nanosecond.
func TestLatencyPassesAndTheStateIsThatOfHalfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Seed: 9, Meetings: 4, Rate: 50, Latency: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		w := NewWire(s.Handler())
		token := newCaller(t, s).token
		if err := s.Arm(Fault{Name: FaultLatency, Delay: 4 * time.Second, Times: 1}); err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		if _, got, err := post(w.Client(), "http://dingtalk.test", token, s.ConferenceIDs()[0]); err != nil || !json.Valid(got) {
			t.Errorf("%s %v", got, err)
		}
		if took := time.Since(asked); took != 6*time.Second {
			t.Errorf("the answer took %v", took)
		}
		served := s.Served()
		answer := served[len(served)-1]
		if want := asked.Add(3 * time.Second); !answer.At.Equal(want) {
			t.Errorf("the answer shows %v, want %v", answer.At, want)
		}
		told, err := s.Truth(answer.Shown[0].ConferenceID, answer.At)
		shown, err2 := answer.Shown[0].Truth()
		if err != nil || err2 != nil || told.Meeting.Present != shown.Meeting.Present {
			t.Errorf("%v %v: %+v and %+v", err, err2, told, shown)
		}
		w.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAHangLastsUntilTheCallerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := staged(t, Config{})
		w := NewWire(s.Handler())
		if err := s.Arm(Fault{Name: FaultHang}); err != nil {
			t.Fatal(err)
		}
		client := *w.Client()
		client.Timeout = time.Hour
		asked := time.Now()
		if _, _, err := post(&client, "http://dingtalk.test", "", id); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hang: %v", err)
		}
		if took := time.Since(asked); took != time.Hour {
			t.Errorf("the caller waited %v", took)
		}
		w.Close()
	})
}

func TestClosingAWireEndsWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := staged(t, Config{})
		w := NewWire(s.Handler())
		if err := s.Arm(Fault{Name: FaultHang}); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, _, err := post(w.Client(), "http://dingtalk.test", "", id)
			failed <- err
		}()
		synctest.Wait()
		w.Close()
		if err := <-failed; err == nil {
			t.Error("a hanging call is answered")
		}
	})
}

func TestRunFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Seed: 6, Meetings: 3, Rate: 10, Lifetime: 30 * time.Second}
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
		cfg.Now = func() time.Time { return start }
		stepped := newStill(t, cfg)
		stepped.StepTo(start.Add(time.Minute))
		got, want := s.Happened(), stepped.Happened()
		if len(got) != len(want) || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("run made %d facts, steps %d", len(got), len(want))
		}
		before := s.Now()
		<-time.After(time.Minute)
		if !s.Now().Equal(before) {
			t.Error("the world goes on after Run")
		}
	})
}
