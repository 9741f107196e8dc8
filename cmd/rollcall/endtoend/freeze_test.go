//go:build unix

package endtoend_test

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natsproxy"
)

// frozen stops a worker where the hook says so and lets go later.
type frozen struct {
	armed   atomic.Bool
	stopped chan struct{} // the worker stands still
	release chan struct{} // closed: what is held goes on
}

func newFrozen() *frozen {
	return &frozen{stopped: make(chan struct{}), release: make(chan struct{})}
}

// here stops the worker, once, and holds until it may go on.
func (f *frozen) here(ctx context.Context, p *worker) {
	if !f.armed.CompareAndSwap(true, false) {
		return
	}
	p.signal(syscall.SIGSTOP)
	close(f.stopped)
	select {
	case <-f.release:
	case <-ctx.Done():
	}
}

func TestLongFrozenWorker(t *testing.T) {
	long(t)
	t.Parallel()
	for name, freeze := range map[string]func(w *world, f *frozen, first *worker){
		// Its batch is on the way, held short of its last message.
		"with a batch": func(w *world, f *frozen, first *worker) {
			w.proxy.SetHook(func(ctx context.Context, m natsproxy.Moment) natsproxy.Verdict {
				if m.Kind == natsproxy.Committing && m.Messages > 1 {
					f.here(ctx, first)
				}
				return natsproxy.Pass
			})
		},
		// Its batch has not begun: the first message is all that arrived.
		"with a batch begun": func(w *world, f *frozen, first *worker) {
			w.proxy.SetHook(func(ctx context.Context, m natsproxy.Moment) natsproxy.Verdict {
				if m.Kind == natsproxy.Begun {
					f.here(ctx, first)
				}
				return natsproxy.Pass
			})
		},
		// Its batch is stored, and it does not know.
		"with an acknowledgement": func(w *world, f *frozen, first *worker) {
			w.proxy.SetHook(func(ctx context.Context, m natsproxy.Moment) natsproxy.Verdict {
				if m.Kind == natsproxy.Acknowledged && m.Messages > 1 {
					f.here(ctx, first)
				}
				return natsproxy.Pass
			})
		},
		// The answer is in its socket, unread. It is let go at once, so that
		// the frozen worker holds it when it wakes up.
		"with an answer": func(w *world, f *frozen, first *worker) {
			w.witness.hooks(nil, func(ctx context.Context, door string) {
				if door == "a" && f.armed.CompareAndSwap(true, false) {
					first.signal(syscall.SIGSTOP)
					close(f.stopped)
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "--meetings", "4", "--people", "15", "--rate", "25")
			f := newFrozen()
			first := w.site("a", w.proxy.URL()).start()
			w.listen()
			w.polled(2)
			freeze(w, f, first)
			f.armed.Store(true)
			await(t, f.stopped, "the first worker stands still")
			w.site("b", w.broker.url()).start()
			from := w.witness.asked("b")
			eventually(t, "the second worker has taken over", func() bool { return w.witness.asked("b") >= from+3 })
			first.signal(syscall.SIGCONT)
			close(f.release)
			eventually(t, "both workers live", func() bool { return members(t, w) == 2 })
			w.oneAsks()
			w.verdict().report(t)
		})
	}
}

func await(t testing.TB, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited %s in vain: %s", patience, what)
	}
}

// members is how many workers have signed in.
func members(t *testing.T, w *world) int {
	kv, err := w.js.KeyValue(t.Context(), "MEETINGS_WORKERS")
	if err != nil {
		return 0
	}
	keys, err := kv.ListKeys(t.Context(), jetstream.IgnoreDeletes())
	if err != nil {
		return 0
	}
	n := 0
	for range keys.Keys() {
		n++
	}
	return n
}

// oneAsks waits until one of the workers asks five times while the other does
// not at all.
func (w *world) oneAsks() {
	w.t.Helper()
	a, b := w.witness.asked("a"), w.witness.asked("b")
	eventually(w.t, "one worker alone asks", func() bool {
		byA, byB := w.witness.asked("a")-a, w.witness.asked("b")-b
		if byA > 0 && byB > 0 {
			a, b = a+byA, b+byB
		}
		return max(byA, byB) >= 5 && min(byA, byB) == 0
	})
}
