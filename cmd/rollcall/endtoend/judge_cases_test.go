package endtoend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// story makes the evidence of one meeting that was watched without a fault.
type story struct {
	t      *testing.T
	at     time.Time
	seq    uint64
	number int
	polls  uint64
	asked  *time.Time // when the last recorded poll was asked
	visits map[string]int
	e      evidence
}

func newStory(t *testing.T) *story {
	return &story{t: t, at: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), visits: map[string]int{}}
}

// poll answers with the meeting and tells the events, "verb" or "verb key".
func (s *story) poll(m listedMeeting, events ...string) {
	s.polls++
	asked, served := s.at, s.at.Add(5*time.Millisecond)
	s.at = s.at.Add(time.Second)
	m.ConferenceID = "c.1"
	shown := m.state()
	s.e.answers = append(s.e.answers, answer{door: "a", asked: asked, served: served, says: map[string]state{"c.1": shown}})
	if len(events) == 0 {
		return
	}
	said := s.meeting(m, shown)
	for i, words := range events {
		s.number++
		kind, key, _ := strings.Cut(words, " ")
		data := map[string]any{
			"tenant": "acme", "conferenceId": "c.1", "epoch": 7, "sequence": s.number,
			"poll": map[string]int{"index": i + 1, "count": len(events)}, "meeting": said, "reason": "",
			"provenance": map[bool]string{true: "baseline", false: "observed"}[s.polls == 1],
			"window":     map[string]any{"after": s.asked, "before": served},
		}
		about := "c%2E1"
		if key != "" {
			if kind == "participant.joined" {
				s.visits[key]++
			}
			data["participant"] = s.person(m, shown, key)
			about += "/" + key
		}
		s.store("meetings.event.acme.c%2E1."+kind, map[string]any{
			"specversion": "1.0", "id": fmt.Sprintf("acme/c%%2E1/7-%012d", s.number), "source": "/rollcall/acme/c%2E1",
			"type": "rollcall." + kind, "subject": about, "time": served, "dataschema": "rollcall:event:1",
			"sequence": fmt.Sprintf("%012d", s.number), "partitionkey": "c.1", "data": data,
		})
	}
	s.record(asked, said, shown)
	s.asked = &asked
}

func (s *story) meeting(m listedMeeting, shown state) map[string]any {
	present := 0
	for _, handle := range shown.People {
		if handle.Value().Attendance == "present" {
			present++
		}
	}
	return map[string]any{
		"title": m.Title, "startTime": time.UnixMilli(m.StartTime).UTC(), "status": shown.Status, "present": present,
		"media": map[string]any{"micMuted": m.MediaStatus&1 != 0, "cameraClosed": m.MediaStatus&2 != 0, "muteAll": m.MediaStatus&4 != 0, "code": m.MediaStatus},
	}
}

func (s *story) person(m listedMeeting, shown state, key string) person {
	for _, handle := range shown.People {
		if p := handle.Value(); p.Key == key {
			p.Session = s.visits[key]
			return p
		}
	}
	return person{Key: key, UserID: key, Nick: key, Attendance: "left", Mic: "closed", Camera: "closed", Session: s.visits[key]}
}

func (s *story) record(asked time.Time, said map[string]any, shown state) {
	roster := []person{}
	for _, handle := range shown.People {
		p := handle.Value()
		p.Session = s.visits[p.Key]
		roster = append(roster, p)
	}
	m := s.store("meetings.state.acme.c%2E1", map[string]any{
		"schema": 1, "tenant": "acme", "conferenceId": "c.1", "epoch": 7, "sequence": s.number, "observedAt": asked,
		"term": 1, "poll": s.polls, "meeting": said, "roster": roster,
	})
	s.e.records = append(s.e.records, m)
}

func (s *story) store(subject string, v any) stored {
	data, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	s.seq++
	m := stored{seq: s.seq, subject: subject, data: data, header: map[string][]string{"Nats-Batch-Id": {fmt.Sprint(s.polls)}}}
	s.e.stream = append(s.e.stream, m)
	return m
}

