//go:build unix

package endtoend_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rollcall/internal/natsproxy"
)

// spot is an instant at which a worker can be killed.
type spot string

// The spots: two about a question, four about a batch.
const (
	asking   spot = "while it asks"
	answered spot = "with the answer on its way"

	begun        = spot("the first message of a batch is stored away, the others are lost")
	committing   = spot("all messages of a batch but the last have arrived")
	committed    = spot("the last message has arrived, whatever the server makes of it")
	acknowledged = spot("the server has answered, the answer is lost")
)

// within reports whether the spot lies between the first message of a batch
// and its acknowledgement.
func (s spot) within() bool {
	return s == begun || s == committing || s == committed || s == acknowledged
}

// killer kills the worker at hand, once, when it comes by the spot.
type killer struct {
	mu     sync.Mutex
	victim *process // nil: nobody is to be killed
	at     spot
	skip   int
	killed chan spot
}

// next chooses the next victim and where it dies: at the skip+1st time.
func (k *killer) next(victim *process, at spot, skip int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.victim, k.at, k.skip = victim, at, skip
}

// comes reports whether somebody died here.
func (k *killer) comes(at spot) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.victim == nil || k.at != at {
		return false
	}
	if k.skip > 0 {
		k.skip--
		return false
	}
	k.victim.kill()
	k.victim = nil
	k.killed <- at
	return true
}

// hook kills about a batch of several messages. What the dead had sent and the
// proxy had not handed on is lost with its connection.
func (k *killer) hook(_ context.Context, m natsproxy.Moment) natsproxy.Verdict {
	at := map[natsproxy.Kind]spot{
		natsproxy.Begun: begun, natsproxy.Committing: committing, natsproxy.Committed: committed, natsproxy.Acknowledged: acknowledged,
	}[m.Kind]
	if m.Messages > 1 || m.Kind == natsproxy.Begun {
		if k.comes(at) {
			return natsproxy.Cut
		}
	}
	return natsproxy.Pass
}

// watch also kills about questions.
func (k *killer) watch(w *world) {
	w.proxy.SetHook(k.hook)
	w.witness.hooks(
		func(string) bool { return k.comes(asking) },
		func(context.Context, string) { k.comes(answered) })
}

func TestLongKilledWorker(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "8", "--people", "20", "--rate", "50")
	site := w.site("a", w.proxy.URL())
	k := &killer{killed: make(chan spot, 1)}
	k.watch(w)
	order := []spot{begun, acknowledged, committing, answered, committed, asking}
	counts := map[spot]int{}
	within := 0
	for n := range 24 {
		at := order[n%len(order)]
		p := site.start()
		k.next(p.process, at, n%4)
		if n == 0 {
			w.listen()
		}
		select {
		case where := <-k.killed:
			counts[where]++
			if where.within() {
				within++
			}
		case <-time.After(patience):
			t.Fatalf("kill %d: nobody came by %q", n, at)
		}
		if p.exit() != -1 {
			t.Fatalf("kill %d: the worker ended by itself", n)
		}
	}
	site.start()
	w.polled(4)
	v := w.verdict()
	for at, n := range counts {
		t.Logf("killed %d times: %s", n, at)
	}
	if within < 10 || counts[begun] < 3 || counts[committed] < 3 || counts[acknowledged] < 3 {
		t.Errorf("killed %d times within a batch: %s", within, fmt.Sprint(counts))
	}
	v.report(t)
}
