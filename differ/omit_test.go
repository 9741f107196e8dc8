package differ

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
)

// anew checks a result that tells the record anew without nicks: what was known,
// as the beginning of an epoch, and then what the look shows, which obeys every
// law by itself.
func (p poll) anew() error {
	before := p.res.anew
	rest, err := lawful(before.Record, p.look, p.rules)
	if err != nil {
		return fmt.Errorf("after it was told anew: %w", err)
	}
	if rest.res.Anew || !reflect.DeepEqual(rest.res.Record, p.res.Record) || !p.res.Changed ||
		!reflect.DeepEqual(slices.Concat(before.Events, rest.res.Events), p.res.Events) {
		return fmt.Errorf("told anew is %q, then %q, together %q", tellAll(before.Events), tellAll(rest.res.Events), tellAll(p.res.Events))
	}
	if got, want := strangers(before.Record.Roster, p.rules), strangers(p.prev.Roster, p.rules); !slices.Equal(got, want) {
		return fmt.Errorf("told anew are %q, known were %q", got, want)
	}
	for i, e := range before.Events {
		if e.Provenance != rollcall.ProvenanceBaseline || e.Epoch <= p.prev.Epoch || e.Sequence != uint64(i+1) || !e.Window.After.IsZero() || e.CheckTime() != nil {
			return fmt.Errorf("told anew is %+v", e)
		}
	}
	for name, law := range map[string]func() error{
		"determinism": p.repeats, "order of entries": p.ordered, "rest": p.rests, "slices": p.slicesAnew,
		"omission": func() error { return omits(p.rules, p.res.Record, p.res.Events) },
	} {
		if err := law(); err != nil {
			return fmt.Errorf("law of %s: %w", name, err)
		}
	}
	return nil
}

// omits holds that nothing shows a nick, or an id, where the rules do not want it.
func omits(rules Rules, r *rollcall.Record, events []rollcall.Event) error {
	people := everybody(r)
	for _, e := range events {
		if e.Participant != nil {
			people = append(people, *e.Participant)
		}
	}
	for _, who := range people {
		nameless := who.UserID == "" && !rollcall.IsForgotten(who.Key)
		if rules.OmitNicks && (who.Nick != "" || nameless && !strings.HasPrefix(who.Key, "anon:#")) || rules.Pseudonyms != nil && who.UserID != rules.Pseudonyms.Of(who.UserID) {
			return fmt.Errorf("a nick is shown: %+v", who)
		}
	}
	return nil
}

// everybody returns the people of the roster, then those who are remembered.
func everybody(r *rollcall.Record) []rollcall.Participant {
	people := slices.Clone(r.Roster)
	for _, m := range r.Memory {
		people = append(people, m.Participant)
	}
	return people
}

// strangers returns people as they are without their names, their numbers, their
// roles and their past, and with the ids that the rules want, in no order.
func strangers(roster []rollcall.Participant, rules Rules) (all []string) {
	for _, p := range roster {
		p.Nick, p.Session, p.Roles = "", 0, rollcall.Roles{}
		wanted(&p, rules)
		if p.UserID == "" {
			p.Key = ""
		}
		all = append(all, fmt.Sprintf("%+v", p))
	}
	slices.Sort(all)
	return all
}

// wanted lets a person have the id that the rules want.
func wanted(p *rollcall.Participant, rules Rules) {
	if rules.Pseudonyms != nil && p.UserID != "" {
		p.UserID = rules.Pseudonyms.Of(p.UserID)
		p.Key = KeyOf(p.UserID)
	}
}

// slicesAnew: wherever it is cut, the record is the fold and shows no nick, and
// the same look goes on to the same people, whom it does not tell twice.
func (p poll) slicesAnew() error {
	before := p.res.anew
	for n := range p.res.Events {
		cut := p.res.Slice(p.prev, n)
		if folded := Fold(nil, p.res.Events[:n]); !slices.Equal(folded, cut.Roster) || cut.Meeting.Present != present(folded) {
			return fmt.Errorf("cut at %d: folded %+v, recorded %+v", n, folded, cut.Roster)
		}
		if err := omits(p.rules, cut, nil); err != nil || cut.Partial == nil || cut.Sequence != uint64(n) || cut.Epoch != p.res.Record.Epoch {
			return fmt.Errorf("cut at %d: %w, %+v", n, err, cut)
		}
		if n >= len(before.Events) {
			continue // one of the rest's own slices
		}
		rest := Diff(cut, p.look, p.rules)
		book := attendanceBook{}
		if err := book.hear(slices.Concat(p.res.Events[:n], rest.Events)); err != nil {
			return fmt.Errorf("cut at %d: %w", n, err)
		}
		unsure := !p.coversAll() || p.look.Answer != nil && slices.ContainsFunc(p.look.Answer.Entries, func(e rollcall.Entry) bool { return line{entry: &e}.vague() })
		if got, want := strangers(rest.Record.Roster, p.rules), strangers(p.res.Record.Roster, p.rules); !unsure && !slices.Equal(got, want) {
			return fmt.Errorf("cut at %d: %q, want %q", n, got, want)
		}
	}
	return nil
}

