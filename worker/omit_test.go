package worker_test

import (
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/store"
	"rollcall/worker"
)

// Names that were kept until now are to be omitted: from the first answer on no
// event and no record shows one, and nobody is told to have gone.
func TestNamesAreOmittedFromTheFirstAnswerOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), store.NewMemory(names)
		w.set("c1", "ann", "bob")
		p := start(t, "w1", m, w, track("c1"))
		elapse(time.Minute)
		p.stop(t)
		before := len(events(t, m, "c1"))
		p = start(t, "w2", m, w, func(c *worker.Config) {
			track("c1")(c)
			c.Tenants[0].OmitNicks = true
		})
		elapse(time.Minute)
		w.set("c1", "ann")
		elapse(time.Minute)
		left := 0
		for _, e := range events(t, m, "c1")[before:] {
			if e.Participant != nil && (e.Participant.Nick != "" || strings.HasPrefix(e.Participant.Key, "anon:") && e.Participant.Key[5] != '#') {
				t.Errorf("%s shows a name: %+v", e.Type, e.Participant)
			}
			if e.Type == rollcall.ParticipantLeft {
				left++
			}
		}
		if left != 1 {
			t.Errorf("one has left, told are %d departures", left)
		}
		for _, person := range record(t, m, "c1").Roster {
			if person.Nick != "" {
				t.Errorf("the record holds the name %q", person.Nick)
			}
		}
		lawful(t, m, "c1")
		p.stop(t)
	})
}
