package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/wire"
)

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// golden is the record of testdata/record-1.json.
func golden() *rollcall.Record {
	return &rollcall.Record{
		Tenant: "acme", ConferenceID: "c.1 会", Epoch: 1700000000000, Sequence: 42,
		ObservedAt: at(1700000100123), Number: rollcall.Number{Term: 7, Poll: 19},
		Meeting: rollcall.Conference{
			Title: "Weekly <b>", StartTime: at(1699999999000), Status: rollcall.StatusStarted,
			Media: rollcall.MediaMicMuted | 64, Present: 1,
		},
		Roster: []rollcall.Participant{
			{
				Key: "anon:李 雷#1", Nick: "李 雷", Attendance: rollcall.AttendanceInvited,
				Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed,
			},
			{
				Key: "u1", UserID: "u1", Nick: "Ann", Attendance: rollcall.AttendancePresent,
				Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 2,
			},
		},
		Memory: []rollcall.Memory{
			{Participant: rollcall.Participant{
				Key: "u1", UserID: "u1", Nick: "Ann", Attendance: rollcall.AttendancePresent,
				Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 2,
			}, Left: 1},
			{Participant: rollcall.Participant{
				Key: "u2", UserID: "u2", Nick: "Bob", Attendance: rollcall.AttendanceFailed, RejectDescription: "busy",
			}, Failed: 2, KickedOut: 1},
		},
		Misses:    1,
		Partial:   &rollcall.Partial{Provenance: rollcall.ProvenanceObserved, WindowAfter: at(1700000085000)},
		EndReason: rollcall.ReasonVanished, EndedAt: at(1700000200000), Summarized: true, Untracked: true,
	}
}

// TestSchema1StaysReadable is the promise to those who have records stored:
// the files are never changed. The last one is what is written.
func TestSchema1StaysReadable(t *testing.T) {
	var data []byte
	for _, file := range []string{"testdata/record-1.json", "testdata/record-1-lean.json", "testdata/record-1-labels.json"} {
		var err error
		if data, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		data = bytes.TrimSpace(data)
		for name, read := range map[string]func([]byte) (*rollcall.Record, error){
			"DecodeRecord":    wire.DecodeRecord,
			"by reflection":   wire.DecodeAnyForm,
			"the fast reader": func(data []byte) (*rollcall.Record, error) { return wire.ReadRecord(data), nil },
		} {
			got, err := read(data)
			if diff := cmp.Diff(golden(), got); err != nil || diff != "" {
				t.Errorf("%s: %s: %v\n%s", file, name, err, diff)
			}
		}
	}
	encoded, err := wire.EncodeRecord([]byte("before"), golden())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before"+string(data), string(encoded)); diff != "" {
		t.Errorf("encoded:\n%s", diff)
	}
}

