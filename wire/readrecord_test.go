package wire_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/wire"
)

// likeTheStandard holds the fast reader against encoding/json: what it reads at
// all, it reads as the other does.
func likeTheStandard(t interface{ Fatalf(string, ...any) }, data []byte) {
	got := wire.ReadRecord(data)
	if got == nil {
		return
	}
	want, err := wire.DecodeAnyForm(data)
	if err != nil || !reflect.DeepEqual(want, got) {
		t.Fatalf("%s\nis read though %v\n%s", data, err, cmp.Diff(want, got))
	}
}

// What is written is read fast, and as encoding/json reads it.
func TestWhatIsWrittenIsReadFast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data, err := wire.EncodeRecord(nil, anyRecord(t))
		if err != nil {
			t.Fatal(err)
		}
		if wire.ReadRecord(data) == nil {
			t.Fatalf("not read fast: %s", data)
		}
		likeTheStandard(t, data)
	})
}

// Any byte of a record that is another, missing or twice there is judged as
// encoding/json judges it.
func TestSpoiltRecordsAreReadLikeTheStandard(t *testing.T) {
	for _, r := range []*rollcall.Record{golden(), {Tenant: "a", ConferenceID: "c"}} {
		good, err := wire.EncodeRecord(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			before, after := string(good[:i]), string(good[i+1:])
			likeTheStandard(t, []byte(before+after))
			likeTheStandard(t, []byte(before))
			for _, other := range []string{string(good[i : i+1]), "0", "9", "-", " ", "\\", `"`, ",", "}", "]", "u", "N", "\x00", "\xff", "."} {
				likeTheStandard(t, []byte(before+other+after))
				likeTheStandard(t, []byte(before+other+string(good[i:])))
			}
		}
	}
}

func TestNumbersAreReadLikeTheStandard(t *testing.T) {
	data, err := wire.EncodeRecord(nil, golden())
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"epoch":1700000000000`, `"sequence":42`, `"term":7`, `"code":65`, `"present":1`, `"session":2`, `"left":1`, `"misses":1`} {
		name, _, _ := strings.Cut(field, ":")
		for _, n := range []string{
			"0", "00", "01", "-0", "-1", "--1", "+1", "1.0", "1e2", "", "-", "null", `"1"`,
			"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
		} {
			spoilt := strings.Replace(string(data), field, name+":"+n, 1)
			if spoilt == string(data) {
				t.Fatalf("%s is not in %s", field, data)
			}
			likeTheStandard(t, []byte(spoilt))
		}
	}
}

func FuzzReadRecord(f *testing.F) {
	data, err := os.ReadFile("testdata/record-1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(strings.TrimSpace(string(data))))
	f.Add([]byte(strings.Replace(string(data), "Ann", `\u0041\ud800\n`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) { likeTheStandard(t, data) })
}

// trackingLikeTheStandard does the same for the tracked set.
func trackingLikeTheStandard(t interface{ Fatalf(string, ...any) }, data []byte) {
	got, ok := wire.ReadTracking(data)
	if !ok {
		return
	}
	var want wire.Tracking
	err := json.Unmarshal(data, &want)
	want.Since = want.Since.UTC().Truncate(time.Millisecond)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%s is read as %+v, want %+v, %v", data, got, want, err)
	}
}

func TestTrackingsAreReadFastAndLikeTheStandard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := wire.Tracking{
			ConferenceID: "c" + strings.ToValidUTF8(rapid.StringN(0, 60, 200).Draw(t, "id"), ""),
			Source:       strings.ToValidUTF8(rapid.String().Draw(t, "source"), ""), Since: anyTime(t, "since"),
		}
		data, err := wire.EncodeTracking(want)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := wire.ReadTracking(data)
		if !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is read as %+v, %v", data, got, ok)
		}
		if again, err := wire.DecodeAnyTracking(data); err != nil || !reflect.DeepEqual(again, want) {
			t.Fatalf("%s is decoded as %+v, %v", data, again, err)
		}
	})
}

func TestLookingIsKeptWithATracking(t *testing.T) {
	want := wire.Tracking{ConferenceID: "c1", Source: "api", Since: time.UnixMilli(1700000000000).UTC(), Looked: 90 * time.Minute}
	data, err := wire.EncodeTracking(want)
	if err != nil || !strings.HasSuffix(string(data), `,"lookedMs":5400000}`) {
		t.Fatalf("%s, %v", data, err)
	}
	if got, err := wire.DecodeTracking(data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzReadTracking(f *testing.F) {
	f.Add([]byte(`{"schema":1,"conferenceId":"c\u00e9","source":"api","since":"2023-11-14T22:13:20.000Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) { trackingLikeTheStandard(t, data) })
}

// ten is the stored record of a meeting of ten people.
func ten(tb testing.TB, id string) *rollcall.Record {
	tb.Helper()
	r := golden()
	r.ConferenceID, r.Roster, r.Memory, r.Partial, r.Untracked = id, nil, nil, nil, false
	r.EndReason, r.EndedAt, r.Summarized, r.Misses = "", time.Time{}, false, 0
	for i := range 10 {
		key := fmt.Sprintf("%s-user-%02d", id, i)
		r.Roster = append(r.Roster, rollcall.Participant{
			Key: key, UserID: key, Nick: fmt.Sprintf("Person %d of many", i), Attendance: rollcall.AttendancePresent,
			Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 1,
		})
	}
	return r
}

func BenchmarkDecodeRecord(b *testing.B) {
	data, err := wire.EncodeRecord(nil, ten(b, "conference-000001"))
	if err != nil {
		b.Fatal(err)
	}
	for name, decode := range map[string]func([]byte) (*rollcall.Record, error){"fast": wire.DecodeRecord, "any form": wire.DecodeAnyForm} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
