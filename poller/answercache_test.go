package poller

import (
	"context"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
)

// TestMemoryKeepsWhatItIsTold holds it against a map.
func TestMemoryKeepsWhatItIsTold(t *testing.T) {
	name := rapid.StringMatching(`[a-h]`)
	rapid.Check(t, func(rt *rapid.T) {
		var m answerCache
		model := map[string]string{}
		kept := []string{}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "keep") {
				kept = distinct(rapid.SliceOf(name).Draw(rt, "ids"))
				m.keep(kept)
				for id := range model {
					if !slices.Contains(kept, id) {
						delete(model, id)
					}
				}
				continue
			}
			id := name.Draw(rt, "id")
			known := m.of(id)
			if (known != nil) != slices.Contains(kept, id) || known != nil && string(known.raw) != model[id] {
				rt.Fatalf("of %s it knows %v, want %q", id, known, model[id])
			}
			if known != nil {
				model[id] = rapid.String().Draw(rt, "raw")
				known.raw = []byte(model[id])
			}
		}
	})
}

// TestAgendaIsThatOfTheAsk hands in ids and changes the list afterwards.
func TestAgendaIsThatOfTheAsk(t *testing.T) {
	names := rapid.SliceOfN(rapid.StringMatching(`[a-e]?`), 1, 4)
	rapid.Check(t, func(rt *rapid.T) {
		var a batchInput
		ids, later := names.Draw(rt, "ids"), names.Draw(rt, "later")
		for range rapid.IntRange(1, 10).Draw(rt, "passes") {
			switch rapid.IntRange(0, 4).Draw(rt, "change") {
			case 0:
				ids = names.Draw(rt, "ids")
			case 1:
				later = rapid.SampledFrom([][]string{nil, names.Draw(rt, "later")}).Draw(rt, "any later")
			case 2:
				slices.Sort(ids)
			case 3:
				slices.Reverse(ids)
				if len(later) > 0 {
					later[0] = "e"
				}
			}
			a.set(ids, later)
			if want := sortedSet(ids); !slices.Equal(a.ids, want) {
				rt.Fatalf("asks about %q, want %q", a.ids, want)
			}
			if want := sortedSet(slices.Concat(ids, later)); !slices.Equal(a.all, want) {
				rt.Fatalf("keeps %q, want %q", a.all, want)
			}
		}
	})
}

func sortedSet(ids []string) (set []string) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if id != "" && !slices.Contains(set, id) {
			set = append(set, id)
		}
	}
	return set
}

// refresher notes what it is told to be known, and finds the same bytes as such.
type refresher struct {
	*fakeSource
	told []map[string]string
}

func (s *refresher) Refresh(ctx context.Context, ids []string, known [][]byte) (Answers, error) {
	answers, err := s.Query(ctx, ids)
	answers.Detached = true
	told := map[string]string{}
	for i, id := range ids {
		told[id] = string(known[i])
		for n, found := range answers.Found {
			if found.ConferenceID == id && string(found.Raw) == string(known[i]) {
				answers.Found[n].Raw = known[i]
			}
		}
	}
	s.told = append(s.told, told)
	return answers, err
}

func TestPassTellsWhatIsKnown(t *testing.T) {
	source, ids := healthy(3)
	s := &refresher{fakeSource: source}
	b := &book{}
	p := &Poller{Source: s, BatchSize: 2}
	p.Pass(t.Context(), b.ask(ids...))
	source.raw["m001"] = "started again"
	report := p.Pass(t.Context(), b.ask(ids...))
	if report.Unchanged != 2 || source.decoded != 4 {
		t.Errorf("%d unchanged, %d decoded", report.Unchanged, source.decoded)
	}
	p.Pass(t.Context(), b.ask("m001", "m003"))
	p.forget(0)
	p.Pass(t.Context(), b.ask("m001"))
	if diff := cmp.Diff([]map[string]string{
		{"m000": "", "m001": ""},
		{"m002": ""},
		{"m000": "started m000", "m001": "started m001"},
		{"m002": "started m002"},
		{"m001": "started again", "m003": ""},
		{"m001": ""},
	}, s.told); diff != "" {
		t.Error(diff)
	}
}

