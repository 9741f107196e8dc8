package worker_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// omitting is [journaled] for a tenant whose names are not to be kept.
func omitting(j *paper, ids ...string) func(*worker.Config) {
	return func(c *worker.Config) {
		journaled(j, ids...)(c)
		c.Tenants[0].OmitNicks = true
	}
}

// guests makes a meeting go on with ann and these people without a user id.
func (w *world) guests(id string, nicks ...string) {
	m := &meeting{Title: "Meeting", Status: rollcall.StatusStarted, Users: []user{{ID: "ann", Att: rollcall.AttendancePresent}}}
	for _, nick := range nicks {
		m.Users = append(m.Users, user{Nick: nick, Att: rollcall.AttendancePresent})
	}
	w.put(id, m)
}

// showsNone holds that none of the names stands in what was stored since.
func showsNone(t *testing.T, m *ledgertest.Memory, since uint64, nicks ...string) {
	t.Helper()
	for _, msg := range m.Messages() {
		for _, nick := range nicks {
			if msg.Sequence > since && bytes.Contains(msg.Data, []byte(nick)) {
				t.Errorf("the name %s stands in %s: %s", nick, msg.Subject, msg.Data)
			}
		}
	}
}

// Names that were kept until now are to be omitted: from the first answer on no
// event and no record shows one, also where answers from before the change wait,
// and nobody is told to have come or gone who did not.
func TestNamesAreOmittedFromTheFirstAnswerOn(t *testing.T) {
	for name, waits := range map[string]bool{"at rest": false, "with answers that wait": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
				l := &wrapped{Memory: m}
				w.guests("c1", "Telly", "Zora")
				w.guests("c2", "Faxe")
				w.set("c3")
				p := start(t, "w1", l, w, journaled(j, "c1", "c2", "c3"))
				elapse(time.Minute)
				want := []string{
					"meeting.started", "participant.joined ann", "participant.joined anon:#1", "participant.joined anon:#2",
				}
				if waits {
					l.fail(errors.New("no responders"))
					w.guests("c1", "Telly", "Zora", "Momo")
					elapse(15 * time.Second)
					w.guests("c1", "Telly", "Zora")
					elapse(15 * time.Second)
					want = append(want, "participant.joined anon:#3", "participant.left anon:#3")
				}
				p.kill()
				<-p.ended
				if waits && j.len() == 0 {
					t.Fatal("nothing waits")
				}
				l.fail(nil)
				before, since := len(events(t, m, "c1")), m.Messages()[len(m.Messages())-1].Sequence
				p = start(t, "w2", m, w, omitting(j, "c1", "c2", "c3"))
				elapse(time.Minute)
				w.guests("c1", "Zora")
				elapse(time.Minute)
				if diff := cmp.Diff(append(want, "participant.left anon:#2"), tell(events(t, m, "c1")[before:])); diff != "" {
					t.Errorf("told after the change (-want +got):\n%s", diff)
				}
				expect(t, m, "c3", "meeting.started") // it showed no name: its epoch goes on
				showsNone(t, m, since, "Telly", "Zora", "Momo", "Faxe", "ANN")
				for _, id := range []string{"c1", "c2", "c3"} {
					unique(t, m, id)
					lawful(t, m, id)
				}
				if n := p.logs.FilterMessageSnippet("names of people are omitted").Len(); n != 1 {
					t.Errorf("it was said %d times", n)
				}
				p.stop(t)
			})
		})
	}
}

// A meeting that is told anew may take several batches. The process ends after
// any of them: still nothing is told twice, and no name.
func TestNamesOfACrowdAreOmitted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		var nicks []string
		for i := range 1500 {
			nicks = append(nicks, fmt.Sprintf("Guest%04d", i))
		}
		w.guests("big", nicks...)
		p := connect(t, "w1", l, track("big"))
		elapse(time.Minute)
		p.stop(t)
		before, since := len(events(t, m, "big")), m.Messages()[len(m.Messages())-1].Sequence
		omit := func(c *worker.Config) { track("big")(c); c.Tenants[0].OmitNicks = true }
		l = &line{Memory: m, paper: l.paper, world: w, book: l.book}
		struck := false
		l.set(afterSlice(l, m, 1, true, &struck))
		p = connect(t, "w2", l, omit)
		elapse(time.Minute)
		if !struck {
			t.Fatal("there was no slice")
		}
		p.end(l)
		l = &line{Memory: m, paper: l.paper, world: w, book: l.book}
		p = connect(t, "w3", l, omit)
		elapse(time.Minute)
		p.stop(t)
		if n := len(events(t, m, "big")) - before; n != 1502 {
			t.Errorf("%d events are told anew", n)
		}
		showsNone(t, m, since, "Guest", "ANN")
		unique(t, m, "big")
		lawful(t, m, "big")
	})
}
