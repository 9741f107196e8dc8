package main

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/consume"
	"rollcall/differ"
	"rollcall/internal/natstest"
	"rollcall/wire"
)

// At any time the rosters are those of the records that stood then.
func TestReplayShowsTheRostersOfThen(t *testing.T) {
	w := newPastWorld(t)
	w.happen(60)
	for i := 0; i < len(w.moments); i += 5 {
		moment := w.moments[i]
		told := answerOf[then](w, "replay", "--at", moment.at)
		got := map[string][]string{}
		for _, m := range told.Meetings {
			if got[m.ConferenceID] = shownLines(m.Roster); !m.Known || m.Tenant != "acme" || m.Meeting == nil || m.Meeting.Present > len(m.Roster) {
				t.Errorf("%+v", m)
			}
		}
		want := map[string][]string{}
		for id, people := range moment.rosters {
			want[id] = lines(people)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("after %d looks: %v, want %v", i+1, got, want)
		}
	}
}

// What the retention has taken is not made up: a record says how it stood where
// nothing has happened since, and otherwise nobody can tell.
func TestReplaySaysWhatIsMissing(t *testing.T) {
	w := newPastWorld(t)
	for _, meeting := range []string{"quiet", "busy"} {
		for range 2 {
			w.look(meeting, differ.Look{Kind: rollcall.SightingListed, Answer: w.crowd()})
		}
	}
	then1 := w.moments[len(w.moments)-1]
	w.look("busy", differ.Look{Kind: rollcall.SightingListed, Answer: w.crowd()})
	for _, meeting := range []string{"quiet", "busy"} {
		if err := w.ledger.Purge(t.Context(), jetstream.WithPurgeSubject("meetings.event.acme."+meeting+".meeting.>")); err != nil {
			t.Fatal(err)
		}
	}
	told := answerOf[then](w, "replay", "--at", then1.at)
	known := map[string]bool{}
	for _, m := range told.Meetings {
		if known[m.ConferenceID] = m.Known; m.Known && !slices.Equal(shownLines(m.Roster), lines(then1.rosters[m.ConferenceID])) {
			t.Errorf("%+v", m)
		}
	}
	if !maps.Equal(known, map[string]bool{"quiet": true, "busy": false}) {
		t.Errorf("known: %v", known)
	}
	code, out, said := w.run("replay", "--at", then1.at)
	if code != exitDone || !strings.Contains(out, "busy  not known: its beginning is missing") || said != "" {
		t.Errorf("%d: %s%s", code, out, said)
	}
}

// Whoever was forgotten leaves a hole, behind which the others are told as before.
func TestReplayGoesOnBehindAHole(t *testing.T) {
	w := newPastWorld(t)
	list := func(people ...string) {
		a := &rollcall.Answer{Title: "T", Status: rollcall.StatusStarted, Listed: true}
		for _, p := range people {
			a.Entries = append(a.Entries, rollcall.Entry{UserID: p, Nick: p, Attendance: rollcall.AttendancePresent})
		}
		w.look("c1", differ.Look{Kind: rollcall.SightingListed, Answer: a})
	}
	list("u1")
	list("u1", "u2")
	list("u1", "u2", "u3")
	if err := w.ledger.DeleteMsg(t.Context(), w.told[2].stream); err != nil { // u2 joined
		t.Fatal(err)
	}
	at := w.moments[2].at
	told := answerOf[then](w, "replay", "--at", at)
	if len(told.Meetings) != 1 || told.Meetings[0].Missing != 1 || !slices.Equal(shownLines(told.Meetings[0].Roster), []string{"u1 u1 present closed closed 1", "u3 u3 present closed closed 1"}) {
		t.Errorf("%+v", told)
	}
	if _, out, _ := w.run("replay", "--at", at); !strings.Contains(out, "missing: 1 event, of somebody who was forgotten, or lost") {
		t.Error(out)
	}
}

func TestReplaySaysThatNobodyLooked(t *testing.T) {
	w := newPastWorld(t)
	w.happen(3)
	at := w.now
	for i, kind := range []rollcall.Type{rollcall.WatchLost, rollcall.WatchResumed} {
		data, err := wire.EncodeWatch("", &rollcall.WatchEvent{
			Tenant: "acme", Shards: 1, Epoch: 1, Sequence: uint64(i + 1), Type: kind, Reason: rollcall.ReasonThrottled,
			Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: at.Add(-time.Minute), Before: at},
		})
		if err != nil {
			t.Fatal(err)
		}
		ack, err := w.js.Publish(t.Context(), w.names.Commit(w.names.Watch("acme", kind)), data)
		if err != nil {
			t.Fatal(err)
		}
		stored := w.stored(ack.Sequence).Format(time.RFC3339Nano)
		if _, out, _ := w.run("replay", "--at", stored); strings.Contains(out, "nobody looked at the meetings of tenant acme since ") != (i == 0) {
			t.Error(out)
		}
		told := answerOf[then](w, "replay", "--at", stored)
		if len(told.Blind) != 1-i || i == 0 && (told.Blind[0].Reason != "throttled" || !told.Blind[0].Since.Equal(at.Add(-time.Minute))) {
			t.Errorf("after %s: %+v", kind, told.Blind)
		}
	}
}

