package differ

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
)

func crowd(n int) Look {
	asked := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	a := &rollcall.Answer{Title: "Weekly", Status: rollcall.StatusStarted, Listed: true}
	for i := range n {
		a.Entries = append(a.Entries, rollcall.Entry{
			UserID: fmt.Sprintf("user-%06d", (i*7919)%n), Nick: fmt.Sprintf("Nick %d", i),
			Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed, Camera: rollcall.DeviceOpen,
		})
	}
	return Look{Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: a, AskedAt: asked, AnsweredAt: asked.Add(time.Second)}
}

// inOrder is a crowd that is listed in the order of the roster.
func inOrder(n int) Look {
	look := crowd(n)
	slices.SortFunc(look.Answer.Entries, func(a, b rollcall.Entry) int { return strings.Compare(a.UserID, b.UserID) })
	return look
}

// inNoOrder is a crowd that is listed at random.
func inNoOrder(n int) Look {
	look, rng := crowd(n), rand.New(rand.NewPCG(1, 2))
	entries := look.Answer.Entries
	rng.Shuffle(n, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return look
}

func benchmark(b *testing.B, prev *rollcall.Record, look Look, events int) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if got := len(Diff(prev, look, Rules{}).Events); got != events {
			b.Fatalf("got %d events, want %d", got, events)
		}
	}
}

// BenchmarkPoll is the poll of a meeting that goes on: of so many people, in
// this order, so many have opened their microphones.
func BenchmarkPoll(b *testing.B) {
	orders := []struct {
		name string
		list func(n int) Look
	}{{"in order", inOrder}, {"in no order", inNoOrder}}
	for _, people := range []int{20, 100, 500} {
		for _, order := range orders {
			for _, changes := range []int{0, 1, 2} {
				b.Run(fmt.Sprintf("%d people %s/%d changes", people, order.name, changes), func(b *testing.B) {
					look := order.list(people)
					prev := Diff(nil, look, Rules{}).Record
					for i := range changes {
						look.Answer.Entries[7+6*i].Mic = rollcall.DeviceOpen
					}
					benchmark(b, prev, look, changes)
				})
			}
		}
	}
}

func BenchmarkUnchanged20(b *testing.B) {
	look := crowd(20)
	benchmark(b, Diff(nil, look, Rules{}).Record, look, 0)
}

func BenchmarkUnchanged500(b *testing.B) {
	look := crowd(500)
	benchmark(b, Diff(nil, look, Rules{}).Record, look, 0)
}

func BenchmarkOneChangeIn20(b *testing.B) {
	look := crowd(20)
	prev := Diff(nil, look, Rules{}).Record
	look.Answer.Entries[7].Mic = rollcall.DeviceOpen
	benchmark(b, prev, look, 1)
}

func BenchmarkFirstPoll500(b *testing.B) { benchmark(b, nil, crowd(500), 1001) }

func BenchmarkFold500(b *testing.B) {
	events := Diff(nil, crowd(500), Rules{}).Events
	b.ReportAllocs()
	for b.Loop() {
		if got := len(Fold(nil, events)); got != 500 {
			b.Fatalf("got %d people, want 500", got)
		}
	}
}

// A poll costs the same few allocations however many people are there, and
// however many of one or two changed.
func TestPollAllocatesNextToNothing(t *testing.T) {
	for _, tt := range []struct{ people, changes, most int }{
		{20, 0, 1}, {100, 0, 1}, {500, 0, 2}, {20, 1, 6}, {20, 2, 7}, {500, 2, 8},
	} {
		look := inNoOrder(tt.people)
		prev := Diff(nil, look, Rules{}).Record
		for i := range tt.changes {
			look.Answer.Entries[7+6*i].Mic = rollcall.DeviceOpen
		}
		if got := testing.AllocsPerRun(10, func() { Diff(prev, look, Rules{}) }); got > float64(tt.most) {
			t.Errorf("%d changes among %d people make %v allocations, want at most %d", tt.changes, tt.people, got, tt.most)
		}
	}
}

// An unchanged answer costs the same few allocations however many people are there.
func TestUnchangedAllocatesNextToNothing(t *testing.T) {
	look := crowd(500)
	prev := Diff(nil, look, Rules{}).Record
	if got := testing.AllocsPerRun(10, func() { Diff(prev, look, Rules{}) }); got > 5 {
		t.Fatalf("an unchanged answer about 500 people makes %v allocations, want at most 5", got)
	}
}