func there(id string, attend, mic int) listedPerson {
	return listedPerson{UserID: id, Nick: id, AttendStatus: attend, MicStatus: mic, CameraStatus: 1}
}

// truthful is a story that the judge must find nothing wrong with.
func truthful(t *testing.T) *story {
	s := newStory(t)
	running := listedMeeting{Title: "T", StartTime: 5, Status: 2}
	with := func(people ...listedPerson) listedMeeting { m := running; m.UserList = people; return m }
	s.poll(with(there("u1", 3, 2), there("u2", 1, 0)), "meeting.started", "participant.invited u2", "participant.joined u1", "participant.mic_opened u1")
	s.poll(with(there("u1", 3, 2), there("u2", 1, 0)))
	s.poll(with(there("u1", 3, 1), there("u2", 3, 1)), "participant.joined u2", "participant.mic_closed u1")
	s.poll(with(there("u1", 6, 0), there("u2", 3, 2)), "participant.left u1", "participant.mic_opened u2")
	s.poll(with(there("u1", 3, 1), there("u2", 3, 2)), "participant.joined u1")
	running.MediaStatus = 4
	s.poll(with(there("u1", 3, 1), there("u2", 3, 1)), "meeting.mute_all_enforced", "participant.mic_closed u2")
	running.Title = "New"
	s.poll(with(there("u1", 3, 1), there("u2", 5, 1)), "meeting.title_changed", "participant.kicked_out u2")
	running.Status = 1
	s.poll(with(), "participant.left u1", "meeting.ended")
	s.poll(with())
	return s
}

func TestJudgeAcceptsTheTruth(t *testing.T) {
	s := truthful(t)
	v := judge(s.e)
	v.settled(s.e.answers)
	v.whole(s.e.answers, 0, len(s.e.answers))
	if len(v.complaints) > 0 {
		t.Errorf("it complains about the truth:\n%s", strings.Join(v.complaints, "\n"))
	}
	if n := len(v.courses["c.1"].looks); n != 7 {
		t.Errorf("it saw %d polls with events, want 7", n)
	}
}

// TestJudgeAcceptsAnInterruptedPoll has a poll of four events told by half, and the rest
// by the next.
func TestJudgeAcceptsAnInterruptedPoll(t *testing.T) {
	interrupted := func() *story {
		s := newStory(t)
		all := listedMeeting{Title: "T", StartTime: 5, Status: 2}
		s.poll(all, "meeting.started")
		before := s.asked
		all.UserList = []listedPerson{there("u1", 3, 1), there("u2", 3, 1), there("u3", 3, 1), there("u4", 3, 1)}
		s.poll(all, "participant.joined u1", "participant.joined u2", "participant.joined u3", "participant.joined u4")
		s.e.stream = s.e.stream[:len(s.e.stream)-3] // two events, and the record that would follow
		s.e.records = s.e.records[:1]
		s.seq, s.number, s.asked = s.seq-3, s.number-2, before
		s.visits["u3"], s.visits["u4"] = 0, 0
		s.poll(all, "participant.joined u3", "participant.joined u4")
		s.e.sliced = 4
		return s
	}
	s := interrupted()
	v := judge(s.e)
	v.settled(s.e.answers)
	if len(v.complaints) > 0 {
		t.Errorf("it complains about the truth:\n%s", strings.Join(v.complaints, "\n"))
	}
	s = interrupted()
	s.e.sliced = 5
	if len(judge(s.e).complaints) == 0 {
		t.Error("it accepts that a poll which one batch can hold is interrupted")
	}
}

