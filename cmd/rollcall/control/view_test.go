package control

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/contracttest"
	"rollcall/internal/fulltest"
	"rollcall/wire"
	"rollcall/worker"
)

// What is said of a meeting and its people is, byte for byte, what the stored
// record says.
func TestAnswersSayWhatTheRecordSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rollcall.Conference{
			Title: rapid.String().Draw(t, "title"), StartTime: time.UnixMilli(rapid.Int64Range(0, 1<<41).Draw(t, "start")).UTC(),
			Status: rollcall.Status(rapid.IntRange(0, 3).Draw(t, "status")), Media: rollcall.Media(rapid.Int64().Draw(t, "media")),
			Present: rapid.IntRange(0, 9).Draw(t, "present"),
		}
		p := rollcall.Participant{
			Key: rapid.String().Draw(t, "key"), UserID: "u", Nick: rapid.String().Draw(t, "nick"),
			Attendance: rollcall.Attendance(rapid.IntRange(0, 6).Draw(t, "attendance")),
			Mic:        rollcall.Device(rapid.IntRange(0, 2).Draw(t, "mic")), Camera: rollcall.Device(rapid.IntRange(0, 2).Draw(t, "camera")),
			RejectDescription: "no", Session: 3,
		}
		same(t, MeetingOf(&c), wire.AppendMeeting(nil, &c))
		same(t, RosterOf([]rollcall.Participant{p})[0], wire.AppendParticipant(nil, &p))
	})
}

// Nor is a field left out that is added later.
func TestEveryFieldOfARecordIsAnswered(t *testing.T) {
	r := fulltest.Record()
	same(t, MeetingOf(&r.Meeting), wire.AppendMeeting(nil, &r.Meeting))
	same(t, RosterOf(r.Roster)[0], wire.AppendParticipant(nil, &r.Roster[0]))
}

func same(t rapid.TB, got any, want []byte) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil || string(text) != string(want) {
		t.Fatalf("got %s, %v\nwant %s", text, err, want)
	}
}

func TestTheShapeOfAnswers(t *testing.T) {
	schemas := contracttest.Load(t)
	at := time.Date(2026, 11, 23, 9, 15, 0, 250e6, time.UTC)
	record := &rollcall.Record{
		Epoch: 1700000000000, Sequence: 4, ObservedAt: at,
		Meeting: rollcall.Conference{Title: "Weekly", Status: rollcall.StatusStarted},
	}
	view := worker.View{ConferenceID: "c1", Tracked: true, Source: "api", Since: at, AskedAt: at, Record: record}
	const inner = `"conferenceId":"c1","tracked":true,"source":"api","since":"2026-11-23T09:15:00.250Z","askedAt":"2026-11-23T09:15:00.250Z","trouble":"",` +
		`"record":{"epoch":1700000000000,"sequence":4,"observedAt":"2026-11-23T09:15:00.250Z",` +
		`"meeting":{"title":"Weekly","startTime":null,"status":"started","media":{"micMuted":false,"cameraClosed":false,"muteAll":false,"code":0},"present":0}`
	missed := worker.View{ConferenceID: "c2", Tracked: true, Since: at, Record: &rollcall.Record{Misses: 2}}
	gone := worker.View{ConferenceID: "c3", Source: "api", Since: at}
	for want, answer := range map[string]any{
		`{"schema":1,"tenant":"acme",` + inner + `,"roster":[]}}`: meeting("acme", view),
		`{"schema":1,"tenant":"acme","meetings":[{` + inner + `}}],"incomplete":false,"next":""}`: List{
			Schema: Schema, Tenant: "acme", Meetings: []State{stateOf(view)},
		},
		`{"conferenceId":"c2","tracked":true,"source":"","since":"2026-11-23T09:15:00.250Z","askedAt":null,` +
			`"trouble":"DingTalk does not know the meeting (said 2 times in a row)","record":null}`: stateOf(missed),
		`{"conferenceId":"c3","tracked":false,"source":"","since":null,"askedAt":null,"trouble":"","record":null}`: stateOf(gone),
	} {
		got, err := json.Marshal(answer)
		if err != nil || string(got) != want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
		switch answer.(type) {
		case Meeting:
			err = schemas.Check("api.show.answer", got)
		case List:
			err = schemas.Check("api.list.answer", got)
		}
		if err != nil {
			t.Error(err)
		}
	}
	for verb, wanted := range map[string]request{
		"track": {ConferenceID: "c1", Labels: &rollcall.Labels{"team": "blue"}}, "untrack": {ConferenceID: "c1"}, "show": {ConferenceID: "c1"}, "list": {},
	} {
		if data, err := json.Marshal(wanted); err != nil || schemas.Check("api."+verb+".request", data) != nil {
			t.Errorf("%s: %v, %v", verb, err, schemas.Check("api."+verb+".request", data))
		}
	}
	refused := apiError(BadRequest, "no")
	if err := schemas.Check("api.error", refused.reply().body); err != nil {
		t.Error(err)
	}
}
