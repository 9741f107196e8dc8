package consume_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/consume"
	"rollcall/differ"
	"rollcall/wire"
)

// events are those of some polls of one meeting, as they stand on the bus, and
// the roster that they lead to.
func events(seed uint64, polls int) (data [][]byte, roster []rollcall.Participant) {
	w := &offline{}
	random := rand.New(rand.NewPCG(seed, 0))
	for range polls {
		data = append(data, w.poll(crowd(random))...)
	}
	return data, w.record.Roster
}

// offline compares answers without storing anything.
type offline struct {
	record *rollcall.Record
	polls  uint64
}

func (w *offline) poll(a *rollcall.Answer) (data [][]byte) {
	w.polls++
	at := start.Add(15 * second * duration(w.polls))
	result := differ.Diff(w.record, differ.Look{
		Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: a,
		Number: rollcall.Number{Term: 1, Poll: w.polls}, AskedAt: at, AnsweredAt: at.Add(second),
	}, differ.Rules{})
	w.record = result.Record
	for i := range result.Events {
		data = append(data, wire.AppendEvent(nil, &result.Events[i]))
	}
	return data
}

func apply(t interface{ Fatal(...any) }, r *consume.Roster, data []byte) consume.Change {
	e, err := consume.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	change, err := r.Apply(e)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

// The fold gives the roster of the record, whatever comes twice on the way.
func TestRosterIsThatOfTheRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data, want := events(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 12).Draw(t, "polls"))
		var r consume.Roster
		for i := range data {
			apply(t, &r, data[i])
			again := rapid.IntRange(0, i).Draw(t, "again")
			if change := apply(t, &r, data[again]); change != consume.Repeated {
				t.Fatalf("event %d applied again after event %d: %v", again, i, change)
			}
		}
		if diff := cmp.Diff(want, slices.Clone(r.People())); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAGapIsNamedAndChangesNothing(t *testing.T) {
	data, _ := events(1, 4)
	var r consume.Roster
	apply(t, &r, data[0])
	before := slices.Clone(r.People())
	e, err := consume.Parse(data[2])
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Apply(e)
	gap, ok := errors.AsType[*consume.GapError](err)
	if !ok || gap.Want != 2 || gap.Got != 3 || gap.ConferenceID != "c1" || gap.Tenant != "acme" {
		t.Fatalf("got %v", err)
	}
	if r.Sequence() != 1 || !slices.Equal(before, r.People()) {
		t.Error("the gap changed the roster")
	}
	apply(t, &r, data[1])
	apply(t, &r, data[2])
}

func TestAnotherEpochBeginsAnew(t *testing.T) {
	data, _ := events(1, 2)
	var r consume.Roster
	for _, d := range data {
		apply(t, &r, d)
	}
	epoch := r.Epoch()
	later := strings.NewReplacer(`"epoch":17`, `"epoch":18`).Replace(string(data[0]))
	if change := apply(t, &r, []byte(later)); change != consume.Anew || r.Sequence() != 1 || r.Epoch() == epoch {
		t.Errorf("%v, sequence %d, epoch %d", change, r.Sequence(), r.Epoch())
	}
	if change := apply(t, &r, data[len(data)-1]); change != consume.Repeated {
		t.Errorf("an event of the epoch before: %v", change)
	}
}

func TestWhatIsNewerDoesNoHarm(t *testing.T) {
	data, want := events(3, 1)
	var r consume.Roster
	for _, d := range data {
		apply(t, &r, d)
	}
	unknown := strings.NewReplacer(`"type":"rollcall.`, `"type":"rollcall.x`, `"data":{`, `"new":[1],"data":{"more":{"a":1},`).Replace(string(data[0]))
	unknown = strings.Replace(unknown, `"sequence":1,`, `"sequence":`+number(r.Sequence()+1)+`,`, 1)
	e, err := consume.Parse([]byte(unknown))
	if err != nil || e.Known() {
		t.Fatalf("known %v, %v", e.Known(), err)
	}
	if _, err := r.Apply(e); err != nil || r.Sequence() != e.Sequence {
		t.Errorf("an unknown type: %v at %d", err, r.Sequence())
	}
	if diff := cmp.Diff(want, slices.Clone(r.People())); diff != "" {
		t.Error(diff)
	}
	newer := strings.Replace(string(data[0]), "rollcall:event:1", "rollcall:event:2", 1)
	if _, err := consume.Parse([]byte(newer)); !errors.Is(err, consume.ErrNewer) {
		t.Errorf("a newer schema: %v", err)
	}
	for _, garbage := range []string{"", "{", "null", "[]", `{"dataschema":"rollcall:event:1"}`, `{"dataschema":"other","type":"rollcall.a.b"}`} {
		if _, err := consume.Parse([]byte(garbage)); err == nil || errors.Is(err, consume.ErrNewer) {
			t.Errorf("%q: %v", garbage, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, _ := events(1, 2)
	for _, d := range data {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := consume.Parse(data)
		if err != nil || !e.Known() {
			return
		}
		if _, err := new(consume.Roster).Apply(e); err != nil && e.Sequence == 1 && e.Epoch > 0 {
			t.Errorf("the first event does not apply: %v", err)
		}
	})
}

func TestLabelsAreThoseOfTheLastEvent(t *testing.T) {
	data, _ := events(1, 1)
	e, err := consume.Parse(data[0])
	if err != nil {
		t.Fatal(err)
	}
	r := consume.RosterOf(&rollcall.Record{Epoch: 1, Labels: rollcall.Labels{"team": "red"}})
	if r.Labels()["team"] != "red" {
		t.Errorf("of the record: %v", r.Labels())
	}
	e.Labels = rollcall.Labels{"team": "blue"}
	if _, err := r.Apply(e); err != nil || r.Labels()["team"] != "blue" {
		t.Errorf("of the event: %v, %v", r.Labels(), err)
	}
}
