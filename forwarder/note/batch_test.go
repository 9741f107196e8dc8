package note

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/consume"
)

// meeting makes events of one meeting, look by look.
type meeting struct {
	id       string
	epoch    int64
	sequence uint64
	look     int
	state    rollcall.Conference
}

func newMeeting(id string) *meeting {
	return &meeting{id: id, epoch: 1, state: rollcall.Conference{Title: id, Status: rollcall.StatusStarted, Present: 3}}
}

func lookAt(n int) time.Time {
	return time.Date(2026, time.November, 23, 10, 0, 15*n, 0, time.UTC)
}

// event is what happens at the next look, unless it is told to be of the same one.
func (m *meeting) event(t rollcall.Type, key, nick string, reason rollcall.Reason) consume.Event {
	m.sequence++
	e := rollcall.Event{
		Tenant: "acme", ConferenceID: m.id, Epoch: m.epoch, Sequence: m.sequence, Type: t, Reason: reason,
		Provenance: rollcall.ProvenanceObserved, Meeting: m.state, Index: 1, Count: 1,
		Window: rollcall.Window{After: lookAt(m.look - 1), Before: lookAt(m.look)}, Time: lookAt(m.look),
	}
	if t.Entity() == "participant" {
		e.Participant = &rollcall.Participant{Key: key, Nick: nick}
	}
	return consume.Event{Event: e}
}

// happens adds one change of Ann a look: "joined", "mic_opened"; "+" before it
// is of the same look, and "renamed:X" has her called X.
func happens(b *Batch, m *meeting, changes ...string) {
	nick := "Ann"
	for _, change := range changes {
		same := change[0] == '+'
		if !same {
			m.look++
		}
		t := rollcall.Type("participant." + change)
		if same {
			t = rollcall.Type("participant." + change[1:])
		}
		var name string
		if n, _ := fmt.Sscanf(change, "renamed:%s", &name); n == 1 {
			t, nick = rollcall.ParticipantRenamed, name
		}
		if n, _ := fmt.Sscanf(change, "meeting:%s", &name); n == 1 {
			t = rollcall.Type("meeting." + name)
		}
		b.Add(m.event(t, "ann", nick, ""))
	}
}

// told lists the verbs of the lines, and what went with them.
func told(n Note) []string {
	var verbs []string
	for _, m := range n.Meetings {
		for _, l := range m.Lines {
			verb := l.Type.Verb()
			for _, t := range l.With {
				verb += "+" + t.Verb()
			}
			verbs = append(verbs, verb)
		}
	}
	return verbs
}

func TestWhatUndoesItselfIsNotTold(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []string
		want    []string
	}{
		{"a microphone", []string{"mic_opened", "mic_closed"}, nil},
		{"a camera, closed first", []string{"camera_closed", "camera_opened"}, nil},
		{"three times is once", []string{"mic_opened", "mic_closed", "mic_opened"}, []string{"mic_opened"}},
		{"a short visit", []string{"joined", "left"}, nil},
		{"a lost connection", []string{"left", "joined"}, nil},
		{"called again and back", []string{"left", "invited", "joining", "joined"}, nil},
		{"an invitation that was not meant", []string{"invited", "invitation_lapsed"}, nil},
		{"called and not come", []string{"invited", "joining", "invitation_lapsed"}, nil},
		{"what has passed stays", []string{"invited", "joined"}, []string{"invited", "joined"}},
		{"one of two", []string{"mic_opened", "joined", "mic_closed"}, []string{"joined"}},
		{"a kick", []string{"joined", "kicked_out", "joined"}, []string{"joined", "kicked_out", "joined"}},
		{"a visit after a kick", []string{"kicked_out", "joined", "left"}, []string{"kicked_out"}},
		{"a visit before a kick", []string{"joined", "left", "kicked_out"}, []string{"kicked_out"}},
		{"a refusal", []string{"invited", "declined", "invited"}, []string{"invited", "declined", "invited"}},
		{"not getting in", []string{"joining", "join_failed"}, []string{"joining", "join_failed"}},
		{"an end", []string{"meeting:started", "meeting:ended", "meeting:started"}, []string{"started", "ended", "started"}},
		{"an end between", []string{"joined", "meeting:ended", "left"}, []string{"joined", "ended", "left"}},
		{"the mute button", []string{"meeting:mute_all_enforced", "meeting:mute_all_lifted"}, nil},
		{"hers is not the meeting's", []string{"mic_opened", "meeting:mic_muted"}, []string{"mic_opened", "mic_muted"}},
		{"a new name", []string{"renamed:May"}, []string{"renamed"}},
		{"the latest name", []string{"renamed:May", "renamed:Mey"}, []string{"renamed"}},
		{"renamed there and back", []string{"mic_opened", "renamed:May", "renamed:Ann"}, []string{"mic_opened"}},
		{"twice over", []string{"mic_opened", "renamed:May", "renamed:Mey", "renamed:Ann", "renamed:Mia"}, []string{"mic_opened", "renamed"}},
		{"the same name in the same look says nothing", []string{"mic_opened", "+renamed"}, []string{"mic_opened", "renamed"}},
		{"a departure that this group is not told of", []string{"joined", "joined"}, []string{"joined", "joined"}},
		{"come with the microphone open", []string{"joined", "+mic_opened", "+camera_opened"}, []string{"joined+mic_opened+camera_opened"}},
		{"gone, and what closes is clear", []string{"mic_closed", "+camera_closed", "+left"}, []string{"left+mic_closed+camera_closed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Batch
			happens(&b, newMeeting("c1"), c.changes...)
			n := b.Note("", 100)
			if got := told(n); !slices.Equal(got, c.want) {
				t.Errorf("told %v, want %v", got, c.want)
			}
			checkAccount(t, n, len(c.changes))
		})
	}
}

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// checkAccount holds the law of the account.
func checkAccount(t failer, n Note, events int) {
	t.Helper()
	a := n.Account
	if a.Events != events || a.Events != a.Told+a.Undone+a.Digested+a.Cut {
		t.Errorf("the account of %d events is %+v", events, a)
	}
	if min(a.Told, a.Undone, a.Digested, a.Cut) < 0 {
		t.Errorf("the account is %+v", a)
	}
}

