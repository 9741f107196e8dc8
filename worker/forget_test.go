package worker_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// holds lists what the ledger still stores with a text in it: the last message of what
// is rolled up, and every event.
func holds(t *testing.T, m *ledgertest.Memory, text string) (subjects []string) {
	t.Helper()
	last := map[string]uint64{}
	for _, msg := range m.Messages() {
		if msg.Rollup {
			last[msg.Subject] = msg.Sequence
		}
	}
	for _, msg := range m.Messages() {
		if (!msg.Rollup || last[msg.Subject] == msg.Sequence) && bytes.Contains(msg.Data, []byte(text)) {
			subjects = append(subjects, fmt.Sprintf("%s: %s", msg.Subject, msg.Data))
		}
	}
	return subjects
}

// erasing lets a worker erase events.
func erasing(m *ledgertest.Memory, change func(*worker.Config)) func(*worker.Config) {
	return func(c *worker.Config) {
		change(c)
		c.Eraser = ledgertest.Eraser{Ledger: m}
	}
}

// forgetAll does what rollcall forget does.
func forgetAll(t *testing.T, p *process, user string) (traces []worker.Trace) {
	t.Helper()
	traces, err := worker.PrivacyOf(p.worker).Traces(t.Context(), "acme", user)
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range traces {
		if did, err := worker.PrivacyOf(p.worker).Forget(t.Context(), "acme", trace.ConferenceID, user); err != nil || did != trace {
			t.Fatalf("in %s: %+v, found was %+v: %v", trace.ConferenceID, did, trace, err)
		}
	}
	if left, err := worker.PrivacyOf(p.worker).Traces(t.Context(), "acme", user); err != nil || len(left) > 0 {
		t.Fatalf("left are %+v, %v", left, err)
	}
	return traces
}

// Somebody is forgotten in a meeting that goes on, in one that is over and in one that
// was untracked: nothing that is stored shows name or id, and DingTalk's next answers
// bring neither back, also where NATS is away and the answers wait in the journal.
func TestForgottenPeopleStayForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const id, nick = "annaid77", "ANNAID77"
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		l := &wrapped{Memory: m}
		w.set("on", id, "bob")
		w.set("over", id)
		w.set("off", id)
		w.set("other", "bob")
		p := start(t, "w1", l, w, erasing(m, journaled(j, "on", "over", "other")))
		elapse(time.Second)
		if _, err := p.worker.Track(t.Context(), "acme", "off", "api"); err != nil {
			t.Fatal(err)
		}
		w.set("on", "bob")
		w.status("over", rollcall.StatusEnded)
		elapse(time.Minute)
		w.set("on", id+"*", "bob")
		elapse(time.Minute)
		if _, err := p.worker.Untrack(t.Context(), "acme", "off"); err != nil {
			t.Fatal(err)
		}
		want := []worker.Trace{{ConferenceID: "off", Events: 1}, {ConferenceID: "on", Events: 4, Recorded: true}, {ConferenceID: "over", Events: 2}}
		if diff := gocmp.Diff(want, forgetAll(t, p, id)); diff != "" {
			t.Errorf("found (-want +got):\n%s", diff)
		}
		as := func(meeting string) string { return rollcall.Forgotten("acme", meeting, id) }
		expect(t, m, "off", "meeting.started", "meeting.untracked", "participant.forgotten "+as("off"))
		expect(t, m, "over", "meeting.started", "meeting.ended", "participant.forgotten "+as("over"))
		onIt := []string{"meeting.started", "participant.joined bob", "participant.forgotten " + as("on")}
		expect(t, m, "on", onIt...)
		expect(t, m, "other", "meeting.started", "participant.joined bob")

		elapse(time.Minute) // DingTalk lists them on
		expect(t, m, "on", onIt...)
		l.fail(errors.New("no responders"))
		w.set("on", id, "bob")
		elapse(time.Minute)
		if j.len() == 0 || bytes.Contains(j.data, []byte(id)) || bytes.Contains(j.data, []byte(nick)) {
			t.Errorf("the journal: %s", j.data)
		}
		l.fail(nil)
		w.set("on", "bob")
		elapse(time.Minute)
		expect(t, m, "on", append(onIt, "participant.mic_closed "+as("on"), "participant.left "+as("on"))...)
		w.set("on", id, "bob")
		w.set("over", id) // reopened, and tracked again
		w.set("off", id)
		for _, meeting := range []string{"over", "off"} {
			if _, err := p.worker.Track(t.Context(), "acme", meeting, "api"); err != nil {
				t.Fatal(err)
			}
		}
		elapse(time.Minute)
		p.stop(t)
		for _, text := range []string{id, nick} {
			if left := holds(t, m, text); len(left) > 0 {
				t.Errorf("%s still stands in %q", text, left)
			}
		}
		for _, meeting := range []string{"on", "over", "off"} {
			if r := record(t, m, meeting); len(r.Erased) != 1 || r.Erased[0] != as(meeting) || len(r.Roster) == 0 {
				t.Errorf("the record of %s: %+v", meeting, r)
			}
		}
	})
}

