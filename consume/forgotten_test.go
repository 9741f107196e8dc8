package consume_test

import (
	"strings"
	"testing"

	"rollcall"
	"rollcall/consume"
	"rollcall/differ"
	"rollcall/wire"
)

// Who is forgotten stays where they are, under another key and without a name: in
// the roster, and in all visits of every epoch.
func TestForgottenPeopleHaveNoName(t *testing.T) {
	var a consume.Attendance
	record, _ := attended(t, &a, nil, present("ann", "bob"), present("bob"), present("ann", "*bob"), nil)
	record, last := attended(t, &a, record, present("ann", "bob"))
	roster := consume.RosterOf(record)
	result := differ.Diff(record, differ.Look{
		Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingForgotten, Forgotten: "ann",
		Number: rollcall.Number{Term: 2, Poll: 1}, AskedAt: last, AnsweredAt: last,
	}, differ.Rules{})
	for i := range result.Events {
		data := wire.AppendEvent(nil, &result.Events[i])
		if strings.Contains(string(data), `"ann"`) {
			t.Errorf("the event names who is forgotten: %s", data)
		}
		e, err := consume.Parse(data)
		if err == nil {
			_, err = roster.Apply(e)
		}
		if err == nil {
			_, err = a.Apply(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	as := rollcall.Forgotten("acme", "c1", "ann")
	if p, ok := roster.Person(as); !ok || p.Nick != "" || p.UserID != as || p.Attendance != rollcall.AttendancePresent || len(roster.People()) != 2 {
		t.Errorf("in the roster stand %+v", roster.People())
	}
	_, last = attended(t, &a, result.Record, present("bob"))
	visits := map[string]int{}
	for _, v := range a.Visits(last) {
		if visits[v.Key]++; v.Key != "bob" && (v.Key != as || v.UserID != as || v.Nick != "" || v.How == "") {
			t.Errorf("a visit of who is forgotten, and has left: %+v", v)
		}
	}
	if visits[as] != 2 {
		t.Errorf("visits: %v", visits)
	}
}