// TestJudgeFinds spoils the truth in one way at a time.
func TestJudgeFinds(t *testing.T) {
	edit := func(old, fresh string) func(*stored) {
		return func(m *stored) { m.data = []byte(strings.Replace(string(m.data), old, fresh, 1)) }
	}
	at := func(e *evidence, subject string, n int, change func(*stored)) int {
		for i := range e.stream {
			if strings.HasSuffix(e.stream[i].subject, subject) {
				if n--; n == 0 {
					change(&e.stream[i])
					return i
				}
			}
		}
		return -1
	}
	nothing := func(*stored) {}
	for name, c := range map[string]struct {
		spoil func(*evidence)
		want  string
	}{
		"a hole": {func(e *evidence) {
			i := at(e, "participant.kicked_out", 1, nothing)
			e.stream = slices.Delete(e.stream, i, i+1)
		}, "follows on sequence"},
		"an event twice": {func(e *evidence) {
			i := at(e, "participant.kicked_out", 1, nothing)
			e.stream = slices.Insert(e.stream, i, e.stream[i])
		}, "is there twice"},
		"swapped": {func(e *evidence) {
			i := at(e, "participant.left", 1, nothing)
			e.stream[i], e.stream[i+1] = e.stream[i+1], e.stream[i]
		}, "follows on sequence"},
		"half a group at the end": {func(e *evidence) {
			i := at(e, "meeting.ended", 1, nothing)
			e.stream = e.stream[:i]
		}, "the last group has 1 of 2"},
		"false person": {func(e *evidence) {
			at(e, "participant.kicked_out", 1, edit("participant.kicked_out", "participant.left"))
		}, "is right"},
		"left without being": {func(e *evidence) { at(e, "participant.joined", 2, edit(`"Key":"u2"`, `"Key":"u1"`)) }, "is present already"},
		"closed twice": {func(e *evidence) {
			at(e, "participant.mic_opened", 2, func(m *stored) { retype(m, "mic_opened", "mic_closed") })
		}, "the device was closed"},
		"device of the absent": {func(e *evidence) {
			at(e, "participant.joined", 3, func(m *stored) { retype(m, "joined", "camera_opened") })
		}, "present is false"},
		"wrong session":  {func(e *evidence) { at(e, "participant.joined", 3, edit(`"Session":2`, `"Session":1`)) }, "after the poll it is"},
		"wrong present":  {func(e *evidence) { at(e, "participant.joined", 3, edit(`"present":2`, `"present":3`)) }, "2 present"},
		"another window": {func(e *evidence) { at(e, "participant.left", 1, edit(`"before":"2026`, `"before":"2025`)) }, "tells of another poll"},
		"torn apart": {func(e *evidence) {
			at(e, "participant.left", 1, func(m *stored) { m.header = map[string][]string{"Nats-Batch-Id": {"x"}} })
		}, "not stored together"},
		"a title untold":    {func(e *evidence) { at(e, "participant.joined", 3, edit(`"title":"T"`, `"title":"U"`)) }, "the title changed: true, told: false"},
		"media untold":      {func(e *evidence) { at(e, "participant.joined", 3, edit(`"code":0`, `"code":2`)) }, "folding gives"},
		"no baseline":       {func(e *evidence) { at(e, "meeting.started", 1, edit("baseline", "observed")) }, "the first look at a meeting is observed"},
		"wrong id":          {func(e *evidence) { at(e, "meeting.started", 1, edit(`"id":"acme/c%2E1`, `"id":"acme/c.1`)) }, "is right"},
		"wrong time":        {func(e *evidence) { at(e, "participant.left", 1, edit(`"time":"2026`, `"time":"2025`)) }, "its time is"},
		"ended too late":    {func(e *evidence) { at(e, "meeting.ended", 1, edit(`"time":"2026`, `"time":"2027`)) }, "out of the window"},
		"ended too early":   {func(e *evidence) { at(e, "meeting.ended", 1, edit(`"time":"2026`, `"time":"2025`)) }, "out of the window"},
		"inverted window":   {func(e *evidence) { at(e, "participant.left", 1, edit(`"after":"2026`, `"after":"2027`)) }, "ends before it begins"},
		"false record":      {func(e *evidence) { spoilRecord(e, 1, `"Mic":"closed"`, `"Mic":"open"`) }, "folding gives"},
		"record in between": {func(e *evidence) { spoilRecord(e, 0, `"sequence":4`, `"sequence":3`) }, "no poll ends with sequence 3"},
		"older record":      {func(e *evidence) { e.records[1], e.records[2] = e.records[2], e.records[1] }, "written by poll"},
		"record left behind": {func(e *evidence) {
			e.records = e.records[:len(e.records)-1]
		}, "the last record has sequence"},
		"never answered": {func(e *evidence) { e.answers[3].says = nil }, "none of the answers"},
		"older after newer": {func(e *evidence) {
			e.answers[2], e.answers[3] = e.answers[3], e.answers[2]
		}, "none of the answers"},
		"answered later": {func(e *evidence) {
			e.answers[3].asked = e.answers[3].asked.Add(time.Minute)
		}, "none of the answers"},
		"answered earlier": {func(e *evidence) {
			e.answers[3].served = e.answers[3].served.Add(-time.Minute)
		}, "none of the answers"},
		"an end of its own": {func(e *evidence) {
			e.answers[7].says = map[string]state{"c.1": e.answers[6].says["c.1"]}
			e.answers[8].says = e.answers[7].says
		}, "1 events meeting.ended, want 0"},
		"an end missed": {func(e *evidence) {
			i := at(e, "meeting.ended", 1, nothing)
			e.stream, e.records = e.stream[:i-1], e.records[:6]
		}, "0 events meeting.ended, want 1"},
		"not settled": {func(e *evidence) {
			e.answers = append(e.answers, answer{says: map[string]state{"c.1": {Title: "more"}}})
		}, "the last answer said"},
		"a poll skipped": {func(e *evidence) {
			e.answers = slices.Insert(e.answers, 5, answer{
				asked: e.answers[5].asked, served: e.answers[5].served, says: map[string]state{"c.1": {Title: "more"}},
			})
		}, "8 states were answered"},
	} {
		t.Run(name, func(t *testing.T) {
			s := truthful(t)
			c.spoil(&s.e)
			v := judge(s.e)
			v.settled(s.e.answers)
			v.whole(s.e.answers, 0, len(s.e.answers))
			if !strings.Contains(strings.Join(v.complaints, "\n"), c.want) {
				t.Errorf("no complaint says %q; they are\n%s", c.want, strings.Join(v.complaints, "\n"))
			}
		})
	}
}

