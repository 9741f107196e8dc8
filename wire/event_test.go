package wire_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/event"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/wire"
)

func sample(kind rollcall.Type) rollcall.Event {
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: "c.1", Epoch: 1700000000000, Sequence: 17, Type: kind, Time: at(1700000005123),
		Index: 1, Count: 3,
		Meeting: rollcall.Conference{
			Title: "Weekly <b>", StartTime: at(1699999999000), Status: rollcall.StatusStarted,
			Media: rollcall.MediaMuteAll | 64, Present: 2,
		},
		Provenance: rollcall.ProvenanceObserved,
		Window:     rollcall.Window{After: at(1700000000123), Before: at(1700000005123)},
	}
	if kind.Entity() == "participant" {
		e.Participant = &rollcall.Participant{
			Key: "anon:李 雷#1", Nick: "李 雷", Attendance: rollcall.AttendancePresent,
			Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 2,
		}
	}
	return e
}

// encoded returns an event that can be stored as it is on the wire.
func encoded(e *rollcall.Event) ([]byte, error) {
	if err := cmp.Or(wire.CheckPoll(e), wire.CheckEvent(e)); err != nil {
		return nil, err
	}
	return wire.AppendEvent(nil, e), nil
}

func TestEventOnTheWire(t *testing.T) {
	e := sample(rollcall.ParticipantJoined)
	m, err := encoded(&e)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"specversion":"1.0","id":"acme/c%2E1/1700000000000-000000000017","source":"/rollcall/acme/c%2E1",` +
		`"type":"rollcall.participant.joined","subject":"c%2E1/anon%3A%E6%9D%8E%20%E9%9B%B7%231","time":"2023-11-14T22:13:25.123Z",` +
		`"datacontenttype":"application/json","dataschema":"rollcall:event:1","sequence":"000000000017","partitionkey":"c.1",` +
		`"epoch":"1700000000000","tenant":"acme","data":{"tenant":"acme","conferenceId":"c.1","epoch":1700000000000,"sequence":17,"poll":{"index":1,"count":3},` +
		`"meeting":{"title":"Weekly \u003cb\u003e","startTime":"2023-11-14T22:13:19.000Z","status":"started",` +
		`"media":{"micMuted":false,"cameraClosed":false,"muteAll":true,"code":68},"present":2},"labels":{},` +
		`"participant":{"key":"anon:李 雷#1","userId":"","nick":"李 雷","attendance":"present","mic":"open","camera":"closed",` +
		`"rejectDescription":"","session":2},"reason":"","provenance":"observed","exact":false,` +
		`"window":{"after":"2023-11-14T22:13:20.123Z","before":"2023-11-14T22:13:25.123Z"}}}`
	if diff := gocmp.Diff(want, string(m)); diff != "" {
		t.Errorf("the event:\n%s", diff)
	}
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	e := sample(rollcall.MeetingInitialized)
	e.Meeting, e.Window.After = rollcall.Conference{}, time.Time{}
	text := string(wire.AppendEvent(nil, &e))
	for _, want := range []string{
		`"meeting":{"title":"","startTime":null,"status":"initialized"`, `"reason":""`, `"after":null`, `"subject":"c%2E1"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, `"participant"`) {
		t.Errorf("a participant in %s", text)
	}
}

// mirror is what encoding/json is given to write the same event.
type mirror struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	DataSchema      string `json:"dataschema"`
	Sequence        string `json:"sequence"`
	PartitionKey    string `json:"partitionkey"`
	EpochAttribute  string `json:"epoch"`
	TenantAttribute string `json:"tenant"`
	Data            struct {
		Tenant       string            `json:"tenant"`
		ConferenceID string            `json:"conferenceId"`
		Epoch        int64             `json:"epoch"`
		Sequence     uint64            `json:"sequence"`
		Poll         mirrorPoll        `json:"poll"`
		Meeting      mirrorMeeting     `json:"meeting"`
		Labels       map[string]string `json:"labels"`
		Participant  *mirrorPerson     `json:"participant,omitempty"`
		Reason       string            `json:"reason"`
		Provenance   string            `json:"provenance"`
		Exact        bool              `json:"exact"`
		Window       mirrorInterval    `json:"window"`
	} `json:"data"`
}