func TestARenamedPersonIsKnownByTheOldName(t *testing.T) {
	var b Batch
	happens(&b, newMeeting("c1"), "mic_opened", "renamed:May", "renamed:Mia")
	if got := b.Note("", 9).Meetings[0].Lines[1]; got.Before != "Ann" || got.Person.Nick != "Mia" {
		t.Errorf("%+v", got)
	}
}

// Another epoch begins anew.
func TestNothingIsUndoneOverEpochs(t *testing.T) {
	var b Batch
	m := newMeeting("c1")
	happens(&b, m, "mic_opened")
	m.epoch, m.sequence = 2, 0
	happens(&b, m, "mic_closed")
	if got := told(b.Note("", 9)); len(got) != 2 {
		t.Error(got)
	}
	m.epoch = 1
	happens(&b, m, "mic_opened")
	checkAccount(t, b.Note("", 9), 2)
}

// With the end everybody leaves: that is one line.
func TestTheEndIsOneLine(t *testing.T) {
	var b Batch
	m := newMeeting("c1")
	for _, key := range []string{"ann", "bob"} {
		b.Add(m.event(rollcall.ParticipantMicClosed, key, key, ""))
		b.Add(m.event(rollcall.ParticipantLeft, key, key, rollcall.ReasonMeetingEnded))
	}
	b.Add(m.event(rollcall.ParticipantInvitationLapsed, "eve", "eve", rollcall.ReasonMeetingEnded))
	b.Add(m.event(rollcall.ParticipantKickedOut, "mal", "mal", ""))
	b.Add(m.event(rollcall.MeetingEnded, "", "", rollcall.ReasonStatus))
	n := b.Note("", 9)
	if got, want := told(n), []string{"kicked_out", "ended+mic_closed+left+mic_closed+left+invitation_lapsed"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	checkAccount(t, n, 7)
	if len(b.Ended()) != 1 {
		t.Error(b.Ended())
	}
}

// What was found is one line, however much it is.
func TestABaselineIsNoFlood(t *testing.T) {
	var b Batch
	m := newMeeting("c1")
	m.state.Present = 300
	found := func(t rollcall.Type, key string) {
		e := m.event(t, key, key, "")
		e.Provenance, e.Window.After = rollcall.ProvenanceBaseline, time.Time{}
		b.Add(e)
	}
	found(rollcall.MeetingStarted, "")
	found(rollcall.ParticipantInvited, "eve")
	for i := range 300 {
		found(rollcall.ParticipantJoined, fmt.Sprint(i))
		found(rollcall.ParticipantMicOpened, fmt.Sprint(i))
	}
	n := b.Note("", 9)
	if f := n.Meetings[0].Found; n.Kind != Found || f.State.Present != 300 || f.Invited != 1 || len(n.Meetings[0].Lines) != 0 {
		t.Errorf("%+v", n)
	}
	checkAccount(t, n, 602)
	happens(&b, m, "left")
	if n = b.Note("", 9); n.Kind != Single || len(n.Meetings[0].Lines) != 1 {
		t.Errorf("%+v", n)
	}
}

// A meeting that was found over has ended, and is not found going on.
func TestFoundEnded(t *testing.T) {
	var b Batch
	e := newMeeting("c1").event(rollcall.MeetingEnded, "", "", rollcall.ReasonStatus)
	e.Provenance = rollcall.ProvenanceBaseline
	b.Add(e)
	if n := b.Note("", 9); n.Kind != Single || n.Meetings[0].Found != nil || len(n.Meetings[0].Lines) != 1 {
		t.Errorf("%+v", n)
	}
}

// In a digest what matters most keeps its line; the rest has numbers.
func TestADigestKeepsWhatMatters(t *testing.T) {
	var b Batch
	for i := range 30 {
		m := newMeeting(fmt.Sprintf("c%02d", i))
		happens(&b, m, "joined", "mic_opened")
		if i%2 == 1 {
			happens(&b, m, "meeting:ended")
		}
		if i == 28 {
			happens(&b, m, "kicked_out")
		}
	}
	n := b.Note("", 5) // ten lines, ten meetings
	got := map[string]int{}
	for _, verb := range told(n) {
		got[verb]++
	}
	if want := map[string]int{"kicked_out": 1, "ended": 9}; !maps.Equal(got, want) || n.Kind != Digest {
		t.Errorf("%s: %v", n.Kind, got)
	}
	if len(n.Meetings) != 10 || n.Others.Meetings != 20 || n.Others.Counts[rollcall.MeetingEnded] != 6 {
		t.Errorf("%d meetings, others %+v", len(n.Meetings), n.Others)
	}
	checkAccount(t, n, 76)
}

func watchEvent(shard int, sequence uint64, t rollcall.Type) rollcall.WatchEvent {
	return rollcall.WatchEvent{
		Tenant: "acme", Shard: shard, Shards: 2, Epoch: 1, Sequence: sequence, Type: t, Reason: rollcall.ReasonThrottled,
		Provenance: rollcall.ProvenanceObserved, Window: rollcall.Window{After: lookAt(0), Before: lookAt(int(sequence))},
	}
}

func TestTheWatchIsTold(t *testing.T) {
	var b Batch
	b.AddWatch(watchEvent(0, 1, rollcall.WatchLost))
	b.AddWatch(watchEvent(0, 1, rollcall.WatchLost)) // a repetition
	b.AddWatch(watchEvent(1, 1, rollcall.WatchLost))
	n := b.Note("", 9)
	if len(n.Watches) != 1 || n.Watches[0].Shards != 2 || n.Watches[0].Resumed {
		t.Errorf("%+v", n.Watches)
	}
	checkAccount(t, n, 2)
	b.AddWatch(watchEvent(1, 2, rollcall.WatchResumed))
	if n = b.Note("", 9); len(n.Watches) != 2 || !n.Watches[1].Resumed {
		t.Errorf("%+v", n.Watches)
	}
	for sequence := uint64(3); sequence < 1000; sequence += 2 {
		b.AddWatch(watchEvent(1, sequence, rollcall.WatchLost))
		b.AddWatch(watchEvent(1, sequence+1, rollcall.WatchResumed))
	}
	n = b.Note("", 9)
	checkAccount(t, n, 3+998)
	if len(n.Watches) > maxWatches {
		t.Error(len(n.Watches))
	}
}

// A batch stays small, and accounts for everything, whatever comes.
func TestAHugeBatchIsCounted(t *testing.T) {
	var b Batch
	const meetings, people = 700, 100
	for i := range meetings {
		m := newMeeting(fmt.Sprint(i))
		for p := range people {
			m.look++
			b.Add(m.event(rollcall.ParticipantJoined, fmt.Sprint(p), "", ""))
			b.Add(m.event(rollcall.ParticipantKickedOut, fmt.Sprint(p), "", ""))
			if b.held > maxHeld {
				t.Fatal(b.held)
			}
		}
	}
	n := b.Note("", 9)
	checkAccount(t, n, 2*meetings*people)
	all := 0
	for _, m := range n.Meetings {
		all += m.Counts[rollcall.ParticipantKickedOut]
		for _, l := range m.Lines {
			if l.Type == rollcall.ParticipantKickedOut {
				all++
			}
		}
	}
	if all += n.Others.Counts[rollcall.ParticipantKickedOut]; all != meetings*people || len(n.Meetings)+n.Others.Meetings != meetings {
		t.Errorf("%d kicks are told, in %d and %d meetings", all, len(n.Meetings), n.Others.Meetings)
	}
}

// Flapping for hours takes no room.
func TestFlappingTakesNoRoom(t *testing.T) {
	var b Batch
	m := newMeeting("c1")
	happens(&b, m, "joined")
	for range 20000 {
		happens(&b, m, "mic_opened", "mic_closed")
	}
	if n := len(b.order[0].items); n > 100 {
		t.Error(n)
	}
	n := b.Note("", 9)
	checkAccount(t, n, 40001)
	if len(told(n)) != 1 {
		t.Error(told(n))
	}
}

// someEvents draws any sequence of events of three meetings.
func someEvents(t *rapid.T) []consume.Event {
	types := append(rollcall.Types(), "meeting.recorded", "participant.hand_raised")
	meetings := []*meeting{newMeeting("a"), newMeeting("b"), newMeeting("c")}
	events := make([]consume.Event, 0, 60)
	for range rapid.IntRange(0, 60).Draw(t, "events") {
		m := rapid.SampledFrom(meetings).Draw(t, "meeting")
		if rapid.IntRange(0, 2).Draw(t, "next") > 0 {
			m.look++
		}
		if rapid.IntRange(0, 30).Draw(t, "anew") == 0 {
			m.epoch, m.sequence = m.epoch+1, 0
		}
		kind := rapid.SampledFrom(types).Draw(t, "type")
		m.state.Title = rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "title")
		who := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "key")
		e := m.event(kind, who, rapid.SampledFrom([]string{"", "X", "Y"}).Draw(t, "nick"), rapid.SampledFrom(rollcall.Reasons(kind)).Draw(t, "reason"))
		e.Provenance = rapid.SampledFrom(rollcall.Provenances()).Draw(t, "provenance")
		events = append(events, e)
		if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
			events = append(events, e)
		}
	}
	return events
}