// What is published again is what is stored: bytes, headers and order; a stream that
// captures it keeps each, and one that cannot be read back is refused.
func TestReplayPublishesWhatIsStored(t *testing.T) {
	w := newPastWorld(t)
	w.happen(40)
	want := stored(t, w, consume.Feed{JetStream: w.js, Watch: true})
	sub, err := w.js.Conn().SubscribeSync("again.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.js.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "COPY", Subjects: []string{"copy.>"}}); err != nil {
		t.Fatal(err)
	}
	if done := answerOf[replayed](w, "replay", "--to-prefix", "again"); done.Events != len(want) || !done.To.Equal(want[len(want)-1].At.Truncate(time.Millisecond)) {
		t.Errorf("%+v, want %d events", done, len(want))
	}
	for i := range want {
		m, err := sub.NextMsgWithContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "again", &want[i], m.Subject, m.Header, m.Data)
	}
	answerOf[replayed](w, "replay", "--to-prefix", "copy", "--conference", "c1", "--type", "participant.*")
	types, err := consume.ParseType("participant.*")
	if err != nil {
		t.Fatal(err)
	}
	some := stored(t, w, consume.Feed{JetStream: w.js, ConferenceID: "c1", Types: types})
	copied, err := w.js.Stream(t.Context(), "COPY")
	if err != nil {
		t.Fatal(err)
	}
	for i := range some {
		m, err := copied.GetMsg(t.Context(), uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "copy", &some[i], m.Subject, m.Header, m.Data)
	}
	if n := copied.CachedInfo().State.Msgs; int(n) != len(some) || n == 0 {
		t.Errorf("the stream holds %d events, want %d", n, len(some))
	}
}