// retype makes an event of another verb, consistently.
func retype(m *stored, from, to string) {
	m.subject = strings.Replace(m.subject, from, to, 1)
	m.data = []byte(strings.Replace(string(m.data), "participant."+from, "participant."+to, 1))
}

func spoilRecord(e *evidence, n int, old, fresh string) {
	e.records[n].data = []byte(strings.Replace(string(e.records[n].data), old, fresh, 1))
}

func TestMergeByTheContract(t *testing.T) {
	got := merge([]listedPerson{
		{UserID: "u", Nick: "b", AttendStatus: 6},
		{UserID: "u", Nick: "a", AttendStatus: 3, MicStatus: 1, CameraStatus: 2},
		{UserID: "u", Nick: "c", AttendStatus: 3, MicStatus: 2},
		{Nick: "G", AttendStatus: 5},
		{Nick: "G", AttendStatus: 1, MicStatus: 2},
		{Nick: "G", AttendStatus: 3},
		{UserID: "anon:G#1", Nick: "x", AttendStatus: 2},
		{UserID: "gone", AttendStatus: 4},
	})
	var words []string
	for _, p := range got {
		words = append(words, fmt.Sprintf("%s %s %s mic %s camera %s", p.Key, p.Nick, p.Attendance, p.Mic, p.Camera))
	}
	want := []string{
		"anon:G#1 G present mic closed camera closed", "anon:G#2 G invited mic closed camera closed",
		"id:anon:G#1 x joining mic closed camera closed", "u c present mic open camera closed",
	}
	if !slices.Equal(words, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(words, "\n"), strings.Join(want, "\n"))
	}
	if s := clip(strings.Repeat("长", 100)); len(s) != 255 {
		t.Errorf("a text of 300 bytes was cut to %d", len(s))
	}
}