// Whatever fails on the way, to do it again does the rest, and tells it once.
func TestForgettingGoesOnAfterAnError(t *testing.T) {
	for _, step := range []string{"events", "commit", "commit done", "erase", "erase done"} {
		t.Run(step, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const id = "annaid77"
				w, m := newWorld(), ledgertest.NewMemory(names)
				w.set("c1", id, "bob")
				p := start(t, "w1", m, w, erasing(m, track("c1")))
				elapse(time.Minute)
				failed := false
				m.SetFail(func(op string) error {
					if op != step || failed {
						return nil
					}
					failed = true
					return errors.New("cut off")
				})
				_, err := worker.PrivacyOf(p.worker).Forget(t.Context(), "acme", "c1", id)
				if !failed {
					t.Fatal("it never came to that")
				}
				m.SetFail(nil)
				if err != nil {
					p.kill() // and another worker goes on
					<-p.ended
					p = start(t, "w2", m, w, erasing(m, track("c1")))
					elapse(time.Minute)
					forgetAll(t, p, id)
				}
				elapse(time.Minute)
				p.stop(t)
				expect(t, m, "c1", "meeting.started", "participant.joined bob", "participant.forgotten "+rollcall.Forgotten("acme", "c1", id))
				if left := holds(t, m, id); len(left) > 0 {
					t.Errorf("left is %q", left)
				}
			})
		})
	}
}

// Where ids are not kept the person is found by the id all the same, also what was
// stored before the change.
func TestForgettingFindsPseudonyms(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const id = "annaid77"
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("c1", id)
		p := start(t, "w1", m, w, erasing(m, track("c1")))
		elapse(time.Minute)
		p.stop(t)
		pseudonyms := rollcall.NewPseudonyms([]byte("secret"), "acme")
		p = start(t, "w2", m, w, erasing(m, func(c *worker.Config) { track("c1")(c); c.Tenants[0].Pseudonyms = pseudonyms }))
		elapse(time.Minute)
		traces := forgetAll(t, p, id)
		elapse(time.Minute)
		p.stop(t)
		if len(traces) != 1 || traces[0].Events != 2 {
			t.Errorf("found are %+v", traces)
		}
		for _, text := range []string{id, pseudonyms.Of(id), "ANNAID77"} {
			if left := holds(t, m, text); len(left) > 0 {
				t.Errorf("%s still stands in %q", text, left)
			}
		}
	})
}

func TestForgettingRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		p := start(t, "w1", m, newWorld(), erasing(m, track()))
		elapse(time.Second)
		for user, want := range map[string]error{"": worker.ErrNoUser, string(make([]byte, 257)): worker.ErrNoUser} {
			if _, err := worker.PrivacyOf(p.worker).Traces(t.Context(), "acme", user); !errors.Is(err, want) {
				t.Errorf("%q: %v", user, err)
			}
		}
		if _, err := worker.PrivacyOf(p.worker).Forget(t.Context(), "nobody", "c1", "u1"); !errors.Is(err, worker.ErrNoTenant) {
			t.Errorf("no such tenant: %v", err)
		}
		if trace, err := worker.PrivacyOf(p.worker).Forget(t.Context(), "acme", "c1", "u1"); err != nil || trace.Events > 0 || trace.Recorded {
			t.Errorf("a meeting that nobody knows: %+v %v", trace, err)
		}
		p.stop(t)
	})
}
