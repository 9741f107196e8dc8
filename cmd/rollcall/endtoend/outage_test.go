//go:build unix

package endtoend_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"rollcall/internal/natsproxy"
)

// TestLongOutage takes NATS away for twenty polls, in order or by force, and
// expects each change made meanwhile as a poll of its own afterwards.
func TestLongOutage(t *testing.T) {
	long(t)
	t.Parallel()
	for name, end := range map[string]func(*broker){"stopped": (*broker).stop, "killed": (*broker).kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "--meetings", "4", "--people", "12", "--rate", "20")
			site := w.site("a", w.proxy.URL())
			site.start()
			w.listen()
			w.polled(3)
			from := len(w.witness.seen())
			end(w.broker)
			w.polled(20)
			to := len(w.witness.seen())
			w.broker.start()
			w.polled(3)
			v := w.verdict()
			v.whole(w.witness.seen(), from, to)
			changes := 0
			for _, c := range v.courses {
				for _, l := range c.looks {
					if l.answer >= from && l.answer < to {
						changes++
					}
				}
			}
			t.Logf("%d polls with changes were stored of the time without NATS", changes)
			if changes < 20 {
				t.Errorf("only %d polls with changes in 20 polls of 4 meetings: too little happened to tell", changes)
			}
			v.report(t)
		})
	}
}

// TestLongLostAcknowledgements loses the server's answer to a batch that is
// stored, and to one that is refused with it.
func TestLongLostAcknowledgements(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "4", "--people", "12", "--rate", "20")
	lost := make(chan struct{}, 100)
	var toLose, batches atomic.Int64
	w.proxy.SetHook(func(_ context.Context, m natsproxy.Moment) natsproxy.Verdict {
		if m.Kind == natsproxy.Acknowledged && m.Messages > 1 && batches.Add(1)%2 == 0 && toLose.Add(-1) >= 0 {
			lost <- struct{}{}
			return natsproxy.Drop
		}
		return natsproxy.Pass
	})
	w.site("a", w.proxy.URL()).start()
	w.listen()
	w.polled(2)
	from := len(w.witness.seen())
	toLose.Store(3)
	for n := range 3 {
		await(t, lost, fmt.Sprintf("acknowledgement %d is lost", n+1))
	}
	w.polled(3)
	to := len(w.witness.seen())
	v := w.verdict()
	v.whole(w.witness.seen(), from, to)
	v.report(t)
}

// TestLongTornConnections cuts the connection in the middle of batches, at each
// of their moments, with the worker alive.
func TestLongTornConnections(t *testing.T) {
	long(t)
	t.Parallel()
	w := newWorld(t, "--meetings", "4", "--people", "12", "--rate", "20")
	cut := make(chan struct{}, 100)
	var moment, cuts atomic.Int64
	w.proxy.SetHook(func(_ context.Context, m natsproxy.Moment) natsproxy.Verdict {
		if m.Messages > 1 || m.Kind == natsproxy.Begun {
			if want := moment.Load(); want == int64(m.Kind) && moment.CompareAndSwap(want, 0) {
				cuts.Add(1)
				cut <- struct{}{}
				return natsproxy.Cut
			}
		}
		return natsproxy.Pass
	})
	w.site("a", w.proxy.URL()).start()
	w.listen()
	w.polled(2)
	from := len(w.witness.seen())
	for range 2 {
		for _, kind := range []natsproxy.Kind{natsproxy.Begun, natsproxy.Committing, natsproxy.Committed, natsproxy.Acknowledged} {
			moment.Store(int64(kind))
			await(t, cut, "the connection is cut when a batch is "+kind.String())
			w.polled(1)
		}
	}
	w.proxy.Refuse()
	w.polled(3)
	w.proxy.Restore()
	w.polled(3)
	to := len(w.witness.seen())
	v := w.verdict()
	v.whole(w.witness.seen(), from, to)
	if n := cuts.Load(); n != 8 {
		t.Errorf("the connection was cut %d times, want 8", n)
	}
	v.report(t)
}
