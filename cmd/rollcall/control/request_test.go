package control

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeRequest(t *testing.T) {
	for _, c := range []struct {
		verb, data, id, after string
	}{
		{verbTrack, `{"conferenceId":"c1"}`, "c1", ""},
		{verbShow, " {\n\"conferenceId\" : \"会议 > * . \\u0000\" } ", "会议 > * . \x00", ""},
		{verbUntrack, `{"conferenceId":"` + strings.Repeat("x", 256) + `"}`, strings.Repeat("x", 256), ""},
		{verbList, ``, "", ""},
		{verbList, "\n", "", ""},
		{verbList, `{}`, "", ""},
		{verbList, `{"after":"c1"}`, "", "c1"},
	} {
		got, err := decodeRequest(c.verb, []byte(c.data))
		if err != nil || got.ConferenceID != c.id || got.After != c.after {
			t.Errorf("%s %s: %+v, %v", c.verb, c.data, got, err)
		}
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	for _, c := range []struct {
		verb, data, want string
	}{
		{verbTrack, ``, "no JSON object"},
		{verbTrack, `garbage`, "no JSON object"},
		{verbTrack, `null`, "no JSON object"},
		{verbTrack, `["c1"]`, "no JSON object"},
		{verbTrack, `{}`, "not 0"},
		{verbTrack, `{"conferenceId":""}`, "not 0"},
		{verbTrack, `{"conferenceId":"` + strings.Repeat("x", 257) + `"}`, "not 257"},
		{verbTrack, `{"conferenceId":7}`, "no string"},
		{verbTrack, `{"conferenceId":null}`, "no string"},
		{verbTrack, `{"conferenceId":["c1"]}`, "no string"},
		{verbTrack, `{"conferenceId":{"conferenceId":"c1"}}`, "no string"},
		{verbTrack, `{"conferenceid":"c1"}`, `it has "conferenceid"`},
		{verbTrack, `{"conferenceId":"c1","force":true}`, `it has "force"`},
		{verbTrack, `{"conferenceId":"c1","conferenceId":"c2"}`, "once"},
		{verbTrack, `{"conferenceId":"c1"} {}`, "follows"},
		{verbTrack, `{"conferenceId":"c1"`, "no valid JSON"},
		{verbTrack, `{"conferenceId":"\ud800"}`, "broken characters"},
		{verbTrack, "{\"conferenceId\":\"\xff\"}", "not UTF-8"},
		{verbTrack, `{"` + "\x1b" + `":"x"}`, "no valid JSON"},
		{verbTrack, `{"\u001b[2J":"x"}`, `\\x1b[2J`},
		{verbTrack, `{"conferenceId":"c1"}` + strings.Repeat(" ", MaxRequest), "at most 4096"},
		{verbList, `null`, "no JSON object"},
		{verbList, `{"conferenceId":"c1"}`, `it has "conferenceId"`},
		{verbList, `{"after":1}`, "no string"},
	} {
		got, err := decodeRequest(c.verb, []byte(c.data))
		if err == nil || !strings.Contains(err.Error(), c.want) || got != (request{}) {
			t.Errorf("%s %s: %+v, %v, want %q", c.verb, c.data, got, err, c.want)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{`{"conferenceId":"c1"}`, `{"after":"c1"}`, `{}`, ``, `{"conferenceId":"\ud800"}`, `[[[[`, `{"conferenceId":"a","conferenceId":"b"}`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, data string, listed bool) {
		verb := verbTrack
		if listed {
			verb = verbList
		}
		got, err := decodeRequest(verb, []byte(data))
		if err != nil {
			if got != (request{}) || !utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("%q: %+v, %q", data, got, err)
			}
			return
		}
		if !listed && (got.ConferenceID == "" || len(got.ConferenceID) > 256 || strings.Contains(data, "force")) && !strings.Contains(got.ConferenceID, "force") {
			t.Fatalf("%q was read as %+v", data, got)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeRequest(verb, again); err != nil || back != got {
			t.Fatalf("%q: %+v came back as %+v, %v", data, got, back, err)
		}
	})
}
