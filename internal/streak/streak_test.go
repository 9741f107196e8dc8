package streak

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/wait"
)

func TestChangesAreReportedAndRepetitionIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Streak
		for i, c := range []struct {
			cause    string
			kind     Kind
			failures int
		}{
			{"", Same, 0},
			{"away", Failing, 0},
			{"away", Same, 1},
			{"refused", NewCause, 2},
			{"away", Same, 3},
			{"refused", Same, 4},
			{"", Recovered, 5},
			{"", Same, 0},
			{"away", Failing, 0},
		} {
			want := Change{c.kind, c.failures, time.Duration(c.failures) * time.Second}
			if got := s.Note(c.cause); got != want || s.Failing() != (c.cause != "") {
				t.Errorf("outcome %d: %+v, want %+v", i, got, want)
			}
			wait.For(t.Context(), time.Second)
		}
	})
}

func TestCausesAreBounded(t *testing.T) {
	var s Streak
	logged := 0
	for i := range 1000 {
		if s.Note(strings.Repeat("x", i+1)).Kind != Same {
			logged++
		}
	}
	if logged != maxCauses || len(s.causes) != maxCauses {
		t.Errorf("%d of 1000 causes were new, and %d are held", logged, len(s.causes))
	}
}

// A cause is what failed, not the numbers and names of one attempt.
func TestCauseIsTheKindOfAnError(t *testing.T) {
	for _, same := range [][2]string{
		{"commit batch of 57 messages: nats: timeout", "commit batch of 3 messages: nats: timeout"},
		{"dial tcp 10.0.0.1:4222: connect: connection refused", "dial tcp [::1]:4223: connect: connection refused"},
		{`meeting "a" is refused`, `meeting "b" is refused`},
		{"last sequence is 7, not 8", "last sequence is 17, not 18"},
	} {
		if a, b := Cause(errors.New(same[0])), Cause(errors.New(same[1])); a != b {
			t.Errorf("%q and %q are two causes", a, b)
		}
	}
	if Cause(errors.New("nats: timeout")) == Cause(errors.New("nats: no responders")) {
		t.Error("two causes are taken for one")
	}
	if Cause(nil) != "" || Cause(errors.New("503")) == "" {
		t.Error("a failure and a success are mistaken for one another")
	}
}

func TestLogShowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		l := Log{Logger: zap.New(core), What: "claiming the shard"}
		for _, err := range []error{
			nil, errors.New("late by 1 s"), errors.New("late by 2 s"), errors.New("refused"), errors.New("late by 3 s"), nil, nil,
		} {
			l.Note(err)
			wait.For(t.Context(), time.Minute)
		}
		var got []string
		for _, e := range logs.All() {
			fields := e.ContextMap()
			got = append(got, fmt.Sprint(e.Level, " ", e.Message, " ", fields["failures"], " ", fields["took"]))
		}
		want := []string{
			"warn claiming the shard fails <nil> <nil>",
			"warn claiming the shard still fails, with a new cause 2 2m0s",
			"info claiming the shard works again 4 4m0s",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
