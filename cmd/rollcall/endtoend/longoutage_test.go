//go:build unix

package endtoend_test

import (
	"context"
	"os"
	"testing"
	"time"
)

// away is how long NATS stays away in the long outage: a minute, or three with
// ROLLCALL_LONG=full, which is more than a check before each change can wait for.
func away() time.Duration {
	if os.Getenv("ROLLCALL_LONG") == "full" {
		return 3 * time.Minute
	}
	return time.Minute
}

// lasts lets the time pass, and fails when the worker ends meanwhile.
func (p *worker) lasts(d time.Duration) {
	p.t.Helper()
	select {
	case <-time.After(d):
	case <-p.done:
		p.t.Fatalf("%s ended by itself: exit code %d", p.name, p.cmd.ProcessState.ExitCode())
	}
}

// TestLongOutageOfMinutes takes NATS away for minutes, kills the worker in the
// middle of it with an answer on its way, and starts it again while NATS is
// still away. What was answered before, but for that one answer, must be told
// poll by poll; and nothing may be asked that nobody could take.
func TestLongOutageOfMinutes(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "6", "--people", "20", "--rate", "20")
	site := w.site("a", w.proxy.URL())
	first := site.start()
	w.listen()
	w.polled(3)
	from := len(w.witness.seen())
	w.broker.kill()
	first.lasts(away() / 2)

	k := &killer{killed: make(chan spot, 1)}
	w.witness.hooks(nil, func(context.Context, string) { k.comes(answered) })
	k.next(first.process, answered, 0)
	if first.exit() != -1 {
		t.Fatal("the worker ended by itself")
	}
	w.witness.hooks(nil, nil)
	until := len(w.witness.seen()) - 1 // the last answer died on its way

	second := site.start()
	second.lasts(away() / 2)
	if n := len(w.witness.seen()); n != until+1 {
		t.Errorf("the second worker asked %d times with NATS away since before its start", n-until-1)
	}
	if !second.err.has("cannot reach NATS") {
		t.Error("the second worker does not say what it waits for")
	}
	w.broker.start()
	w.polled(5)
	to := len(w.witness.seen())

	v := w.verdict()
	v.whole(w.witness.seen(), from, until)
	v.whole(w.witness.seen(), until+1, to)
	told := 0
	for _, c := range v.courses {
		for _, l := range c.looks {
			if l.answer >= from && l.answer < until {
				told++
			}
		}
	}
	t.Logf("%d answers before the kill, %d polls with changes told of them", until-from, told)
	if told < 30 {
		t.Errorf("only %d polls with changes were told of the time before the kill: too little to tell anything", told)
	}
	v.report(t)
}