func TestTheSmallestRecord(t *testing.T) {
	r := &rollcall.Record{Tenant: "a", ConferenceID: "c"}
	data, err := wire.EncodeRecord(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"roster":[]`, `"startTime":null`, `"status":"initialized"`, `"statusUnknown":true`, `"partial":null`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	got, err := wire.DecodeRecord(data)
	if diff := cmp.Diff(r, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func keys(t *rapid.T, label string) []string {
	list := rapid.SliceOfNDistinct(rapid.StringN(0, 20, 60), 0, 12, rapid.ID).Draw(t, label)
	for i := range list {
		list[i] = rapid.SampledFrom([]string{"k", "anon:", "anon:A#"}).Draw(t, label+" begins") + strings.ToValidUTF8(list[i], "")
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func anyTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+" known") {
		return at(rapid.Int64Range(0, 253402300799999).Draw(t, label))
	}
	return time.Time{}
}

func anyPerson(t *rapid.T, key string, least, most int, device int) rollcall.Participant {
	text := rapid.StringN(0, 20, 60)
	return rollcall.Participant{
		Key: key, UserID: text.Draw(t, "user"), Nick: rapid.OneOf(text, rapid.SampledFrom([]string{"", "A"})).Draw(t, "nick"), RejectDescription: text.Draw(t, "reject"),
		Attendance: rollcall.Attendance(rapid.IntRange(least, most).Draw(t, "attendance")),
		Mic:        rollcall.Device(rapid.IntRange(device, 2).Draw(t, "mic")),
		Camera:     rollcall.Device(rapid.IntRange(device, 2).Draw(t, "camera")), Session: rapid.IntMin(0).Draw(t, "session"),
	}
}

func anyRecord(t *rapid.T) *rollcall.Record {
	r := &rollcall.Record{
		Tenant: "acme", ConferenceID: "c" + strings.ToValidUTF8(rapid.StringN(0, 60, 200).Draw(t, "id"), ""),
		Epoch: rapid.Int64Min(0).Draw(t, "epoch"), Sequence: rapid.Uint64().Draw(t, "sequence"), ObservedAt: anyTime(t, "observed"),
		Number: rollcall.Number{Term: rapid.Uint64().Draw(t, "term"), Poll: rapid.Uint64().Draw(t, "poll")},
		Meeting: rollcall.Conference{
			Title: strings.ToValidUTF8(rapid.String().Draw(t, "title"), "?"), StartTime: anyTime(t, "start"),
			Status: rollcall.Status(rapid.IntRange(0, 3).Draw(t, "status")), Media: rollcall.Media(rapid.Int64().Draw(t, "media")),
			Present: rapid.IntMin(0).Draw(t, "present"),
		},
		Misses: rapid.IntMin(0).Draw(t, "misses"), EndReason: rollcall.Reason(rapid.StringN(0, 9, 20).Draw(t, "reason")),
		EndedAt: anyTime(t, "ended"), Summarized: rapid.Bool().Draw(t, "summarized"), Untracked: rapid.Bool().Draw(t, "untracked"),
	}
	for _, key := range keys(t, "roster") {
		r.Roster = append(r.Roster, anyPerson(t, key, 1, 3, 1))
	}
	for _, key := range keys(t, "memory") {
		count := rapid.IntRange(0, 9)
		r.Memory = append(r.Memory, rollcall.Memory{
			Participant: anyPerson(t, key, 0, 6, 0),
			Failed:      count.Draw(t, "failed"), KickedOut: count.Draw(t, "kicked"), Left: count.Draw(t, "left"),
		})
	}
	if rapid.Bool().Draw(t, "partial") {
		r.Partial = &rollcall.Partial{Provenance: rollcall.ProvenanceInferred, WindowAfter: anyTime(t, "window")}
	}
	return r
}

func TestRecordsComeBackAsTheyWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		data, err := wire.EncodeRecord(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("no JSON: %s", data)
		}
		got, err := wire.DecodeRecord(data)
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func TestEncodeRecordRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*rollcall.Record){
		"tenant":          func(r *rollcall.Record) { r.Tenant = "" },
		"no meeting":      func(r *rollcall.Record) { r.ConferenceID = "" },
		"long id":         func(r *rollcall.Record) { r.ConferenceID = strings.Repeat("x", 257) },
		"id not UTF-8":    func(r *rollcall.Record) { r.ConferenceID = "\xff" },
		"unsorted roster": func(r *rollcall.Record) { slices.Reverse(r.Roster) },
		"a key twice":     func(r *rollcall.Record) { r.Roster[0] = r.Roster[1] },
		"no key":          func(r *rollcall.Record) { r.Roster[0].Key = "" },
		"key not UTF-8":   func(r *rollcall.Record) { r.Roster[1].Key = "\xff" },
		"gone in roster":  func(r *rollcall.Record) { r.Roster[0].Attendance = rollcall.AttendanceLeft },
		"unsorted memory": func(r *rollcall.Record) { slices.Reverse(r.Memory) },
		"memory count":    func(r *rollcall.Record) { r.Memory[0].Left = -1 },
		"misses":          func(r *rollcall.Record) { r.Misses = -1 },
		"year":            func(r *rollcall.Record) { r.Meeting.StartTime = time.UnixMilli(1 << 60) },
		"end":             func(r *rollcall.Record) { r.EndedAt = time.UnixMilli(1 << 60) },
		"window":          func(r *rollcall.Record) { r.Partial.WindowAfter = time.UnixMilli(1 << 60) },
		"observed":        func(r *rollcall.Record) { r.ObservedAt = time.UnixMilli(1 << 60) },
	} {
		r := golden()
		spoil(r)
		dst, err := wire.EncodeRecord([]byte("x"), r)
		if err == nil || string(dst) != "x" {
			t.Errorf("%s: %v, %q", name, err, dst)
		}
		n := wire.Names{Stream: "S", Prefix: "s"}
		if _, err := ledgertest.RecordMessage(n, r, 0, true); !errors.Is(err, ledger.ErrRefused) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	encoded, err := wire.EncodeRecord(nil, golden())
	if err != nil {
		t.Fatal(err)
	}
	good := string(encoded)
	for _, c := range []struct {
		old, bad, want string
		newer          bool
	}{
		{`"schema":1`, `"schema":2`, "schema 2, this version reads up to 1; upgrade this worker", true},
		{`"schema":1`, `"schema":0`, "no schema", false},
		{`"schema":1,`, ``, "no schema", false},
		{`"schema":1,"tenant":"acme"`, `"schema":9,"tenant":{"name":"acme"}`, "schema 9", true},
		{`"tenant":"acme"`, `"tenant":["acme"]`, "decode record", false},
		{`"tenant":"acme"`, `"tenant":"A"`, "no tenant", false},
		{`"attendance":"invited"`, `"attendance":"left"`, "roster entry 0", false},
		{`"attendance":"invited"`, `"attendance":""`, "roster entry 0", false},
		{`"attendance":"failed"`, `"attendance":"lost"`, "memory entry 1", false},
		{`"status":"started"`, `"status":"?"`, "unknown status", false},
		{`"observedAt":"2023-11-14T22:15:00.123Z"`, `"observedAt":"noon"`, "noon", false},
		{`}`, ``, "decode record", false},
		{good, ``, "decode record", false},
	} {
		bad := strings.Replace(good, c.old, c.bad, 1)
		if bad == good {
			t.Fatalf("%s is not in %s", c.old, good)
		}
		_, err := wire.DecodeRecord([]byte(bad))
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, wire.ErrNewerSchema) != c.newer {
			t.Errorf("%s: got %v, want %q", c.bad, err, c.want)
		}
	}
	more := strings.Replace(good, `"schema":1`, `"later":{"a":[1]},"schema":1`, 1)
	got, err := wire.DecodeRecord([]byte(more))
	if diff := cmp.Diff(golden(), got); err != nil || diff != "" {
		t.Errorf("a field it does not know: %v\n%s", err, diff)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	data, err := os.ReadFile("testdata/record-1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := wire.DecodeRecord(data)
		if err != nil {
			return
		}
		again, err := wire.EncodeRecord(nil, r)
		if err != nil {
			t.Fatalf("it decodes and cannot be written: %v", err)
		}
		got, err := wire.DecodeRecord(again)
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Fatalf("not stable: %v\n%s", err, diff)
		}
	})
}

// What is remembered of somebody who is gone takes no more than is needed: the
// record grows with each of them until the meeting ends.
func TestTheGoneTakeLittleRoom(t *testing.T) {
	gone := rollcall.Participant{
		Attendance: rollcall.AttendanceLeft, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed, Session: 1,
	}
	nameless, user := gone, gone
	nameless.Key, nameless.Nick = "anon:Guest 000001#1", "Guest 000001"
	user.Key, user.UserID, user.Nick = "user00000001", "user00000001", "Person 0001"
	for who, most := range map[*rollcall.Participant]int{&nameless: 70, &user: 110} {
		r := &rollcall.Record{Tenant: "acme", ConferenceID: "c"}
		without, _ := wire.EncodeRecord(nil, r)
		r.Memory = []rollcall.Memory{{Participant: *who, Left: 1}}
		with, err := wire.EncodeRecord(nil, r)
		if n := len(with) - len(without); err != nil || n > most {
			t.Errorf("%s takes %d bytes, want at most %d: %v", who.Key, n, most, err)
		}
	}
}

func BenchmarkEncodeRecord(b *testing.B) {
	r := golden()
	for i := range 18 {
		p := r.Roster[1]
		p.Key = p.Key + string(rune('a'+i))
		r.Roster = append(r.Roster, p)
	}
	data, err := wire.EncodeRecord(nil, r)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if data, err = wire.EncodeRecord(data[:0], r); err != nil {
			b.Fatal(err)
		}
	}
}
