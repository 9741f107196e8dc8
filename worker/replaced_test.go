package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/wire"
)

// site is where a ledger stands: it can be taken away, and another one put there.
type site struct {
	mu  sync.Mutex
	now *ledgertest.Memory // nil: there is none
}

func (l *site) put(m *ledgertest.Memory) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = m
}

func (l *site) at() (*ledgertest.Memory, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		return nil, fmt.Errorf("%w: no responders", ledger.ErrGone)
	}
	return l.now, nil
}

// with does something with the ledger that stands there now.
func with[T any](l *site, do func(m *ledgertest.Memory) (T, error)) (none T, err error) {
	m, err := l.at()
	if err != nil {
		return none, err
	}
	return do(m)
}

func (l *site) Claim(ctx context.Context, tenant string, shard int, holder string) (ledger.Claim, error) {
	return with(l, func(m *ledgertest.Memory) (ledger.Claim, error) { return m.Claim(ctx, tenant, shard, holder) })
}

func (l *site) Holder(ctx context.Context, tenant string, shard int) (ledger.Claim, error) {
	return with(l, func(m *ledgertest.Memory) (ledger.Claim, error) { return m.Holder(ctx, tenant, shard) })
}

func (l *site) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	return with(l, func(m *ledgertest.Memory) (map[string]ledger.Stored, error) { return m.Load(ctx, tenant, ids) })
}

func (l *site) LoadAll(ctx context.Context, tenant string) ([]ledger.Stored, error) {
	return with(l, func(m *ledgertest.Memory) ([]ledger.Stored, error) { return m.LoadAll(ctx, tenant) })
}

func (l *site) Tracked(ctx context.Context, tenant string) ([]ledger.Tracking, error) {
	return with(l, func(m *ledgertest.Memory) ([]ledger.Tracking, error) { return m.Tracked(ctx, tenant) })
}

func (l *site) Tail(ctx context.Context, tenant string, after uint64) (ledger.Tail, error) {
	return with(l, func(m *ledgertest.Memory) (ledger.Tail, error) { return m.Tail(ctx, tenant, after) })
}

func (l *site) LastEvents(ctx context.Context, tenant string, ids []string) (map[string]ledger.Last, error) {
	return with(l, func(m *ledgertest.Memory) (map[string]ledger.Last, error) { return m.LastEvents(ctx, tenant, ids) })
}

func (l *site) Position(ctx context.Context) (ledger.Position, error) {
	return with(l, func(m *ledgertest.Memory) (ledger.Position, error) { return m.Position(ctx) })
}

func (l *site) Members(ctx context.Context) ([]ledger.Member, error) {
	return with(l, func(m *ledgertest.Memory) ([]ledger.Member, error) { return m.Members(ctx) })
}

func (l *site) Commit(ctx context.Context, msgs []ledger.Message) (uint64, error) {
	m, err := l.at()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	}
	return m.Commit(ctx, msgs)
}

func (l *site) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	_, err := with(l, func(m *ledgertest.Memory) (any, error) { return nil, m.Heartbeat(ctx, id, info, ttl) })
	return err
}

func (l *site) Leave(ctx context.Context, id string) error {
	_, err := with(l, func(m *ledgertest.Memory) (any, error) { return nil, m.Leave(ctx, id) })
	return err
}

func (l *site) PutStatus(ctx context.Context, tenant string, s wire.Status) error {
	_, err := with(l, func(m *ledgertest.Memory) (any, error) { return nil, m.PutStatus(ctx, tenant, s) })
	return err
}

func (l *site) Watching(ctx context.Context, tenant string) (ledger.Watch, error) {
	return with(l, func(m *ledgertest.Memory) (ledger.Watch, error) { return m.Watching(ctx, tenant) })
}

func (l *site) Shards(ctx context.Context, tenants []string) (map[string]ledger.Shards, error) {
	return with(l, func(m *ledgertest.Memory) (map[string]ledger.Shards, error) { return m.Shards(ctx, tenants) })
}

func (l *site) SetShards(ctx context.Context, tenant string, count int, by string, expect uint64) (ledger.Shards, error) {
	return with(l, func(m *ledgertest.Memory) (ledger.Shards, error) { return m.SetShards(ctx, tenant, count, by, expect) })
}

// Renew creates a ledger where there is none.
func (l *site) Renew(context.Context) error {
	if _, err := l.at(); err != nil {
		l.put(ledgertest.NewMemory(names))
	}
	return nil
}