type mirrorPoll struct {
	Index int `json:"index"`
	Count int `json:"count"`
}

type mirrorMeeting struct {
	Title     string  `json:"title"`
	StartTime *string `json:"startTime"`
	Status    string  `json:"status"`
	Media     struct {
		MicMuted     bool  `json:"micMuted"`
		CameraClosed bool  `json:"cameraClosed"`
		MuteAll      bool  `json:"muteAll"`
		Code         int64 `json:"code"`
	} `json:"media"`
	Present int     `json:"present"`
	EndTime *string `json:"endTime,omitempty"`
}

type mirrorPerson struct {
	Key               string `json:"key"`
	UserID            string `json:"userId"`
	Nick              string `json:"nick"`
	Attendance        string `json:"attendance"`
	Mic               string `json:"mic"`
	Camera            string `json:"camera"`
	RejectDescription string `json:"rejectDescription"`
	Session           int    `json:"session"`
}

type mirrorInterval struct {
	After  *string `json:"after"`
	Before *string `json:"before"`
}

// TestAppendEventIsWhatTheStandardLibraryWrites decodes the appended event with
// encoding/json, encodes it again, and wants the very same bytes: the order of
// the fields, the escapes and the numbers are those of the standard library.
func TestAppendEventIsWhatTheStandardLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvent().Draw(t, "event")
		got := wire.AppendEvent(nil, &e)
		if !json.Valid(got) {
			t.Fatalf("no JSON: %s", got)
		}
		var m mirror
		decoder := json.NewDecoder(bytes.NewReader(got))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&m); err != nil {
			t.Fatalf("decode %s: %v", got, err)
		}
		if m.Data.Meeting.Title != strings.ToValidUTF8(e.Meeting.Title, "\ufffd") && utf8.ValidString(e.Meeting.Title) {
			t.Fatalf("the title %q became %q", e.Meeting.Title, m.Data.Meeting.Title)
		}
		want, err := json.Marshal(&m)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == rollcall.ParticipantForgotten { // the key alone
			unsaid := `,"userId":"","nick":"","attendance":"","mic":"","camera":"","rejectDescription":"","session":0`
			want = bytes.Replace(want, []byte(unsaid), nil, 1)
		}
		// An invalid byte is written as an escape; read and written again it
		// stands for itself.
		if normal := bytes.ReplaceAll(got, []byte(`\ufffd`), []byte("\ufffd")); !bytes.Equal(normal, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "\x00\x1f\x7f", "\xff\xfe", "\u2028\u2029", `"\</script>&`, "会议😀", "\xed\xa0\x80",
	}))
}

func anyID() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		id := strings.ToValidUTF8(rapid.StringN(1, 60, 200).Draw(t, "id"), "")
		return "x" + id
	})
}

func anyInstant() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time { return at(rapid.Int64Range(0, 253402300799999).Draw(t, "ms")) })
}

