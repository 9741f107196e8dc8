package dingtalk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/fulltest"
)

func odd(pairs ...string) (list []rollcall.Oddity) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, rollcall.Oddity{Field: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func TestDecodeMeeting(t *testing.T) {
	long := strings.Repeat("周", 100)
	start := time.UnixMilli(1_785_000_000_123).UTC()
	tests := map[string]struct {
		raw  string
		want rollcall.Answer
	}{
		"whole": {
			`{"conferenceId":"a","title":"t","startTime":1785000000123,"status":2,"mediaStatus":13,"userList":[],"new":{"status":1}}`,
			rollcall.Answer{Title: "t", StartTime: start, Status: rollcall.StatusStarted, Media: 13, MediaGiven: true, Listed: true},
		},
		"strings": {
			`{"startTime":"1785000000123","status":"1","mediaStatus":"0"}`,
			rollcall.Answer{StartTime: start, Status: rollcall.StatusEnded, MediaGiven: true},
		},
		"floats": {
			`{"startTime":1.785000000123e12,"status":0.0,"mediaStatus":4.0}`,
			rollcall.Answer{StartTime: start, Status: rollcall.StatusInitialized, Media: 4, MediaGiven: true},
		},
		"nothing":         {`{}`, rollcall.Answer{}},
		"null":            {`{"title":null,"startTime":null,"status":null,"mediaStatus":null,"userList":null}`, rollcall.Answer{}},
		"the last counts": {`{"status":2,"title":"a","status":"x","title":"b","status":1,"userList":[null],"userList":null}`, rollcall.Answer{Title: "b", Status: rollcall.StatusEnded}},
		"escaped name":    {`{"stat\u0075s":1}`, rollcall.Answer{Status: rollcall.StatusEnded}},
		"nonsense": {
			`{"title":{"Bob":1},"startTime":true,"status":[2],"mediaStatus":-1,"userList":{"nick":"Bob"}}`,
			rollcall.Answer{Oddities: odd("title", "object", "startTime", "true", "status", "array", "mediaStatus", "-1", "userList", "object")},
		},
		"broken numbers": {
			`{"startTime":1.5,"status":"0x1","mediaStatus":1e300}`,
			rollcall.Answer{Oddities: odd("startTime", "1.5", "status", `"0x1"`, "mediaStatus", "1e300")},
		},
		"beyond floats": {`{"mediaStatus":1e18,"status":1e400}`, rollcall.Answer{Oddities: odd("status", "1e400", "mediaStatus", "1e18")}},
		"empty strings": {
			`{"title":"","startTime":"","status":"","mediaStatus":" 1"}`,
			rollcall.Answer{Oddities: odd("startTime", `""`, "status", `""`, "mediaStatus", `" 1"`)},
		},
		"codes beyond":  {`{"status":3,"mediaStatus":8}`, rollcall.Answer{Media: 8, MediaGiven: true, Oddities: odd("status", "3")}},
		"codes below":   {`{"status":-1}`, rollcall.Answer{Oddities: odd("status", "-1")}},
		"not started":   {`{"startTime":0}`, rollcall.Answer{}},
		"seconds":       {`{"startTime":1785000000}`, rollcall.Answer{Oddities: odd("startTime", "1785000000")}},
		"far off":       {`{"startTime":9223372036854775807}`, rollcall.Answer{Oddities: odd("startTime", "9223372036854775807")}},
		"long title":    {`{"title":"` + long + `"}`, rollcall.Answer{Title: strings.Repeat("周", 85)}},
		"long nonsense": {`{"status":"` + long + `"}`, rollcall.Answer{Oddities: odd("status", `"`+strings.Repeat(`\u5468`, 10)+`"`)}},
		"bad UTF-8":     {"{\"title\":\"a\xff\xfe\"}", rollcall.Answer{Title: "a\ufffd\ufffd"}},
		"hostile value": {`{"status":"\u001b[31m\u202e"}`, rollcall.Answer{Oddities: odd("status", `"\x1b[31m\u202e"`)}},
		"no object":     {`[]`, rollcall.Answer{Oddities: odd("meeting", "malformed")}},
		"half":          {`{"status":2`, rollcall.Answer{Oddities: odd("meeting", "malformed")}},
		"empty":         {``, rollcall.Answer{Oddities: odd("meeting", "malformed")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(&test.want, decode([]byte(test.raw))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeUsers(t *testing.T) {
	tests := map[string]struct {
		users   string
		entries []rollcall.Entry
		partial bool
		odd     []rollcall.Oddity
	}{
		"whole": {
			users: `[{"userId":"u","nick":"n","attendStatus":3,"micStatus":2,"cameraStatus":1,"rejectDescription":"busy"}]`,
			entries: []rollcall.Entry{{
				UserID: "u", Nick: "n", Attendance: rollcall.AttendancePresent,
				Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, RejectDescription: "busy",
			}},
		},
		"strings": {
			users:   `[{"userId":17,"attendStatus":"6","micStatus":"1","cameraStatus":2.0}]`,
			entries: []rollcall.Entry{{UserID: "17", Attendance: rollcall.AttendanceLeft, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceOpen}},
		},
		"null": {
			users:   `[{"userId":null,"nick":null,"attendStatus":null,"micStatus":null,"cameraStatus":null,"rejectDescription":null},{},{"attendStatus":0,"micStatus":0,"cameraStatus":0}]`,
			entries: []rollcall.Entry{{}, {}, {}},
		},
		"nonsense": {
			users:   `[{"userId":"u","nick":false,"attendStatus":7,"micStatus":3,"cameraStatus":{},"rejectDescription":12}]`,
			entries: []rollcall.Entry{{UserID: "u"}},
			odd:     odd("nick", "boolean", "attendStatus", "7", "micStatus", "3", "cameraStatus", "object", "rejectDescription", "number"),
		},
		"twice the same": {users: `[{"userId":"u"},{"userId":"u"}]`, entries: []rollcall.Entry{{UserID: "u"}, {UserID: "u"}}},
		"no elements": {
			users:   `[null,{"userId":"u"},"Bob",[]]`,
			entries: []rollcall.Entry{{UserID: "u"}}, partial: true,
			odd: odd("userList", "null", "userList", "string", "userList", "array"),
		},
		"unreadable ids": {
			users:   `[{"userId":{}},{"userId":1.5},{"userId":true},{"userId":"u"}]`,
			entries: []rollcall.Entry{{UserID: "u"}}, partial: true,
			odd: odd("userId", "object", "userId", "number", "userId", "boolean"),
		},
		"long": {
			users:   `[{"userId":"` + strings.Repeat("i", 5000) + `","nick":"` + strings.Repeat("n", 5000) + `"}]`,
			entries: []rollcall.Entry{{UserID: strings.Repeat("i", 5000), Nick: strings.Repeat("n", 256)}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := &rollcall.Answer{Listed: true, Partial: test.partial, Entries: test.entries, Oddities: test.odd}
			if diff := cmp.Diff(want, decode([]byte(`{"userList":`+test.users+`}`))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A field that is added to an entry and forgotten by one of the decoders shows here.
func TestEveryFieldOfAnEntryIsRead(t *testing.T) {
	want, named := fulltest.Entry(), map[string]any{}
	for field, value := range reflect.ValueOf(want).Fields() {
		theirs, ok := map[string]struct {
			name  string
			value any
		}{
			"UserID": {"userId", want.UserID}, "Nick": {"nick", want.Nick}, "RejectDescription": {"rejectDescription", want.RejectDescription},
			"Attendance": {"attendStatus", 3}, "Mic": {"micStatus", 2}, "Camera": {"cameraStatus", 2},
		}[field.Name]
		if !ok {
			t.Fatalf("say here what DingTalk calls %s, and how it writes what is %v (of %T) here", field.Name, value, value.Interface())
		}
		named[theirs.name] = theirs.value
	}
	usual, err := json.Marshal(map[string]any{"userList": []any{named}})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{string(usual), strings.ReplaceAll(string(usual), `":`, `" :`)} {
		for where, a := range map[string]*rollcall.Answer{
			"decode.go, name.go and oddity.go": decode([]byte(raw)), "reference_test.go": referenceDecode([]byte(raw)),
		} {
			if diff := cmp.Diff(&rollcall.Answer{Listed: true, Entries: []rollcall.Entry{want}}, a); diff != "" {
				t.Errorf("%s read %s:\n%s", where, raw, diff)
			}
		}
	}
}

func TestDecodeCodes(t *testing.T) {
	for code, want := range []string{"", "invited", "joining", "present", "failed", "kicked_out", "left"} {
		answer := decode(fmt.Appendf(nil, `{"userList":[{"attendStatus":%d}]}`, code))
		if got := answer.Entries[0].Attendance.String(); got != want {
			t.Errorf("attendStatus %d is %q, want %q", code, got, want)
		}
	}
	for code, want := range []string{"initialized", "ended", "started"} {
		if got := decode(fmt.Appendf(nil, `{"status":%d}`, code)).Status.String(); got != want {
			t.Errorf("status %d is %q, want %q", code, got, want)
		}
	}
}

func TestDecodeIsBounded(t *testing.T) {
	answer := decode([]byte(`{"userList":[` + strings.Repeat(`null,`, 1000) + strings.Repeat(`{},`, maxEntries) + `{}]}`))
	if len(answer.Entries) != maxEntries || !answer.Partial || len(answer.Oddities) != maxOddities {
		t.Errorf("%d entries, partial %v, %d oddities", len(answer.Entries), answer.Partial, len(answer.Oddities))
	}
}

// typedMeeting is the wire shape for a decoder that knows no leniency.
type typedMeeting struct {
	Title       *string      `json:"title"`
	StartTime   *int64       `json:"startTime"`
	Status      *int64       `json:"status"`
	MediaStatus *int64       `json:"mediaStatus"`
	UserList    []*typedUser `json:"userList"`
}

type typedUser struct {
	UserID            *string `json:"userId"`
	Nick              *string `json:"nick"`
	AttendStatus      *int64  `json:"attendStatus"`
	MicStatus         *int64  `json:"micStatus"`
	CameraStatus      *int64  `json:"cameraStatus"`
	RejectDescription *string `json:"rejectDescription"`
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// slowDecode is decode for what encoding/json makes of well-formed input.
func slowDecode(m typedMeeting) rollcall.Answer {
	a := rollcall.Answer{Title: rollcall.Clip(value(m.Title)), Listed: m.UserList != nil}
	if ms := value(m.StartTime); ms != 0 {
		if at := time.UnixMilli(ms).UTC(); at.Year() >= 2000 && at.Year() <= 2100 {
			a.StartTime = at
		}
	}
	if m.Status != nil {
		a.Status = map[int64]rollcall.Status{
			0: rollcall.StatusInitialized, 1: rollcall.StatusEnded, 2: rollcall.StatusStarted,
		}[*m.Status]
	}
	if m.MediaStatus != nil && *m.MediaStatus >= 0 {
		a.Media, a.MediaGiven = rollcall.Media(*m.MediaStatus), true
	}
	device := map[int64]rollcall.Device{1: rollcall.DeviceClosed, 2: rollcall.DeviceOpen}
	for _, u := range m.UserList {
		if u == nil {
			a.Partial = true
			continue
		}
		e := rollcall.Entry{
			UserID: value(u.UserID), Nick: rollcall.Clip(value(u.Nick)), RejectDescription: rollcall.Clip(value(u.RejectDescription)),
			Mic: device[value(u.MicStatus)], Camera: device[value(u.CameraStatus)],
		}
		if s := value(u.AttendStatus); s >= 1 && s <= 6 {
			e.Attendance = rollcall.Attendance(s)
		}
		a.Entries = append(a.Entries, e)
	}
	return a
}

// TestDecodeKnowsEveryByte tries each byte wherever reading a person makes a choice.
func TestDecodeKnowsEveryByte(t *testing.T) {
	for _, frame := range []string{
		`[{%s}]`, `[{"userId":"a"%s}]`, `[{"userId":"a"%s"micStatus":1}]`, `[{"userId":"a",%s"micStatus":1}]`,
		`[{"userId"%s"a"}]`, `[{"userId":%s}]`, `[{"userId":"%s"}]`, `[{"userId":"12345678%s12345678"}]`, `[{"userId":1%s}]`,
		`[{"nick"%s"a"}]`, `[{"nick":%s"a"}]`, `[{"nick":"1234567%s"}]`, `[{"nick":"张%s三"}]`, `[{"nick":"` + "\xe5%s" + `"}]`, `[{"nick":"\%s三"}]`, `[{"nick":null%s}]`,
		`[{"micStatus":%s}]`, `[{"micStatus":%s,"nick":"a"}]`, `[{"micStatus":1%s}]`, `[{"micStatus":2%s"nick":"a"}]`, `[{"micStatus":%s1}]`, `[{"micStatus":"%s"}]`,
		`[{"micStatu%s":1}]`, `[{"micStatus%s:1}]`, `[{%smicStatus":1}]`, `[{"rejectDescription%s":"a"}]`, `[{"rejectDescription":"%s"}]`, `[{"userId":"a"}%s]`, `[{"userId":"a"},%s{}]`,
	} {
		for b := range 256 {
			for _, after := range []string{`}`, `,"title":"a","status":1,"mediaStatus":0}`} { // near the end, and not
				raw := []byte(`{"userList":` + strings.Replace(frame, "%s", string([]byte{byte(b)}), 1) + after)
				if diff := cmp.Diff(referenceDecode(raw), decode(raw)); diff != "" {
					t.Errorf("%q: %s", raw, diff)
				}
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	body, ids := batch(1, 3)
	answers, _, _, _ := split(body, ids, nil)
	f.Add(string(answers.Found[0].Raw))
	for _, seed := range []string{
		`{"title":"\ud83d\ude00\ud800","status":1,"userList":[null,{"userId":"","attendStatus":9}]}`, "{\"title\":\"\xff\"}",
		`{"status":"2","startTime":1e3,"mediaStatus":true}`, `{"userList":[{"nick":[]}]}`, `null`, `{"userList":null,"userList":[]}`,
		`{"userList":[{"nick":"a","micStatus":9}],"status":7,"userList":[{"userId":[]},{"userId":1,"\u006eick":"b\n","nick":"\u0062"}]}`,
		`{"userList":[1,{}],"title":{},"userList":3}`, `{"userList":[{"userId":"a" "b"}]}`, ` {"userList" : [ { } , { "a" : [ ] } ] } `, `{"userList":[{}}`,
		`{"userList":[{"userId":"a","nick":"b","attendStatus":3,"micStatus":2,"cameraStatus":1,"rejectDescription":null},{"userId" :"a","userId":"b\u0041",` +
			"\"nick\": \"\xff\"," + `"attendStatus":10,"micStatus":1.0,"cameraStatus":"2","micStatus":"1" ,"rejectDescription":"ü"}],"title":"t"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if diff := cmp.Diff(referenceDecode([]byte(text)), decode([]byte(text))); diff != "" {
			t.Fatal(diff)
		}
		var m typedMeeting
		if json.Unmarshal([]byte(text), &m) != nil || !strings.HasPrefix(strings.TrimSpace(text), "{") {
			return
		}
		// What stands in JSON is compared after a way through the typed shape,
		// which knows neither repeated names nor others in another letter case.
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got := decode(again)
		want := slowDecode(m)
		want.Oddities = got.Oddities
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body, ids := batch(1, 20)
	answers, _, _, _ := split(body, ids, nil)
	raw := answers.Found[0].Raw
	b.Run("20_users", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if a := decode(raw); len(a.Entries) != 20 {
				b.Fatal("lost some")
			}
		}
	})
	b.Run("20_users_encoding_json", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			var m typedMeeting
			if err := json.Unmarshal(raw, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
