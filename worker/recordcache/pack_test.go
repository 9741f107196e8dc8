package recordcache

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
)

// anyText draws from a few texts and any others; some stand in the answer.
func anyText(t *rapid.T) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "u1", "user-1", "user-22", `back\slash`, `quo"te`, "会议😀", "\xff\xfe", "title", `ends\`}),
		rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 300), func(b []byte) string { return string(b) }),
	).Draw(t, "text")
}

func anyInstant(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "unknown") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
}

func anyParticipant(t *rapid.T) rollcall.Participant {
	p := rollcall.Participant{
		Key: anyText(t), UserID: anyText(t), Nick: anyText(t), RejectDescription: anyText(t),
		Attendance: rollcall.Attendance(rapid.IntRange(0, 7).Draw(t, "attendance")),
		Mic:        rollcall.Device(rapid.IntRange(0, 3).Draw(t, "mic")), Camera: rollcall.Device(rapid.IntRange(0, 3).Draw(t, "camera")),
		Session: rapid.Int().Draw(t, "session"),
	}
	for _, f := range []*rollcall.Fact{&p.Host, &p.CoHost, &p.External, &p.Phone} {
		*f = rollcall.Fact(rapid.IntRange(0, 3).Draw(t, "role"))
	}
	if rapid.Bool().Draw(t, "keyed by id") {
		p.UserID = p.Key
	}
	return p
}

// anyRecord draws a record that can be packed.
func anyRecord(t *rapid.T) *rollcall.Record {
	r := &rollcall.Record{
		Tenant: anyText(t), ConferenceID: anyText(t), Epoch: rapid.Int64().Draw(t, "epoch"), Sequence: rapid.Uint64().Draw(t, "sequence"),
		ObservedAt: anyInstant(t), Number: rollcall.Number{Term: rapid.Uint64().Draw(t, "term"), Poll: rapid.Uint64().Draw(t, "poll")},
		Meeting: rollcall.Conference{
			Title: anyText(t), StartTime: anyInstant(t), Status: rollcall.Status(rapid.IntRange(0, 2).Draw(t, "status")),
			Media: rollcall.Media(rapid.Int64().Draw(t, "media")), Present: rapid.Int().Draw(t, "present"),
		},
		Misses: rapid.Int().Draw(t, "misses"), EndReason: rollcall.Reason(anyText(t)), EndedAt: anyInstant(t),
		Summarized: rapid.Bool().Draw(t, "summarized"),
	}
	people := rapid.SliceOfN(rapid.Custom(anyParticipant), 0, 8)
	if rapid.Bool().Draw(t, "a roster") {
		r.Roster = people.Draw(t, "roster")
	}
	if rapid.Bool().Draw(t, "a memory") {
		r.Memory = []rollcall.Memory{}
		count := rapid.Int()
		for _, p := range people.Draw(t, "memory") {
			r.Memory = append(r.Memory, rollcall.Memory{
				Participant: p, Failed: count.Draw(t, "failed"), KickedOut: count.Draw(t, "kicked out"), Left: count.Draw(t, "left"),
			})
		}
	}
	return r
}

// anyAnswer draws bytes that hold some of the record's texts, in JSON or not.
func anyAnswer(t *rapid.T, r *rollcall.Record) []byte {
	raw := rapid.SliceOfN(rapid.SampledFrom([]byte(`"\:,{}ab`)), 0, 20).Draw(t, "before")
	for i := range r.Roster {
		p := &r.Roster[i]
		raw = fmt.Appendf(raw, rapid.SampledFrom([]string{`{"userId":%q,"nick":"%s"},`, `"%s":"%s"`, `%s"%q`}).Draw(t, "form"), p.Key, p.Nick)
	}
	return append(raw, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "after")...)
}

func TestPackedRecordsComeBackAsTheyWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		raw := anyAnswer(t, r)
		p := pack(r, raw)
		if p == nil {
			t.Fatalf("not packed: %+v", r)
		}
		p.raw = slices.Clone(raw)
		got := p.unpack()
		clear(p.raw) // what came back must not lean on the answer
		if !reflect.DeepEqual(r, got) {
			t.Fatalf("not the same:\n%s", cmp.Diff(r, got))
		}
	})
}

