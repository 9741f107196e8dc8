package differ

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/fulltest"
)

// A field that an entry or a participant gets later has to be thought of in more
// than one place. What fails here names the field, and the place.

// values are what a test tries in each field of a struct.
type values map[string][]any

func (v values) of(owner reflect.Type, f reflect.StructField) []any {
	if len(v[f.Name]) == 0 {
		panic(fmt.Sprintf("%s of %s is never drawn here: say which values it takes", f.Name, owner))
	}
	return v[f.Name]
}

// draw makes a struct with one of the values in each field.
func draw[T any](c choices, from values) (drawn T) {
	v := reflect.ValueOf(&drawn).Elem()
	for f, field := range v.Fields() {
		field.Set(reflect.ValueOf(pick(c, from.of(v.Type(), f)...)))
	}
	return drawn
}

// every makes all that draw can make.
func every[T any](from values) []T {
	all := make([]T, 1)
	for f := range reflect.TypeFor[T]().Fields() {
		var longer []T
		for _, one := range all {
			for _, value := range from.of(reflect.TypeFor[T](), f) {
				reflect.ValueOf(&one).Elem().FieldByIndex(f.Index).Set(reflect.ValueOf(value))
				longer = append(longer, one)
			}
		}
		all = longer
	}
	return all
}

// upTo returns the values of a type of a few, from what is not said to the last.
func upTo[V ~uint8](last V) (all []any) {
	for v := range last + 1 {
		all = append(all, v)
	}
	return all
}

// listing is the n-th look, at a list of these.
func listing(n int, entries ...rollcall.Entry) Look {
	at := time.Unix(int64(100+10*n), 0).UTC()
	return Look{
		Tenant: "acme", ConferenceID: "c", Kind: rollcall.SightingListed, AskedAt: at, AnsweredAt: at,
		Number: rollcall.Number{Term: 1, Poll: uint64(n)},
		Answer: &rollcall.Answer{Status: rollcall.StatusStarted, Listed: true, Entries: entries},
	}
}

// eachField runs a test with an entry that says everything, and one that leaves a
// field unsaid.
func eachField(t *testing.T, test func(t *testing.T, field string, full, without rollcall.Entry)) {
	for f := range reflect.TypeFor[rollcall.Entry]().Fields() {
		t.Run(f.Name, func(t *testing.T) {
			without := fulltest.Entry()
			reflect.ValueOf(&without).Elem().FieldByIndex(f.Index).SetZero()
			test(t, f.Name, fulltest.Entry(), without)
		})
	}
}

func TestEveryFieldOfAnEntryIsRanked(t *testing.T) {
	eachField(t, func(t *testing.T, field string, full, without rollcall.Entry) {
		a, b := line{key: KeyOf(full.UserID), entry: &full}, line{key: KeyOf(without.UserID), entry: &without}
		if one, other := compareLines(a, b), compareLines(b, a); one == 0 || one != -other {
			t.Errorf("of entries that differ in %s alone none comes first: compareEntries (merge.go) has to rank it", field)
		}
	})
}

// What is said anew is told, and the laws hold meanwhile.
func TestEveryFieldOfAnEntryIsTold(t *testing.T) {
	untold := []string{"RejectDescription"} // of who is present there is none
	eachField(t, func(t *testing.T, field string, full, without rollcall.Entry) {
		var record *rollcall.Record
		for i, entries := range [][]rollcall.Entry{{without}, {full}, {without, full}, {without}} {
			p, err := lawful(record, listing(i, entries...), Rules{})
			if told := len(p.res.Events) > 0; i == 1 && told == slices.Contains(untold, field) {
				t.Errorf("that %s alone is new is told: %v; unmoved (read.go) has to see it, stand (person.go) to take it over, a rule to tell it", field, told)
			}
			if err != nil {
				t.Fatalf("list %d, with and without %s: %v", i, field, err)
			}
			record = p.res.Record
		}
	})
}