func stored(t *testing.T, w *pastWorld, f consume.Feed) (all []consume.Stored) {
	t.Helper()
	if err := consume.Read(t.Context(), w.js.Conn(), f, func(m consume.Stored) error { all = append(all, m); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// same holds an event against what was stored.
func same(t *testing.T, prefix string, want *consume.Stored, subject string, header nats.Header, data []byte) {
	t.Helper()
	if subject != prefix+strings.TrimPrefix(want.Subject, "meetings") || !bytes.Equal(data, want.Data) {
		t.Errorf("%s: %s\nwant %s: %s", subject, data, want.Subject, want.Data)
	}
	for name, values := range want.Header {
		if !strings.HasPrefix(name, "Nats-") && !slices.Equal(header[name], values) {
			t.Errorf("header %s: %q, want %q", name, header[name], values)
		}
	}
	if header.Get("Content-Type") != wire.ContentType || header.Get("Nats-Batch-Id") != "" {
		t.Errorf("headers: %v", header)
	}
}

func TestReplayRangeOfTime(t *testing.T) {
	w := newPastWorld(t)
	w.happen(10)
	all := stored(t, w, consume.Feed{JetStream: w.js})
	from, to := all[3], all[len(all)-4]
	done := answerOf[replayed](w, "replay", "--to-prefix", "again", "--since", from.At.Format(time.RFC3339Nano), "--until", to.At.Format(time.RFC3339Nano))
	want := 0
	for _, m := range all {
		if !m.At.Before(from.At) && !m.At.After(to.At) {
			want++
		}
	}
	if done.Events != want || want == 0 {
		t.Errorf("%d events, want %d", done.Events, want)
	}
}

func TestReplayRefusesAPrefixThatOthersBelieve(t *testing.T) {
	w := newPastWorld(t)
	other := jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"raw.>"}, RePublish: &jetstream.RePublish{Source: ">", Destination: "theirs.>"}}
	if _, err := w.js.CreateStream(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"meetings", "meetings.copy", "rollcall", "rollcall.MEETINGS.commit", "rollcall.OTHER", "theirs", "theirs.x", "", "a.*", "a b", ">", "a."} {
		code, _, said := w.run("replay", "--to-prefix", prefix)
		if code != exitMisused || said == "" {
			t.Errorf("%q: exit code %d, %s", prefix, code, said)
		}
	}
	for _, args := range [][]string{
		{},
		{"--at", "1m", "--to-prefix", "x"},
		{"--at", "never"},
		{"--at", "2999-01-01T00:00:00Z"},
		{"--at", "1m", "--speed", "1"},
		{"--at", "1m", "--type", "joined"},
		{"--to-prefix", "x", "--speed", "-1"},
		{"--to-prefix", "x", "--speed", "NaN"},
		{"--to-prefix", "x", "--since", "1m", "--until", "2m"},
		{"--to-prefix", "x", "--type", "nothing"},
	} {
		if code, _, said := w.run(append([]string{"replay"}, args...)...); code != exitMisused {
			t.Errorf("%v: exit code %d, %s", args, code, said)
		}
	}
}

// Another NATS may have the stream's own prefix, unless it is the same one after all.
func TestReplayToAnotherNATS(t *testing.T) {
	w := newPastWorld(t)
	w.happen(5)
	want := stored(t, w, consume.Feed{JetStream: w.js})
	other := natstest.Start(t)
	sub, err := other.Connect(t).SubscribeSync("meetings.>")
	if err != nil {
		t.Fatal(err)
	}
	if done := answerOf[replayed](w, "replay", "--to-prefix", "meetings", "--to-nats", other.URL()); done.Events != len(want) {
		t.Errorf("%+v, want %d events", done, len(want))
	}
	for i := range want {
		m, err := sub.NextMsgWithContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "meetings", &want[i], m.Subject, m.Header, m.Data)
	}
	for args, want := range map[string]int{
		"--to-prefix meetings --to-nats " + w.server.URL(): exitMisused, "--to-prefix x --to-nats x://y": exitMisused,
		"--to-prefix rollcall.x --to-nats " + other.URL(): exitMisused,
	} {
		if code, _, said := w.run(append([]string{"replay"}, strings.Fields(args)...)...); code != want {
			t.Errorf("%s: exit code %d, %s", args, code, said)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a.>", "a.>", true},
		{"a.>", "b.>", false},
		{"a.b.>", "a.>", true},
		{"a.>", "a.b.c", true},
		{"a.*.c", "a.b.*", true},
		{"a.b", "a.b.c", false},
		{"a.b", "*.b", true},
		{"a.>", "a", false},
		{"ab.>", "a.>", false},
		{"x.>", ">", true},
	} {
		if overlap(c.a, c.b) != c.want || overlap(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want %t", c.a, c.b, c.want)
		}
	}
}

func TestPace(t *testing.T) {
	first := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	now := first.Add(time.Hour)
	for speed, want := range map[float64]time.Duration{0: 0, 1: 30 * time.Second, 10: 3 * time.Second, 0.5: time.Minute} {
		p := pace{speed: speed}
		if due := p.due(first, now); !due.Equal(now) {
			t.Errorf("at speed %v the first is due at %v", speed, due)
		}
		if due := p.due(first.Add(30*time.Second), now); due.Sub(now) != want {
			t.Errorf("at speed %v it is due after %v, want %v", speed, due.Sub(now), want)
		}
	}
}

func TestProgressIsSaidAfterAWhile(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for redraw, want := range map[bool]string{false: "rollcall: published 2 events, up to -\n", true: "\r\x1b[Krollcall: published 2 events, up to -\n"} {
		var out bytes.Buffer
		p := progress{out: &out, redraw: redraw, next: start.Add(patience)}
		p.show(start.Add(patience-1), replayed{Events: 1})
		p.show(start.Add(patience), replayed{Events: 2})
		p.show(start.Add(patience+1), replayed{Events: 3})
		if p.end(); out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	}
}

func TestTimesAsPeopleWriteThem(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, zone)
	for word, want := range map[string]string{
		"10m": "2026-11-23T14:50:00+08:00", "10m ago": "2026-11-23T14:50:00+08:00", "0s": "2026-11-23T15:00:00+08:00", "14:05": "2026-11-23T14:05:00+08:00",
		"14:05:30.5": "2026-11-23T14:05:30.5+08:00", "2026-11-22 14:05:30": "2026-11-22T14:05:30+08:00", "2026-11-22T14:05": "2026-11-22T14:05:00+08:00",
		"2026-11-23T06:05:30.123456789Z": "2026-11-23T14:05:30.123456789+08:00",
		"15:01":                          "", "-10m": "", "yesterday": "", "": "", "25:00": "", "2026-11-24T00:00:00Z": "",
	} {
		got, err := parseWhen(word, now)
		if (err == nil) != (want != "") || err == nil && got.In(zone).Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v; want %s", word, got, err, want)
		}
	}
}
