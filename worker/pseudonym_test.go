package worker_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// Where ids are not kept, none stands in anything stored or logged, in the journal of
// what waits either; and another worker with the secret knows everybody again.
func TestIDsAreReplacedByPseudonyms(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const id = "annaid77"
		pseudonyms := rollcall.NewPseudonyms([]byte("secret"), "acme")
		as := pseudonyms.Of(id)
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		l := &wrapped{Memory: m}
		w.set("c1", id)
		private := func(c *worker.Config) {
			journaled(j, "c1")(c)
			c.Tenants[0].Pseudonyms = pseudonyms
		}
		p := start(t, "w1", l, w, private)
		elapse(time.Minute)
		l.fail(errors.New("no responders"))
		w.set("c1")
		elapse(15 * time.Second)
		w.set("c1", id)
		elapse(15 * time.Second)
		p.kill()
		<-p.ended
		if j.len() == 0 {
			t.Fatal("nothing waits")
		}
		if bytes.Contains(j.data, []byte(id)) {
			t.Errorf("the journal holds the id: %s", j.data)
		}
		l.fail(nil)
		q := start(t, "w2", m, w, private)
		elapse(time.Minute)
		q.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined "+as, "participant.left "+as, "participant.joined "+as)
		for _, msg := range m.Messages() {
			if bytes.Contains(msg.Data, []byte(id)) {
				t.Errorf("the id stands in %s: %s", msg.Subject, msg.Data)
			}
		}
		for _, e := range append(p.logs.All(), q.logs.All()...) {
			for _, f := range e.Context {
				if bytes.Contains([]byte(e.Message+f.String), []byte(id)) {
					t.Errorf("the id stands in the log: %s %v", e.Message, e.ContextMap())
				}
			}
		}
		unique(t, m, "c1")
		lawful(t, m, "c1")
	})
}