func anyEvent() *rapid.Generator[rollcall.Event] {
	return rapid.Custom(func(t *rapid.T) rollcall.Event {
		e := sample(rapid.SampledFrom(rollcall.Types()).Draw(t, "type"))
		e.ConferenceID = anyID().Draw(t, "conference")
		e.Epoch = rapid.Int64Min(0).Draw(t, "epoch")
		e.Sequence = rapid.Uint64Min(1).Draw(t, "sequence")
		e.Count = rapid.IntRange(1, 2000).Draw(t, "count")
		e.Index = rapid.IntRange(1, e.Count).Draw(t, "index")
		e.Time = anyInstant().Draw(t, "time")
		e.Meeting = rollcall.Conference{
			Title: anyText().Draw(t, "title"), StartTime: anyInstant().Draw(t, "start"),
			Status: rapid.SampledFrom([]rollcall.Status{rollcall.StatusInitialized, rollcall.StatusStarted, rollcall.StatusEnded}).Draw(t, "status"),
			Media:  rollcall.Media(rapid.Int64().Draw(t, "media")), Present: rapid.IntMin(0).Draw(t, "present"),
		}
		e.Window = rollcall.Window{After: anyInstant().Draw(t, "after"), Before: anyInstant().Draw(t, "before")}
		if e.Window.Before.Before(e.Window.After) {
			e.Window.After = time.Time{}
		}
		if e.Type == rollcall.ParticipantForgotten {
			e.Participant = &rollcall.Participant{Key: anyID().Draw(t, "key")}
		} else if e.Participant != nil {
			e.Participant = &rollcall.Participant{
				Key: anyID().Draw(t, "key"), UserID: anyText().Draw(t, "user"), Nick: anyText().Draw(t, "nick"),
				Attendance: rollcall.Attendance(rapid.IntRange(1, 6).Draw(t, "attendance")),
				Mic:        rollcall.Device(rapid.IntRange(1, 2).Draw(t, "mic")), Camera: rollcall.Device(rapid.IntRange(1, 2).Draw(t, "camera")),
				RejectDescription: anyText().Draw(t, "reject"), Session: rapid.IntMin(0).Draw(t, "session"),
			}
		}
		e.Reason = rollcall.Reason(anyText().Draw(t, "reason"))
		return e
	})
}

// clean is the event as it comes back: text that is not UTF-8 was fixed.
func clean(e rollcall.Event) rollcall.Event {
	fix := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteRune(r)
		}
		return b.String()
	}
	e.Meeting.Title, e.Reason = fix(e.Meeting.Title), rollcall.Reason(fix(string(e.Reason)))
	if e.Participant != nil {
		p := *e.Participant
		p.UserID, p.Nick, p.RejectDescription = fix(p.UserID), fix(p.Nick), fix(p.RejectDescription)
		e.Participant = &p
	}
	return e
}

func TestDecodeEventGivesBackWhatWasAppended(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvent().Draw(t, "event")
		got, err := wire.DecodeEvent(wire.AppendEvent(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(clean(e), got); diff != "" {
			t.Fatalf("it came back as another:\n%s", diff)
		}
	})
}