// The setting is changed in the middle of a meeting. What the look tells of people
// with a user id is what it would have told, but for their names; and a list that
// was seen before tells nothing of anybody.
func TestOmittingNicksTellsNothingThatDidNotHappen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRehearsal(drawn(t))
		var prev *rollcall.Record
		var look Look
		for range 1 + r.choose(4) {
			look = r.plainLook()
			prev = Diff(prev, look, Rules{}).Record
		}
		omit := pick(r.choose, Rules{OmitNicks: true}, Rules{Pseudonyms: rollcall.NewPseudonyms([]byte("one"), "acme")},
			Rules{OmitNicks: true, Pseudonyms: rollcall.NewPseudonyms([]byte("one"), "acme")})
		again := Diff(prev, look, omit)
		if again.Anew != omit.shown(prev, omit.barred) {
			t.Fatalf("anew is %v for %+v", again.Anew, prev)
		}
		if again.Anew && len(again.Events) > len(again.anew.Events) {
			t.Fatalf("the same list tells %q of %+v", tellAll(again.Events[len(again.anew.Events):]), prev)
		}
		next := r.plainLook()
		kept, omitted := Diff(prev, next, Rules{}).Events, Diff(prev, next, omit)
		if omitted.Anew {
			omitted.Events = omitted.Events[len(omitted.anew.Events):]
		}
		if diff := gocmp.Diff(ofUsers(kept, omit), ofUsers(omitted.Events, omit)); diff != "" {
			t.Fatalf("-kept +omitted:\n%s", diff)
		}
	})
}

// ofUsers tells what happened to the meeting and to people with a user id.
func ofUsers(events []rollcall.Event, rules Rules) (all []string) {
	for _, e := range events {
		if e.Type == rollcall.ParticipantRenamed || e.Participant != nil && e.Participant.UserID == "" {
			continue
		}
		if e.Type == rollcall.ParticipantDeclined { // of several refusals the nick says which one counts
			e.Type = rollcall.ParticipantJoinFailed
		}
		who := *cmp.Or(e.Participant, &rollcall.Participant{})
		who.Nick, who.RejectDescription, who.Session = "", "", 0
		wanted(&who, rules)
		all = append(all, fmt.Sprintf("%s %s %s %v %s %+v", e.Type, e.Reason, e.Provenance, e.Window, e.Time, who))
	}
	if rules.Pseudonyms != nil { // which stand in another order
		slices.Sort(all)
	}
	return all
}

// An answer of which others have a part keeps its nicks.
func TestOmittingLeavesTheAnswerAlone(t *testing.T) {
	look := crowd(3)
	before := cloneLook(look)
	res := Diff(nil, look, Rules{OmitNicks: true})
	if err := omits(Rules{OmitNicks: true}, res.Record, res.Events); err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(look, before) {
		t.Error("the answer was changed")
	}
}

// The record is a slice that ends between the coming and the going of somebody
// who did both between two polls. The going alone is left to be told.
func TestOmittingInsideAVisit(t *testing.T) {
	table := eventRules()
	tl := teller{table: table[:]}
	tl.poll([]string{"status started", "people", "- Zoe present"})
	before := tl.record
	list := []string{"people", "- Zoe present", "- Tel left"}
	tl.poll(list)
	tl.record = tl.result.Slice(before, 1)
	tl.poll(append([]string{"omit nicks"}, list...))
	want := []string{
		"meeting.started   baseline", "participant.joined anon:#1  baseline", "participant.joined anon:#2  baseline",
		"participant.left anon:#2 left inferred",
	}
	if diff := gocmp.Diff(want, tellAll(tl.result.Events)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