// A record that would not come back as it was stays whole.
func TestWhatCannotBePackedStaysWhole(t *testing.T) {
	now := time.Now()
	for name, spoil := range map[string]func(*rollcall.Record){
		"monotonic":  func(r *rollcall.Record) { r.ObservedAt = now },
		"zone":       func(r *rollcall.Record) { r.Meeting.StartTime = now.Round(0).In(time.FixedZone("x", 3600)) },
		"zero, zone": func(r *rollcall.Record) { r.EndedAt = time.Time{}.In(time.FixedZone("x", 3600)) },
		"attendance": func(r *rollcall.Record) { r.Roster[0].Attendance = 8 },
		"mic":        func(r *rollcall.Record) { r.Roster[0].Mic = 4 },
		"camera":     func(r *rollcall.Record) { r.Memory[0].Participant.Camera = 4 },
		"role":       func(r *rollcall.Record) { r.Memory[0].Participant.Roles.Phone = 4 },
		"partial":    func(r *rollcall.Record) { r.Partial = &rollcall.Partial{} },
		"ended":      func(r *rollcall.Record) { r.Meeting.Status = rollcall.StatusEnded },
		"untracked":  func(r *rollcall.Record) { r.Untracked = true },
	} {
		r := &rollcall.Record{Roster: make([]rollcall.Participant, 1), Memory: make([]rollcall.Memory, 1)}
		var f cell
		f.put(r)
		if f.pack(nil); f.packed == nil {
			t.Fatal("a record without anything odd is not packed")
		}
		spoil(r)
		f.put(r)
		if f.pack(nil); f.packed != nil || f.Whole() != r {
			t.Errorf("%s: it is packed", name)
		}
	}
}

func TestRecordsArePackedWhenTheyAreUnchangedForAWhile(t *testing.T) {
	r, raw := twenty()
	var f cell
	f.markUnchanged(raw)
	f.put(r)
	for range 3 {
		for range packAfter - 1 {
			if f.markUnchanged(raw); f.packed != nil {
				t.Fatal("it is packed too early")
			}
		}
		f.put(r)
	}
	for range packAfter {
		f.markUnchanged(raw)
	}
	if f.packed == nil {
		t.Fatal("it is not packed")
	}
	f.Whole()
	if f.markUnchanged(raw); f.packed != nil {
		t.Fatal("it was looked at, and is packed again at once")
	}
}

func TestACellTellsWhatTheRecordSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		raw := anyAnswer(t, r)
		var f cell
		if !f.None() || f.Whole() != nil || f.Shown() != nil {
			t.Fatal("nothing was put in")
		}
		f.put(r)
		if f.pack(raw); f.packed == nil {
			t.Fatal("it is not packed")
		}
		if f.None() || f.number != r.Number || f.status != r.Meeting.Status || f.untracked != r.Untracked {
			t.Fatalf("the head is not the record's: %+v", f)
		}
		if !reflect.DeepEqual(f.Shown(), r) || f.packed == nil {
			t.Fatal("to be shown it must not be unpacked for good")
		}
		if !reflect.DeepEqual(f.Whole(), r) || f.packed != nil || f.None() {
			t.Fatal("to be worked with it must be whole")
		}
		if f.put(nil); !f.None() || f.Over() {
			t.Fatal("nothing is put in its place")
		}
	})
}

// twenty is a meeting of 20 people and the answer that led to it.
func twenty() (*rollcall.Record, []byte) {
	r := &rollcall.Record{
		Tenant: "acme", ConferenceID: "conference-000001", Epoch: 1700000000000, Sequence: 41, ObservedAt: time.UnixMilli(1700000100123).UTC(),
		Number:  rollcall.Number{Term: 7001, Poll: 1900},
		Meeting: rollcall.Conference{Title: "Weekly", StartTime: time.UnixMilli(1700000000000).UTC(), Status: rollcall.StatusStarted, Present: 20},
	}
	raw := []byte(`{"conferenceId":"conference-000001","title":"Weekly","startTime":1700000000000,"status":2,"mediaStatus":0,"userList":[`)
	for i := range 20 {
		id, nick := fmt.Sprintf("manager%04d", i), fmt.Sprintf("Person %d of many", i)
		r.Roster = append(r.Roster, rollcall.Participant{
			Key: id, UserID: id, Nick: nick, Attendance: rollcall.AttendancePresent,
			Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 1,
		})
		raw = fmt.Appendf(raw, `{"attendStatus":3,"cameraStatus":1,"coHostRole":0,"hostRole":0,"micStatus":2,"nick":%q,"userId":%q},`, nick, id)
	}
	return r, append(raw[:len(raw)-1], "]}"...)
}

func TestPackedIsSmall(t *testing.T) {
	r, raw := twenty()
	if p := pack(r, raw); len(p.form) > 300 {
		t.Errorf("%d bytes for 20 people, want at most 300", len(p.form))
	}
}

func BenchmarkPack(b *testing.B) {
	r, raw := twenty()
	b.ReportAllocs()
	for b.Loop() {
		pack(r, raw)
	}
}

func BenchmarkUnpack(b *testing.B) {
	p := pack(twenty())
	b.ReportAllocs()
	for b.Loop() {
		p.unpack()
	}
}
