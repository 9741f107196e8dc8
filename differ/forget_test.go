package differ

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// What is read of people after the end names nobody who was forgotten, and shows no more
// than the rules want; the summary that was given stays as it is.
func TestSummariesAreMasked(t *testing.T) {
	at := time.Unix(100, 0).UTC()
	look := func(kind rollcall.SightingKind, n uint64) Look {
		return Look{Tenant: "acme", ConferenceID: "c1", Kind: kind, Number: rollcall.Number{Term: 1, Poll: n}, AskedAt: at, AnsweredAt: at}
	}
	forget := look(rollcall.SightingForgotten, 3)
	forget.Forgotten = "u1"
	record := Diff(Diff(nil, listing(1, rollcall.Entry{UserID: "u1", Nick: "Ann", Attendance: rollcall.AttendancePresent}), Rules{}).Record, look(rollcall.SightingEnded, 2), Rules{}).Record
	forgotten := Diff(record, forget, Rules{}).Record
	people := []rollcall.Attendee{
		{Key: "anon:#1"}, {Key: "anon:Tel#1", Nick: "Tel"}, {Key: "u1", UserID: "u1", Nick: "Ann"}, {Key: "u2", UserID: "u2", Nick: "Bob"},
	}
	for name, c := range map[string]struct {
		record *rollcall.Record
		rules  Rules
		hidden []string
		keys   string
	}{
		"all is kept":        {record, Rules{}, nil, "anon:#1 anon:Tel#1 u1 u2"},
		"somebody forgotten": {forgotten, Rules{}, []string{"u1", "Ann"}, "anon:#1 anon:Tel#1 " + rollcall.Forgotten("acme", "c1", "u1") + " u2"},
		"nicks omitted":      {record, Rules{OmitNicks: true}, []string{"Tel", "Ann", "Bob"}, "anon:#1 anon:#6 u1 u2"},
		"ids not kept": {
			record,
			Rules{Pseudonyms: rollcall.NewPseudonyms([]byte("one"), "acme")},
			[]string{`"u1"`, `"u2"`},
			"anon:#1 anon:Tel#1 p-3406d8-769f9d37118d9d108582324c25 p-3406d8-8037932162cbed2f2138652209",
		},
	} {
		summarized := look(rollcall.SightingSummarized, 4)
		summarized.Tenant, summarized.ConferenceID = c.record.Tenant, c.record.ConferenceID
		summarized.Summary = &rollcall.Summary{Attended: 4, People: append([]rollcall.Attendee{}, people...)}
		events := Diff(c.record, summarized, c.rules).Events
		if len(events) != 1 || events[0].Summary == nil {
			t.Fatalf("%s: told are %q", name, tellAll(events))
		}
		var keys []string
		for _, p := range events[0].Summary.People {
			keys = append(keys, p.Key)
		}
		if got := strings.Join(keys, " "); got != c.keys {
			t.Errorf("%s: keys %q, want %q", name, got, c.keys)
		}
		for _, word := range c.hidden {
			if text := fmt.Sprintf("%q", events[0].Summary.People); strings.Contains(text, word) {
				t.Errorf("%s: %s stands in %s", name, word, text)
			}
		}
		if !reflect.DeepEqual(summarized.Summary.People, people) {
			t.Errorf("%s: what was given is changed", name)
		}
	}
}

// The lines of a list of members say no more than answers do.
func TestMembersAreMasked(t *testing.T) {
	erased := []string{rollcall.Forgotten("acme", "c1", "u1")}
	pseudonyms := rollcall.NewPseudonyms([]byte("one"), "acme")
	for name, c := range map[string]struct {
		rules Rules
		want  []rollcall.Member
	}{
		"somebody forgotten": {Rules{}, []rollcall.Member{{UserID: erased[0]}, {UserID: "u2", Nick: "Bob"}, {Nick: "Tel"}}},
		"nicks omitted":      {Rules{OmitNicks: true}, []rollcall.Member{{UserID: erased[0]}, {UserID: "u2"}, {}}},
		"ids not kept": {
			Rules{Pseudonyms: pseudonyms},
			[]rollcall.Member{{UserID: erased[0]}, {UserID: pseudonyms.Of("u2"), Nick: "Bob"}, {Nick: "Tel"}},
		},
	} {
		members := []rollcall.Member{{UserID: "u1", Nick: "Ann"}, {UserID: "u2", Nick: "Bob"}, {Nick: "Tel"}}
		if got := c.rules.MaskMembers("acme", "c1", erased, members); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