// part gives a ledger that holds what another one held up to a message.
func part(t *testing.T, m *ledgertest.Memory, upTo int) *ledgertest.Memory {
	t.Helper()
	other := ledgertest.NewMemory(names)
	for _, msg := range m.Messages()[:upTo] {
		plain := msg.Message
		plain.Guarded = false
		if _, err := other.Commit(t.Context(), []ledger.Message{plain}); err != nil {
			t.Fatal(err)
		}
	}
	return other
}

// backedUp starts a worker on a ledger, and returns how many messages a backup of it held
// when one more person came.
func backedUp(t *testing.T, w *world, l ledgers, m *ledgertest.Memory) (p *process, backup int) {
	t.Helper()
	w.set("c1", "ann")
	p = start(t, "w1", l, w, track("c1"))
	elapse(time.Minute)
	backup = len(m.Messages())
	w.set("c1", "ann", "bob")
	elapse(time.Minute)
	return p, backup
}

// Rows of the failure matrix: the ledger under a worker is deleted, emptied,
// restored from a backup, or away before it is another one. The worker says so
// in one line, begins as at a start, and what it tells from then on is true.
func TestALedgerThatIsReplaced(t *testing.T) {
	for what, replace := range map[string]func(t *testing.T, l *site, m *ledgertest.Memory, backup int){
		"deleted":  func(_ *testing.T, l *site, _ *ledgertest.Memory, _ int) { l.put(nil) },
		"emptied":  func(_ *testing.T, l *site, _ *ledgertest.Memory, _ int) { l.put(ledgertest.NewMemory(names)) },
		"restored": func(t *testing.T, l *site, m *ledgertest.Memory, backup int) { l.put(part(t, m, backup)) },
		"deleted, and restored before": func(t *testing.T, l *site, m *ledgertest.Memory, backup int) {
			l.put(nil)
			elapse(2 * time.Second)
			l.put(part(t, m, backup))
		},
	} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, l, m := newWorld(), &site{}, ledgertest.NewMemory(names)
				l.put(m)
				p, backup := backedUp(t, w, l, m)
				replace(t, l, m, backup)
				w.set("c1", "ann", "bob", "eve")
				elapse(time.Minute)
				w.set("c1", "bob", "eve")
				elapse(time.Minute)
				now, err := l.at()
				if err != nil {
					t.Fatal("the ledger is gone for good")
				}
				unique(t, now, "c1")
				lawful(t, now, "c1")
				if got := keys(record(t, now, "c1")); got != "bob eve" {
					t.Errorf("the roster is %q", got)
				}
				if words := strings.Join(tell(events(t, now, "c1")), " | "); !strings.Contains(words, "joined eve") {
					t.Errorf("told is %s", words)
				}
				if n := p.logs.FilterMessageSnippet("the ledger was replaced").Len(); n != 1 {
					t.Errorf("it was said %d times", n)
				}
				if err := p.worker.Ledger(); err != nil {
					t.Errorf("the ledger is there, and the worker says %v", err)
				}
				p.stop(t)
			})
		})
	}
}

// sameSite is one whose ledgers are backups of one another: each says that it was created
// when the first was.
type sameSite struct{ site }

func (l *sameSite) Position(ctx context.Context) (ledger.Position, error) {
	at, err := l.site.Position(ctx)
	at.Created, at.Alone = time.Unix(0, 0), true
	return at, err
}

// memberless is a ledger whose bucket of workers is deleted beside a stream that
// is well.
type memberless struct {
	*ledgertest.Memory
	gone, renewed atomic.Bool
}

func (l *memberless) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	if l.gone.Load() {
		return fmt.Errorf("%w: the bucket", ledger.ErrGone)
	}
	return l.Memory.Heartbeat(ctx, id, info, ttl)
}

func (l *memberless) Renew(context.Context) error {
	l.renewed.Store(true)
	l.gone.Store(false)
	return nil
}

// Row of the failure matrix: the bucket of the workers is deleted.
func TestMembersThatAreDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), &memberless{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c1"))
		elapse(time.Minute)
		l.gone.Store(true)
		elapse(4 * time.Second)
		if err := p.worker.Ledger(); err == nil {
			t.Error("nobody says that the bucket is gone")
		}
		elapse(6 * time.Second)
		if !l.renewed.Load() || p.worker.Ledger() != nil {
			t.Errorf("created anew: %v; what is wrong: %v", l.renewed.Load(), p.worker.Ledger())
		}
		if n := p.logs.FilterMessageSnippet("a bucket was deleted and is created anew").Len(); n != 1 {
			t.Errorf("it was said %d times", n)
		}
		p.stop(t)
	})
}

