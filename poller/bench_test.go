package poller

import (
	"context"
	"fmt"
	"testing"

	"rollcall"
)

// steady answers every query with the same bytes.
type steady struct{ found map[string]Found }

func (s steady) Query(_ context.Context, ids []string) (Answers, error) {
	answers := Answers{Complete: true, Found: make([]Found, 0, len(ids))}
	for _, id := range ids {
		answers.Found = append(answers.Found, s.found[id])
	}
	return answers, nil
}

func (s steady) Lookup(context.Context, string) (Standing, error) { return Standing{}, nil }
func (s steady) Decode([]byte) *rollcall.Answer                   { return &rollcall.Answer{} }

// BenchmarkPassUnchanged asks about 1,000 meetings of 8 KiB that do not change.
func BenchmarkPassUnchanged(b *testing.B) {
	source := steady{map[string]Found{}}
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprintf("conference-%04d", i)
		source.found[ids[i]] = Found{ConferenceID: ids[i], Raw: make([]byte, 8<<10)}
	}
	p := &Poller{Source: source}
	ask := Ask{
		IDs: ids, Next: func() rollcall.Number { return rollcall.Number{} },
		Emit: func(context.Context, rollcall.Observation) error { return nil },
	}
	p.Pass(b.Context(), ask)
	b.ReportAllocs()
	for b.Loop() {
		if report := p.Pass(b.Context(), ask); report.Unchanged != 1000 {
			b.Fatal(report)
		}
	}
}
