package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"rollcall"
	"rollcall/wire"
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

// seventeen are one label too many.
func seventeen() string {
	labels := rollcall.Labels{}
	for i := range rollcall.MaxLabels + 1 {
		labels[fmt.Sprint("k", i)] = "v"
	}
	return string(wire.AppendLabels(nil, labels))
}

// Every label that can be fits into a request, also where all of it is escaped.
func TestTheLargestLabelsFit(t *testing.T) {
	labels := rollcall.Labels{}
	for i := range rollcall.MaxLabels {
		labels[fmt.Sprintf("%063d", i)] = strings.Repeat("\x01", rollcall.MaxLabelValue)
	}
	data, err := json.Marshal(request{ConferenceID: strings.Repeat("\x01", rollcall.MaxID), Labels: &labels})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeRequest(verbTrack, data)
	if err != nil || !maps.Equal(got.labels(), labels) {
		t.Errorf("%d bytes: %v, %v", len(data), got.Labels, err)
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
		{verbTrack, `{"conferenceId":"c1","labels":null}`, `"labels" is no object of strings`},
		{verbTrack, `{"conferenceId":"c1","labels":["a"]}`, `"labels" is no object of strings`},
		{verbTrack, `{"conferenceId":"c1","labels":{"team":7}}`, `"labels.team" is no string`},
		{verbTrack, `{"conferenceId":"c1","labels":{"team":"a","team":"b"}}`, `"team" twice`},
		{verbTrack, `{"conferenceId":"c1","labels":{"Team":"a"}}`, `"Team"`},
		{verbTrack, `{"conferenceId":"c1","labels":{"team":"` + strings.Repeat("x", 257) + `"}}`, `"team" has 257 bytes`},
		{verbTrack, `{"conferenceId":"c1","labels":{"` + strings.Repeat("x", 64) + `":""}}`, "1 to 63"},
		{verbTrack, `{"conferenceId":"c1","labels":` + seventeen() + `}`, "17 labels"},
		{verbTrack, `{"labels":{}}`, "not 0"},
		{verbShow, `{"conferenceId":"c1","labels":{}}`, `it has "labels"`},
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
		{verbTrack, `{"conferenceId":"c1"}` + strings.Repeat(" ", MaxRequest), "at most 32768"},
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