// What one of a person's entries has open is open, whatever another leaves unsaid.
func TestEveryFieldOfAnEntryIsWeighed(t *testing.T) {
	shut, states := fulltest.Entry(), []reflect.StructField{}
	for f, state := range reflect.ValueOf(&shut).Elem().Fields() {
		if state.Kind() == reflect.Uint8 && f.Name != "Attendance" {
			state.SetUint(3 - state.Uint()) // of three states that which is neither unsaid nor open
			states = append(states, f)
		}
	}
	with := func(f reflect.StructField, from rollcall.Entry) rollcall.Entry {
		e := shut
		reflect.ValueOf(&e).Elem().FieldByIndex(f.Index).Set(reflect.ValueOf(from).FieldByIndex(f.Index))
		return e
	}
	before := Diff(nil, listing(1, shut), Rules{}).Record
	for _, f := range states {
		open := with(f, fulltest.Entry())
		want := someone(t, Diff(before, listing(2, open), Rules{}).Record)
		for _, other := range states {
			unsaid := with(other, rollcall.Entry{})
			if got := someone(t, Diff(before, listing(2, open, unsaid), Rules{}).Record); f.Name != other.Name && got != want {
				t.Errorf("%s of one entry is lost where another leaves %s unsaid: weigh (merge.go) has to rank it", f.Name, other.Name)
			}
		}
	}
}

// Of somebody who was there no more remains than of somebody who never was, but
// how often that was; and not even this where it is not told yet.
func TestNoFieldOfAPresenceOutlastsIt(t *testing.T) {
	full := fulltest.Entry()
	there := Diff(nil, listing(1, full), Rules{}).Record
	for f, field := range reflect.ValueOf(there.Roster[0]).Fields() {
		if field.IsZero() && f.Name != "RejectDescription" && f.Name != "Roles" { // which no entry tells

			t.Errorf("somebody who is present has no %s: stand (person.go) has to take it over", f.Name)
		}
	}
	for _, code := range upTo(rollcall.AttendanceLeft)[1:] {
		if code == rollcall.AttendancePresent {
			continue
		}
		e := rollcall.Entry{UserID: full.UserID, Nick: full.Nick, Attendance: code.(rollcall.Attendance)}
		never := someone(t, Diff(nil, listing(2, e), Rules{}).Record)
		never.Session = 1
		sameState(t, "setAttendance (person.go)", someone(t, Diff(there, listing(2, e), Rules{}).Record), never)
	}
	left := rollcall.Entry{UserID: full.UserID, Attendance: rollcall.AttendanceLeft}
	both := listing(1, full, left)
	res := Diff(Diff(nil, both, Rules{}).Record, both, Rules{OmitNicks: true})
	sameState(t, "sliceAnew (omit.go)", someone(t, res.Slice(nil, 0)), someone(t, Diff(nil, listing(1, left), Rules{}).Record))
}

// someone returns the only person of a record.
func someone(t *testing.T, r *rollcall.Record) rollcall.Participant {
	t.Helper()
	people := everybody(r)
	if len(people) != 1 {
		t.Fatalf("want one person, got %+v", people)
	}
	return people[0]
}

func sameState(t *testing.T, place string, got, want rollcall.Participant) {
	t.Helper()
	for f, field := range reflect.ValueOf(got).Fields() {
		if wanted := reflect.ValueOf(want).FieldByIndex(f.Index); !field.Equal(wanted) {
			t.Errorf("%s of somebody present outlasts it for one who is %s: %v, want %v; %s has to reset it", f.Name, want.Attendance, field, wanted, place)
		}
	}
}

// Two people without a user id get the numbers, when their nicks are omitted, that
// the same list gives them.
func TestEveryFieldOfAnEntryNumbersTheNameless(t *testing.T) {
	eachField(t, func(t *testing.T, field string, full, without rollcall.Entry) {
		for _, nicks := range [][2]string{{"A", "B"}, {"B", "A"}} {
			full.UserID, full.Nick, without.UserID, without.Nick = "", nicks[0], "", nicks[1]
			look := listing(1, full, without)
			res := Diff(Diff(nil, look, Rules{}).Record, look, Rules{OmitNicks: true})
			if rest := res.Events[len(res.anew.Events):]; len(rest) > 0 {
				t.Errorf("the same list tells %q of two who differ in %s: renumbered (omit.go) has to rank it", tellAll(rest), field)
			}
		}
	})
}