func TestTheOutsideJudgeAcceptsEveryType(t *testing.T) {
	for _, kind := range rollcall.Types() {
		e := sample(kind)
		m, err := encoded(&e)
		if err != nil {
			t.Fatal(err)
		}
		var judged event.Event
		if err := json.Unmarshal(m, &judged); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if err := judged.Validate(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if judged.Type() != "rollcall."+string(kind) || !judged.Time().Equal(e.Time) || judged.DataSchema() != "rollcall:event:1" ||
			judged.Extensions()["sequence"] != "000000000017" || judged.Extensions()["partitionkey"] != "c.1" {
			t.Errorf("%s: the judge reads %s", kind, judged)
		}
	}
}

func TestCheckRefusesWhatCannotBeStored(t *testing.T) {
	for name, spoil := range map[string]func(*rollcall.Event){
		"tenant":                func(e *rollcall.Event) { e.Tenant = "a.b" },
		"no meeting":            func(e *rollcall.Event) { e.ConferenceID = "" },
		"a long id":             func(e *rollcall.Event) { e.ConferenceID = strings.Repeat("x", 257) },
		"an id that is no text": func(e *rollcall.Event) { e.ConferenceID = "\xff" },
		"type":                  func(e *rollcall.Event) { e.Type = "participant.danced" },
		"wildcard type":         func(e *rollcall.Event) { e.Type = "participant.>" },
		"no participant":        func(e *rollcall.Event) { e.Participant = nil },
		"a participant":         func(e *rollcall.Event) { e.Type = rollcall.MeetingEnded },
		"no key":                func(e *rollcall.Event) { e.Participant.Key = "" },
		"sequence":              func(e *rollcall.Event) { e.Sequence = 0 },
		"index":                 func(e *rollcall.Event) { e.Index = 4 },
		"no time":               func(e *rollcall.Event) { e.Time = time.Time{} },
		"no window":             func(e *rollcall.Event) { e.Window.Before = time.Time{} },
		"window":                func(e *rollcall.Event) { e.Window.After = e.Window.Before.Add(time.Millisecond) },
		"year":                  func(e *rollcall.Event) { e.Meeting.StartTime = time.UnixMilli(1 << 60) },
	} {
		e := sample(rollcall.ParticipantJoined)
		spoil(&e)
		if _, err := encoded(&e); err == nil {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	e := sample(rollcall.ParticipantJoined)
	good := string(wire.AppendEvent(nil, &e))
	if _, err := wire.DecodeEvent([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{`rollcall:event:1`, `rollcall:event:2`, `dataschema "rollcall:event:2"`},
		{`"specversion":"1.0"`, `"specversion":"2.0"`, `specversion "2.0"`},
		{`rollcall.participant.joined`, `rollcall.participant.danced`, "danced"},
		{`rollcall.participant.joined`, `other.participant.joined`, "unknown type"},
		{`000000000017","partition`, `000000000018","partition`, "its sequence"},
		{`1700000000000-`, `1700000000001-`, "its id"},
		{`"source":"/rollcall/acme`, `"source":"/rollcall/evil`, "its source"},
		{`"subject":"c%2E1/`, `"subject":"c%2E2/`, "its subject"},
		{`"partitionkey":"c.1"`, `"partitionkey":"c.2"`, "its partitionkey"},
		{`"attendance":"present"`, `"attendance":"asleep"`, "asleep"},
		{`"mic":"open"`, `"mic":"on"`, "mic"},
		{`"status":"started"`, `"status":"paused"`, "paused"},
		{`"provenance":"observed"`, `"provenance":"dreamt"`, "dreamt"},
		{`"sequence":17`, `"sequence":-1`, "decode event"},
		{`"before":"2023`, `"before":"2022`, "window"},
		{`"before":"2023-11-14T22:13:25.123Z"`, `"before":null`, "window"},
		{`"key":"anon:李 雷#1"`, `"key":""`, "key"},
		{`}}}`, `}}`, "decode event"},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%s is not in the event", c[0])
		}
		if _, err := wire.DecodeEvent([]byte(bad)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: got %v, want %q", c[1], err, c[2])
		}
	}
	more := strings.Replace(good, `"data":{`, `"traceparent":"00-1","data":{"new":[1],`, 1)
	if _, err := wire.DecodeEvent([]byte(more)); err != nil {
		t.Errorf("what it does not know: %v", err)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, kind := range []rollcall.Type{rollcall.ParticipantJoined, rollcall.MeetingStarted} {
		e := sample(kind)
		f.Add(wire.AppendEvent(nil, &e))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := wire.DecodeEvent(data)
		if err != nil {
			return
		}
		if _, err := encoded(&e); err != nil {
			t.Fatalf("it decodes and cannot be written: %v", err)
		}
		again, err := wire.DecodeEvent(wire.AppendEvent(nil, &e))
		if diff := gocmp.Diff(e, again); err != nil || diff != "" {
			t.Fatalf("not stable: %v\n%s", err, diff)
		}
	})
}

func FuzzAppendEvent(f *testing.F) {
	f.Add("c", "title", "nick", "left", int64(0), uint64(1))
	f.Fuzz(func(t *testing.T, conference, title, nick, reason string, epoch int64, sequence uint64) {
		e := sample(rollcall.ParticipantLeft)
		e.ConferenceID, e.Meeting.Title, e.Participant.Nick, e.Reason = conference, title, nick, rollcall.Reason(reason)
		e.Epoch, e.Sequence = epoch, sequence
		data := wire.AppendEvent(nil, &e)
		if !json.Valid(data) {
			t.Fatalf("no JSON: %q", data)
		}
		if _, err := encoded(&e); err != nil {
			return
		}
		got, err := wire.DecodeEvent(data)
		if diff := gocmp.Diff(clean(e), got); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func BenchmarkAppendEvent(b *testing.B) {
	e := sample(rollcall.ParticipantJoined)
	buffer := wire.AppendEvent(nil, &e)
	b.SetBytes(int64(len(buffer)))
	b.ReportAllocs()
	for b.Loop() {
		buffer = wire.AppendEvent(buffer[:0], &e)
	}
}