// lagged is a ledger whose answers about records are old ones, for a while.
type lagged struct {
	*ledgertest.Memory
	alone   bool // no replica can lag: what it shows is what there is
	old     atomic.Pointer[map[string]ledger.Stored]
	slow    atomic.Int64 // for how long an old answer is under way, in ns
	created atomic.Int64 // how much later it was created than it was, in ns
}

func (l *lagged) Load(ctx context.Context, tenant string, ids []string) (map[string]ledger.Stored, error) {
	if old := l.old.Load(); old != nil {
		time.Sleep(time.Duration(l.slow.Load()))
		return *old, nil
	}
	return l.Memory.Load(ctx, tenant, ids)
}

func (l *lagged) Position(ctx context.Context) (ledger.Position, error) {
	at, err := l.Memory.Position(ctx)
	at.Alone = l.alone
	at.Created = at.Created.Add(time.Duration(l.created.Load()))
	return at, err
}

// A reading that began in the ledger before says nothing against the one that
// took its place.
func TestALedgerThatIsReplacedDuringAReading(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(), &lagged{Memory: ledgertest.NewMemory(names)}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, track("c1"))
		elapse(time.Minute)
		old, err := l.Memory.Load(t.Context(), "acme", []string{"c1"})
		if err != nil {
			t.Fatal(err)
		}
		w.set("c1", "ann", "bob")
		elapse(20 * time.Second)
		l.slow.Store(int64(50 * time.Second))
		l.old.Store(&old)
		var refused atomic.Bool
		l.SetFail(func(op string) error { // so that the record is read again
			if op == "commit" && !refused.Swap(true) {
				return ledger.ErrStale
			}
			return nil
		})
		w.set("c1", "ann", "bob", "cid")
		elapse(20 * time.Second)
		l.created.Store(int64(time.Hour))
		elapse(time.Minute)
		if p.logs.FilterMessageSnippet("the ledger was replaced").Len() != 1 {
			t.Fatal("the ledger is not known to be replaced")
		}
		l.slow.Store(0)
		l.old.Store(nil)
		elapse(time.Minute)
		if err := p.worker.Ledger(); err != nil {
			t.Errorf("it was replaced long ago, and the worker says %v", err)
		}
		p.stop(t)
	})
}

// Rows of the failure matrix: the ledger shows less than it has acknowledged. A
// follower may lag, and catches up; a ledger of one replica has lost it.
func TestALedgerThatLags(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprint("alone ", alone), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, l := newWorld(), &lagged{Memory: ledgertest.NewMemory(names), alone: alone}
				w.set("c1", "ann")
				p := start(t, "w1", l, w, track("c1"))
				elapse(time.Minute)
				old, err := l.Memory.Load(t.Context(), "acme", []string{"c1"})
				if err != nil {
					t.Fatal(err)
				}
				w.set("c1", "ann", "bob")
				elapse(20 * time.Second)
				l.old.Store(&old)
				var refused atomic.Bool
				l.SetFail(func(op string) error { // so that the record is read again
					if op == "commit" && !refused.Swap(true) {
						return ledger.ErrStale
					}
					return nil
				})
				w.set("c1", "ann", "bob", "cid")
				elapse(30 * time.Second)
				l.SetFail(nil)
				replaced := p.logs.FilterMessageSnippet("the ledger was replaced").Len()
				if alone != (replaced > 0) {
					t.Errorf("the ledger counts as replaced: %d times", replaced)
				}
				if err := p.worker.Ledger(); !alone && err == nil {
					t.Error("nobody says that the ledger lags")
				}
				l.old.Store(nil)
				elapse(30 * time.Second)
				if got := keys(record(t, l.Memory, "c1")); got != "ann bob cid" {
					t.Errorf("the roster is %q", got)
				}
				unique(t, l.Memory, "c1")
				lawful(t, l.Memory, "c1")
				if err := p.worker.Ledger(); err != nil {
					t.Errorf("it has caught up, and the worker says %v", err)
				}
				p.stop(t)
			})
		})
	}
}
