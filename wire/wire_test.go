package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/wire"
)

func sameAsStandard(t interface{ Fatalf(string, ...any) }, s string) {
	want, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("marshal %q: %v", s, err)
	}
	if got := wire.AppendString(nil, s); !bytes.Equal(got, want) {
		t.Fatalf("AppendString(%q) = %s, encoding/json says %s", s, got, want)
	}
}

func TestAppendStringEveryByteAndEdge(t *testing.T) {
	for c := range 256 {
		sameAsStandard(t, string([]byte{byte(c)}))
		sameAsStandard(t, "a"+string([]byte{byte(c)})+"b")
	}
	for _, s := range []string{
		"", "</script><!--&", "\u2028\u2029\u2030", "\xed\xa0\x80", "\xf0\x9f\x98", "会议😀", "\ufffd", "\x7f", "\xc3(", "\xe2\x80",
	} {
		sameAsStandard(t, s)
	}
}

func TestAppendStringAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sameAsStandard(t, string(rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes")))
		sameAsStandard(t, rapid.String().Draw(t, "runes"))
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\x00\xff\u2028<")
	f.Fuzz(func(t *testing.T, s string) { sameAsStandard(t, s) })
}

func TestAppendTimeIsTheLayout(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62167219200000, 253402300799999).Draw(t, "ms")
		at := time.UnixMilli(ms).Add(999 * time.Microsecond).In(zone)
		want := `"` + at.UTC().Format(wire.Layout) + `"`
		if got := string(wire.AppendTime(nil, at)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		var back wire.Time
		if err := json.Unmarshal([]byte(want), &back); err != nil || back.UnixMilli() != ms {
			t.Fatalf("read %s back as %v, %v", want, back, err)
		}
	})
}

func TestTimesThatCannotBeSaid(t *testing.T) {
	late := time.UnixMilli(1 << 62)
	if err := wire.CheckTime("startTime", late); err == nil {
		t.Error("a year beyond 9999 was accepted")
	}
	if err := wire.CheckTime("startTime", time.Time{}); err != nil {
		t.Errorf("the zero time: %v", err)
	}
	for _, at := range []time.Time{{}, late} {
		if got := string(wire.AppendTime(nil, at)); got != "null" {
			t.Errorf("AppendTime(%v) = %s, want null", at, got)
		}
	}
	var back wire.Time
	for _, bad := range []string{`"yesterday"`, `17`, `""`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read as a time", bad)
		}
	}
}

func TestUnsaidWords(t *testing.T) {
	got := string(wire.AppendParticipant(nil, &rollcall.Participant{Key: "k"}))
	want := `{"key":"k","userId":"","nick":"","attendance":"invited","mic":"closed","camera":"closed","rejectDescription":"","session":0}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	person := wire.Person{Key: "k"}
	if _, err := person.Participant(false); err == nil {
		t.Error("unsaid words passed where they are not allowed")
	}
	if p, err := person.Participant(true); err != nil || p.Mic != rollcall.DeviceUnknown {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestReadersRefuse(t *testing.T) {
	for name, person := range map[string]wire.Person{
		"no key":       {Attendance: "present", Mic: "open", Camera: "open"},
		"bad word":     {Key: "k", Attendance: "here", Mic: "open", Camera: "open"},
		"bad mic":      {Key: "k", Attendance: "present", Mic: "on", Camera: "open"},
		"bad camera":   {Key: "k", Attendance: "present", Mic: "open", Camera: "on"},
		"negative":     {Key: "k", Attendance: "present", Mic: "open", Camera: "open", Session: -1},
		"no word said": {Key: "k", Mic: "open", Camera: "open"},
	} {
		if _, err := person.Participant(false); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, meeting := range map[string]wire.Meeting{
		"status": {Status: "over"}, "unsaid": {}, "present": {Status: "started", Present: -1},
	} {
		if _, err := meeting.Conference(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