// TestPassKeepsWhatIsDetached needs no copy of its own.
func TestPassKeepsWhatIsDetached(t *testing.T) {
	source := lender{raw: []byte("started a")}
	b := &book{}
	(&Poller{Source: source}).Pass(t.Context(), b.ask("a"))
	if s := b.observations[0].Sightings[0]; unsafe.SliceData(s.Raw) != unsafe.SliceData(source.raw) {
		t.Error("what may be kept is copied")
	}
}

// lender gives its bytes away.
type lender struct{ raw []byte }

func (s lender) Query(context.Context, []string) (Answers, error) {
	return Answers{Detached: true, Found: []Found{{ConferenceID: "a", Raw: s.raw}}}, nil
}

func (lender) Lookup(context.Context, string) (Standing, error) { return Standing{}, nil }
func (lender) Decode([]byte) *rollcall.Answer                   { return &rollcall.Answer{} }

// TestPassTakesWhatIsDecoded leaves nothing to Decode, and unchanged what is known.
func TestPassTakesWhatIsDecoded(t *testing.T) {
	source := &reader{found: Found{ConferenceID: "a", Raw: []byte("one"), Answer: &rollcall.Answer{Title: "one"}}}
	b := &book{}
	p := &Poller{Source: source}
	p.Pass(t.Context(), b.ask("a"))
	report := p.Pass(t.Context(), b.ask("a"))
	source.found = Found{ConferenceID: "a", Raw: []byte("two"), Answer: &rollcall.Answer{Title: "two"}}
	p.Pass(t.Context(), b.ask("a"))
	var got []*rollcall.Answer
	for _, o := range b.observations {
		got = append(got, o.Sightings[0].Answer)
	}
	if diff := cmp.Diff([]*rollcall.Answer{{Title: "one"}, nil, {Title: "two"}}, got); diff != "" || report.Unchanged != 1 {
		t.Errorf("%d unchanged, %s", report.Unchanged, diff)
	}
}

// reader decodes on the way, and only there.
type reader struct{ found Found }

func (s *reader) Query(context.Context, []string) (Answers, error) {
	return Answers{Found: []Found{s.found}}, nil
}

func (*reader) Lookup(context.Context, string) (Standing, error) { return Standing{}, nil }
func (*reader) Decode([]byte) *rollcall.Answer                   { return nil }

// TestMatchPutsEntriesBesideTheirIDs holds it against a map, in any order.
func TestMatchPutsEntriesBesideTheirIDs(t *testing.T) {
	name := rapid.StringMatching(`[a-f]`)
	rapid.Check(t, func(rt *rapid.T) {
		ids := distinct(rapid.SliceOfN(name, 1, 6).Draw(rt, "ids"))
		var answers Answers
		model := map[string]string{}
		for _, id := range rapid.OneOf(rapid.Just(ids), rapid.Permutation(ids), rapid.SliceOfDistinct(name, rapid.ID)).Draw(rt, "found") {
			model[id] = "about " + id
			answers.Found = append(answers.Found, Found{ConferenceID: id, Raw: []byte(model[id])})
		}
		for _, id := range rapid.OneOf(rapid.Just([]string(nil)), rapid.SliceOfDistinct(name, rapid.ID)).Draw(rt, "malformed") {
			model[id] = ""
			answers.Malformed = append(answers.Malformed, id)
		}
		entries := match(ids, answers)
		for i, id := range ids {
			about, told := model[id]
			if entries[i].ConferenceID != "" != told || string(entries[i].Raw) != about {
				rt.Fatalf("of %s it says %+v, want %q", id, entries[i], about)
			}
		}
	})
}