func kindsAndNone() []Kind { return append(Kinds(), "") }

// Whatever happens: every event is accounted for, kicks, ends and refusals are
// never undone, the note is the same each time, and what is told leads to
// where the events lead.
func TestTheLawsOfABatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := someEvents(t)
		kind, room := rapid.SampledFrom(kindsAndNone()).Draw(t, "kind"), rapid.IntRange(0, 12).Draw(t, "lines")
		var b, again Batch
		for _, e := range events {
			b.Add(e)
			again.Add(e)
			again.Note(kind, room) // looking changes nothing
		}
		n := b.Note(kind, room)
		if diff := cmp.Diff(n, again.Note(kind, room)); diff != "" {
			t.Errorf("the same events make another note: %s", diff)
		}
		seen := map[string]bool{}
		events = slices.DeleteFunc(events, func(e consume.Event) bool {
			id := fmt.Sprint(e.ConferenceID, e.Epoch, e.Sequence)
			defer func() { seen[id] = true }()
			return seen[id]
		})
		checkAccount(t, n, len(events))
		checkNeverUndone(t, events, n)
		checkDestination(t, events, b.Note("", 1000))
	})
}

func checkNeverUndone(t *rapid.T, events []consume.Event, n Note) {
	for _, kind := range []rollcall.Type{
		rollcall.ParticipantKickedOut, rollcall.MeetingEnded, rollcall.MeetingUntracked, rollcall.ParticipantDeclined, "meeting.recorded",
	} {
		happened, shown := 0, n.Others.Counts[kind]
		for _, e := range events {
			if e.Type == kind && (over(kind) || !e.AsFound()) {
				happened++
			}
		}
		for _, m := range n.Meetings {
			shown += m.Counts[kind]
			for _, l := range m.Lines {
				if l.Type == kind {
					shown++
				}
			}
		}
		if shown != happened {
			t.Errorf("%s happened %d times and is told %d times", kind, happened, shown)
		}
	}
}

// checkDestination holds that what is told leads to where the events lead: of
// each person's microphone as many openings more than closings.
func checkDestination(t *rapid.T, events []consume.Event, n Note) {
	balance := map[string]int{}
	turn := func(id string, k rollcall.Type, by int) {
		switch k {
		case rollcall.ParticipantMicOpened:
			balance[id] += by
		case rollcall.ParticipantMicClosed:
			balance[id] -= by
		}
	}
	for _, e := range events {
		if !e.AsFound() {
			turn(e.ConferenceID, e.Type, 1)
		}
	}
	for _, m := range n.Meetings {
		for _, l := range m.Lines {
			for _, k := range append([]rollcall.Type{l.Type}, l.With...) {
				turn(m.ConferenceID, k, -1)
			}
		}
	}
	for id, more := range balance {
		if more != 0 {
			t.Errorf("%s: the lines miss %d openings", id, more)
		}
	}
}
