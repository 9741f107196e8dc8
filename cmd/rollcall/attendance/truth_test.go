package attendance_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/cmd/rollcall/attendance"
	"rollcall/consume"
	"rollcall/differ"
	"rollcall/wire"
)

// begin is when the truth begins.
var begin = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }

// span is from a ms on until before b ms.
type span struct{ a, b int }

// truth is when somebody was there, and had the microphone open.
type truth struct {
	key         string
	visits, mic []span
}

func during(spans []span, ms int) (span, bool) {
	for _, s := range spans {
		if s.a <= ms && ms < s.b {
			return s, true
		}
	}
	return span{}, false
}

// drawTruth lets somebody come and go. What the microphone does, and a pause between
// two visits, lasts longer than polls are apart; a visit may be shorter.
func drawTruth(t *rapid.T, key string, until int) truth {
	told := truth{key: key}
	for now := rapid.IntRange(0, 200_000).Draw(t, "comes"); now < until; {
		stay := rapid.OneOf(rapid.IntRange(5_000, 20_000), rapid.IntRange(70_000, 300_000)).Draw(t, "stays")
		told.visits = append(told.visits, span{now, now + stay})
		for mic := now; mic+140_000 < now+stay && rapid.Bool().Draw(t, "speaks"); mic += 140_000 {
			told.mic = append(told.mic, span{mic, mic + 70_000})
		}
		now += stay + rapid.IntRange(70_000, 200_000).Draw(t, "away")
	}
	return told
}

// polled is what the polls saw of a truth, told by events.
type polled struct {
	samples []int // when the truth was looked at, ms
	asked   []int // before each
	came    []int // after each: when the answer came
	events  []consume.Event
	last    int
}

// poll looks at the truth until it is over, every now and then.
func poll(t *rapid.T, people []truth, until int) polled {
	var p polled
	var record *rollcall.Record
	gone := rapid.Bool().Draw(t, "lists who left")
	now := rapid.IntRange(0, 100_000).Draw(t, "first")
	for now < until {
		asked, sample := now, now+rapid.IntRange(0, 2_000).Draw(t, "way there")
		came := sample + rapid.IntRange(0, 2_000).Draw(t, "way back")
		p.asked, p.samples, p.came = append(p.asked, asked), append(p.samples, sample), append(p.came, came)
		record = p.look(t, record, seen(people, sample, gone))
		now = came + rapid.IntRange(1_000, 55_000).Draw(t, "pause")
	}
	p.last = until
	return p
}

// seen is the answer about an instant; the gone are listed or not.
func seen(people []truth, sample int, gone bool) *rollcall.Answer {
	a := &rollcall.Answer{Title: "周会", Status: rollcall.StatusStarted, Listed: true}
	for _, who := range people {
		e := rollcall.Entry{UserID: who.key, Nick: "N " + who.key, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceClosed}
		if _, open := during(who.mic, sample); open {
			e.Mic = rollcall.DeviceOpen
		}
		if _, there := during(who.visits, sample); !there {
			e.Attendance = rollcall.AttendanceLeft
		}
		if e.Attendance == rollcall.AttendancePresent || gone && len(who.visits) > 0 && who.visits[0].b <= sample {
			a.Entries = append(a.Entries, e)
		}
	}
	return a
}

func (p *polled) look(t *rapid.T, record *rollcall.Record, a *rollcall.Answer) *rollcall.Record {
	n := len(p.samples)
	result := differ.Diff(record, differ.Look{
		Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: a,
		Number: rollcall.Number{Term: 1, Poll: uint64(n)}, AskedAt: at(p.asked[n-1]), AnsweredAt: at(p.came[n-1]),
	}, differ.Rules{})
	for i := range result.Events {
		e, err := consume.Parse(wire.AppendEvent(nil, &result.Events[i]))
		if err != nil {
			t.Fatal(err)
		}
		p.events = append(p.events, e)
	}
	return result.Record
}

// run is polls in a row that saw somebody: the first and the last of them.
type run struct{ from, to int }

func (p *polled) runs(who truth) (all []run) {
	for i, sample := range p.samples {
		_, there := during(who.visits, sample)
		switch n := len(all); {
		case there && n > 0 && all[n-1].to == i-1:
			all[n-1].to = i
		case there:
			all = append(all, run{i, i})
		}
	}
	return all
}

// Whatever happens between the polls: each time and each duration that is told has
// the truth within its bounds, whoever was seen is told, and nobody else.
func TestTheTruthLiesWithinWhatIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		until := rapid.IntRange(200_000, 1_500_000).Draw(t, "until")
		var people []truth
		for _, key := range []string{"u1", "u2", "u3"} {
			people = append(people, drawTruth(t, key, until))
		}
		p := poll(t, people, until)
		m, err := attendance.Of(p.events, at(until))
		if len(p.events) == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range people {
			i := slices.IndexFunc(m.People, func(told attendance.Person) bool { return told.Key == who.key })
			if i < 0 {
				if len(p.runs(who)) > 0 {
					t.Fatalf("%s was seen, and is not told of", who.key)
				}
				continue
			}
			checkPerson(t, &p, who, m.People[i])
		}
	})
}

func checkPerson(t *rapid.T, p *polled, who truth, told attendance.Person) {
	runs, mic, wholly := p.runs(who), 0, true
	for _, v := range told.Visits {
		if v.Provenance == string(rollcall.ProvenanceInferred) {
			if !slices.ContainsFunc(who.visits, func(s span) bool { return holds(v.Joined, s.a) && holds(*v.Left, s.b) && within(v.Stay, s.b-s.a) }) {
				t.Fatalf("%s: nobody came and went in %+v; the truth: %v", who.key, v, who.visits)
			}
			continue
		}
		if len(runs) == 0 {
			t.Fatalf("%s: a visit that no poll saw: %+v", who.key, v)
		}
		r := runs[0]
		runs = runs[1:]
		first, _ := during(who.visits, p.samples[r.from])
		last, _ := during(who.visits, p.samples[r.to])
		ends := min(last.b, p.last)
		if !holds(v.Joined, first.a) || v.Left != nil && !holds(*v.Left, last.b) || v.Left == nil && r.to != len(p.samples)-1 || !within(v.Stay, ends-first.a) {
			t.Fatalf("%s: %+v; the truth: %v", who.key, v, first)
		}
		for _, open := range who.mic {
			// What was over at the first look, or began after the last, nobody saw.
			if open.a >= first.a && open.b <= last.b && open.b > p.samples[0] && open.a <= p.samples[len(p.samples)-1] {
				mic += min(open.b, p.last) - open.a
			}
		}
		wholly = wholly && first == last
	}
	if len(runs) > 0 {
		t.Fatalf("%s: seen, and not told of: %v", who.key, runs)
	}
	if wholly && !within(told.Mic, mic) {
		t.Fatalf("%s: the microphone was open for %d ms, told is %s (%+v); the truth: %v", who.key, mic, told.Mic, told.Visits, who.mic)
	}
}

func holds(w attendance.When, ms int) bool {
	return !at(ms).Before(w.Earliest()) && (w.Latest().IsZero() || !at(ms).After(w.Latest()))
}

func within(s attendance.Span, ms int) bool {
	return s.Min <= int64(ms) && (s.Max == nil || int64(ms) <= *s.Max)
}
