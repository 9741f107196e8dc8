package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
	"rollcall/consume"
	"rollcall/wire"
)

// reference is what a right program knows, of the meetings of one rule.
type reference struct{ meetings map[string]*known }

// known is what a right program knows of one meeting.
type known struct {
	roster  *consume.Roster
	missing bool // events are, since the last record
	read    bool // a record was, so that nobody can say how many joined
	joined  int
}

// answer is what a program says.
type answer struct {
	Rosters map[string][]map[string]any `json:"rosters"`
	Gaps    []string                    `json:"gaps"`
	Joined  map[string]int              `json:"joined"`
}

// judge plays the lines to the reference too, and compares what the program said then.
func (r *reference) judge(lines [][]byte, said []byte, rule rule) error {
	for _, line := range lines {
		if err := r.apply(line); err != nil {
			return err
		}
	}
	var got answer
	if err := json.Unmarshal(said, &got); err != nil {
		return breachf("its answer is not the JSON that is asked for (%v): %.200q", err, said)
	}
	if got.Rosters == nil {
		return breachf("its answer has no rosters: %.200q", said)
	}
	for _, name := range slices.Sorted(maps.Keys(r.meetings)) {
		if err := r.meetings[name].compare(name, got, rule.joined); err != nil {
			return err
		}
	}
	for name, people := range got.Rosters {
		if r.meetings[name] == nil && len(people) > 0 && strings.HasPrefix(name, rule.tenant+"/") {
			return breachf("%s has a roster, and there is no such meeting", name)
		}
	}
	for _, name := range got.Gaps {
		if r.meetings[name] == nil && strings.HasPrefix(name, rule.tenant+"/") {
			return breachf("its gaps name %s, and there is no such meeting", name)
		}
	}
	return nil
}

// apply folds an event or a record.
func (r *reference) apply(line []byte) error {
	if inner, ok := bytes.CutPrefix(line, []byte(`{"record":`)); ok {
		record, err := wire.DecodeRecord(inner[:len(inner)-1])
		if err == nil && record.Partial == nil {
			m := r.of(record.Tenant, record.ConferenceID)
			m.roster, m.missing, m.read = consume.RosterOf(record), false, true
		}
		return err
	}
	e, err := consume.Parse(line)
	if errors.Is(err, consume.ErrNewer) {
		return nil
	}
	if err != nil {
		return err
	}
	if e.ConferenceID == "" {
		return nil // it is of a whole tenant
	}
	m := r.of(e.Tenant, e.ConferenceID)
	change, err := m.roster.Apply(e)
	switch {
	case err != nil:
		m.missing = true
	case change == consume.Anew:
		m.missing = false
	}
	if change != consume.Repeated && e.Type == rollcall.ParticipantJoined && !e.AsFound() {
		m.joined++
	}
	return nil
}

func (r *reference) of(tenant, id string) *known {
	name := tenant + "/" + id
	if r.meetings == nil {
		r.meetings = map[string]*known{}
	}
	if r.meetings[name] == nil {
		r.meetings[name] = &known{roster: &consume.Roster{}}
	}
	return r.meetings[name]
}

// compare says how the answer about the meeting differs from what is known.
func (m *known) compare(name string, got answer, joined bool) error {
	said := slices.Contains(got.Gaps, name)
	switch {
	case m.missing && said:
		return nil
	case m.missing:
		return breachf("events of %s are missing, and its gaps do not name it", name)
	case said:
		return breachf("its gaps name %s, of which no event is missing", name)
	case joined && !m.read && got.Joined[name] != m.joined:
		return breachf("it has seen %d join %s, and %d did", got.Joined[name], name, m.joined)
	}
	people := map[string]map[string]any{}
	for _, p := range got.Rosters[name] {
		key, _ := p["key"].(string)
		if people[key] != nil || key == "" {
			return breachf("the roster of %s has somebody twice, or without a key: %q", name, key)
		}
		people[key] = p
	}
	for _, p := range m.roster.People() {
		if people[p.Key] == nil {
			return breachf("the roster of %s lacks %s, who is %s", name, p.Key, p.Attendance)
		}
		if err := compare(name, p, people[p.Key]); err != nil {
			return err
		}
		delete(people, p.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(people)) {
		return breachf("the roster of %s has %s, who is not in it", name, key)
	}
	return nil
}

// compare says what the program has wrong about somebody. Of what stands in a
// roster beside key and attendance it may leave out what it does not keep.
func compare(meeting string, person rollcall.Participant, got map[string]any) error {
	var want map[string]any
	if err := json.Unmarshal(wire.AppendParticipant(nil, &person), &want); err != nil {
		return fmt.Errorf("make the answer about %s: %w", person.Key, err)
	}
	for _, member := range slices.Sorted(maps.Keys(want)) {
		has, ok := got[member]
		if ok && fmt.Sprint(has) != fmt.Sprint(want[member]) || !ok && member == "attendance" {
			return breachf("in the roster of %s %s of %s is %q, and not %q", meeting, member, person.Key, fmt.Sprint(has), fmt.Sprint(want[member]))
		}
	}
	return nil
}
