package worker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
)

// The three guards that keep overlapping workers harmless. A line without one
// of them shows the worker a ledger as it would be then; the worker itself
// knows no switch.
const (
	compareAndSwap = "compare-and-swap"
	numbers        = "numbers"
	fence          = "fence"
)

// stand is a message that stands in for a record that was left out: for the
// worker the record has the stand-in's sequence.
type stand struct{ in, real uint64 }

// commit stores the batch as it would be without the guard.
func (l *line) commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	out, fresh := slices.Clone(msgs), map[int]string{}
	l.mu.Lock()
	for i := range out {
		msg := &out[i]
		if s, ok := l.stands[msg.Subject]; ok && msg.Guarded && msg.Expect == s.in {
			msg.Expect = s.real
		}
		if l.without == compareAndSwap {
			msg.Guarded, msg.Expect = false, 0
		}
		if l.without == fence && l.fences(*msg, msgs) {
			fresh[i] = msg.Subject
			l.stands[msg.Subject] = stand{real: msg.Expect}
			*msg = ledger.Message{Subject: names.Prefix + ".nothing"}
		}
	}
	l.mu.Unlock()
	first, err := l.Memory.Commit(ctx, out)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, subject := range fresh {
		l.stands[subject] = stand{first + uint64(i), l.stands[subject].real}
	}
	return first, err
}

// fences reports whether a message is a record that no event goes with: it
// says only who looked.
func (l *line) fences(msg ledger.Message, batch []ledger.Message) bool {
	token, isRecord := strings.CutPrefix(msg.Subject, names.State("acme", ""))
	return isRecord && msg.Expect > 0 && !anyBelow(batch, names.Prefix+".event.acme."+token+".")
}

func anyBelow(msgs []ledger.Message, prefix string) bool {
	for _, msg := range msgs {
		if strings.HasPrefix(msg.Subject, prefix) {
			return true
		}
	}
	return false
}

// shown gives the record as the worker sees it without the guard.
func (l *line) shown(r ledger.Stored) ledger.Stored {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.stands[names.State("acme", r.ConferenceID)]; ok && r.Revision == s.real {
		r.Revision = s.in
	}
	if l.without == numbers && r.Record != nil {
		record := *r.Record
		record.Number = rollcall.Number{Term: l.term} // every answer of the term is newer
		r.Record = &record
	}
	return r
}

// awkward are plays in which the guards have something to do.
func awkward() map[string][]move {
	const tick = 15 * time.Second
	return map[string][]move{
		"an answer in hand while the other goes on": {
			{"hang commit", 0, 0},
			{"blind", 0, 0},
			{"change", 0, 16 * time.Second},
			{"deafen", 0, 0},
			{"restart", 1, 20 * time.Second},
			{"change", 1, tick},
			{"change", 1, tick},
			{"heal", 0, tick},
			{"change", 0, tick},
		},
		"an answer in hand while the world goes back": {
			{"hang commit", 0, 0},
			{"change", 0, 16 * time.Second},
			{"deafen", 0, 0},
			{"back", 0, 0},
			{"restart", 1, 9 * time.Second},
			{"let go", 0, 0},
			{"crash", 0, 0},
		},
		"frozen with an answer in hand": {
			{"hold answer", 0, 0},
			{"change", 0, 16 * time.Second},
			{"freeze", 0, 0},
			{"restart", 1, 40 * time.Second},
			{"change", 1, 40 * time.Second},
			{"heal", 0, 40 * time.Second},
		},
		"an old journal": {
			{"cut", 0, 0},
			{"change", 0, 16 * time.Second},
			{"change", 0, 16 * time.Second},
			{"crash", 0, 0},
			{"back", 0, 0},
			{"restart", 1, 40 * time.Second},
			{"restart", 0, 40 * time.Second},
		},
	}
}

// TestGuardsAreNeeded takes each guard away and demands that a law falls; with
// all of them none does.
func TestGuardsAreNeeded(t *testing.T) {
	for _, guard := range []string{"", compareAndSwap, numbers, fence} {
		fallen := 0
		for name, moves := range awkward() {
			broken := ""
			bubble(t, func(t *testing.T) { broken = play(t, guard, false, moves) })
			if broken != "" {
				fallen++
				t.Logf("without %q, %s: %s", guard, name, broken)
			}
		}
		if guard == "" && fallen > 0 {
			t.Error("with all guards a law falls")
		}
		if guard != "" && fallen == 0 {
			t.Errorf("without the %s nothing falls: it is not needed, or not tested", guard)
		}
	}
}
