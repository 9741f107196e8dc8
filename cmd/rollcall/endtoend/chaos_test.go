//go:build unix

package endtoend_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/natsproxy"
)

// TestLongChaos sets all attacks at once on workers, on the NATS servers, and on the
// ways between them and to DingTalk, by chance that a seed decides, for as long as
// ROLLCALL_CHAOS says (by default a minute and a half). Then the judge, who knows the
// served answers and the stream alone, looks for what is lost, repeated, out of order or
// false.
func TestLongChaos(t *testing.T) {
	long(t)
	seed := uint64(numberFrom("ROLLCALL_SEED", 1))
	for name, open := range map[string]func(testing.TB) *battlefield{"one server": oneServer, "three servers": threeServers} {
		t.Run(name, func(t *testing.T) {
			t.Logf("seed %d: ROLLCALL_SEED=%d", seed, seed)
			open(t).fight(seed, durationFrom("ROLLCALL_CHAOS", 90*time.Second))
		})
	}
}

func durationFrom(variable string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(variable)); err == nil {
		return d
	}
	return otherwise
}

const (
	chaosWorkers = 3
	// chaosCalls are more than can be spent: they are counted.
	chaosCalls = 100_000_000
	// otherShards are how many there are while an update to them is rolled out and
	// rolled back.
	otherShards = 17
)

// battlefield is a world in which everything can be attacked.
type battlefield struct {
	*world
	servers []*broker
	units   []*unit

	starting sync.Mutex
	vexed    sync.Mutex
	dividing sync.Mutex
	mortal   chan string // meetings that may still be ended
	counts   sync.Map    // of attacks, by name: *atomic.Int64
}

// unit is a worker that is started again whenever it was killed, with ways of its own
// to each server.
type unit struct {
	field   *battlefield
	site    *site
	proxies []*natsproxy.Proxy

	mu     sync.Mutex
	worker *worker
	config string // the path

	misled sync.Mutex // held while its configuration is none
	frozen bool
}

// chaosFlags are the simulator's: many meetings, in which much happens.
func chaosFlags() []string {
	return []string{"--meetings", "60", "--people", "14", "--rate", "400"}
}

func oneServer(t testing.TB) *battlefield {
	w := newWorld(t, chaosFlags()...)
	return newBattlefield(w, []*broker{w.broker}, 1)
}

func threeServers(t testing.TB) *battlefield {
	w, all, _ := clusterWorld(t, chaosFlags()...)
	return newBattlefield(w, all, 3)
}

func newBattlefield(w *world, servers []*broker, replicas int) *battlefield {
	f := &battlefield{world: w, servers: servers, mortal: make(chan string, len(w.sim.ids)/2)}
	for range cap(f.mortal) {
		f.mortal <- w.sim.ids[len(f.mortal)]
	}
	for n := range chaosWorkers {
		u := &unit{field: f}
		var urls []string
		for _, b := range servers {
			p := natsproxy.Start(w.t, b.addr)
			u.proxies, urls = append(u.proxies, p), append(urls, p.URL())
		}
		u.site = w.site(string(rune('a'+n)), strings.Join(urls, ","))
		u.site.config = edited(w.t, u.site.config, `schedule: "@every 1s"`, fmt.Sprintf(`schedule: "@every 1s", shards: %d`, replicaShards))
		u.site.config = edited(w.t, u.site.config, "tenants:", fmt.Sprintf("stream: {replicas: %d}\ntenants:", replicas))
		u.site.config = edited(w.t, u.site.config, "level: debug", "level: info")
		u.site.config = edited(w.t, u.site.config, "monthly_calls: unlimited", fmt.Sprintf("monthly_calls: %d", chaosCalls))
		u.config = u.site.config
		u.start()
		f.units = append(f.units, u)
	}
	w.listen()
	return f
}

// attack is something that goes wrong for a while.
type attack struct {
	name   string
	weight int
	do     func(f *battlefield, r *rand.Rand)
}

// attacks are all that there are; each returns when it is over.
func attacks() []attack {
	return []attack{
		{"a worker is killed", 6, func(f *battlefield, r *rand.Rand) { f.unit(r).kill() }},
		{"a worker is killed again and again", 2, func(f *battlefield, r *rand.Rand) {
			u := f.unit(r)
			for range 3 + r.IntN(8) {
				u.kill()
				between(r, 300*time.Millisecond, 1200*time.Millisecond)
			}
		}},
		{"a worker stands still", 2, func(f *battlefield, r *rand.Rand) {
			u := f.unit(r)
			u.freeze()
			between(r, time.Second, 15*time.Second)
			u.thaw()
		}},
		{"a worker stands still with an answer in hand", 3, func(f *battlefield, r *rand.Rand) { f.zombie(r) }},
		{"a server is killed", 2, func(f *battlefield, r *rand.Rand) {
			f.server(r, func(b *broker) { b.kill(); between(r, 0, 3*time.Second); b.start() })
		}},
		{"a server stands still", 1, func(f *battlefield, r *rand.Rand) {
			f.server(r, func(b *broker) {
				b.process.signal(syscall.SIGSTOP)
				between(r, time.Second, 15*time.Second)
				b.process.signal(syscall.SIGCONT)
			})
		}},
		{"a leader steps down", 1, func(f *battlefield, r *rand.Rand) { f.stepDown(r) }},
		{"connections to NATS are cut", 3, func(f *battlefield, r *rand.Rand) { f.way(r).Cut() }},
		{"NATS is out of reach", 2, func(f *battlefield, r *rand.Rand) {
			ways := f.unit(r).proxies
			for _, p := range ways {
				p.Refuse()
			}
			between(r, 500*time.Millisecond, 8*time.Second)
			for _, p := range ways {
				p.Restore()
			}
		}},
		{"NATS is slow", 1, func(f *battlefield, r *rand.Rand) {
			p := f.way(r)
			p.SetDelay(time.Duration(r.IntN(20)) * time.Millisecond)
			between(r, time.Second, 5*time.Second)
			p.SetDelay(0)
		}},
		{"one side is not heard", 2, func(f *battlefield, r *rand.Rand) {
			p, clients := f.way(r), r.IntN(2) == 0
			p.Silence(clients, !clients)
			between(r, time.Second, 12*time.Second)
			p.Silence(false, false)
		}},
		{"nobody is heard", 1, func(f *battlefield, r *rand.Rand) {
			p := f.way(r)
			p.Silence(true, true)
			between(r, time.Second, 12*time.Second)
			p.Silence(false, false)
		}},
		{"the number of shards is changed, and changed back", 1, func(f *battlefield, r *rand.Rand) { f.redivide(r) }},
		{"a bad configuration is rolled out", 1, func(f *battlefield, r *rand.Rand) {
			u := f.unit(r)
			if !u.misled.TryLock() {
				return // it has one already
			}
			defer u.misled.Unlock()
			u.configure("tenants:", "tenant:")
			between(r, time.Second, 5*time.Second)
			u.configure("tenant:", "tenants:")
		}},
		{"DingTalk's answers are broken off or late", 3, func(f *battlefield, r *rand.Rand) { f.vex(r) }},
		{"a meeting ends", 1, func(f *battlefield, r *rand.Rand) { f.end(r) }},
	}
}

// between lets a while pass, of a length by chance.
func between(r *rand.Rand, least, most time.Duration) {
	<-time.After(least + time.Duration(r.Int64N(int64(most-least))))
}

func (f *battlefield) unit(r *rand.Rand) *unit { return f.units[r.IntN(len(f.units))] }

func (f *battlefield) way(r *rand.Rand) *natsproxy.Proxy {
	ways := f.unit(r).proxies
	return ways[r.IntN(len(ways))]
}

// server has something done to a server to which nothing is being done.
func (f *battlefield) server(r *rand.Rand, do func(*broker)) {
	b := f.servers[r.IntN(len(f.servers))]
	if !b.attacked.TryLock() {
		return
	}
	defer b.attacked.Unlock()
	do(b)
}

// kill kills a worker, and starts it again at once.
func (u *unit) kill() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.frozen {
		u.worker.kill()
		u.start()
	}
}

// start starts the worker, in the place of the one before.
func (u *unit) start() {
	u.field.starting.Lock()
	defer u.field.starting.Unlock()
	u.worker = u.site.start()
}

// configure changes the worker's configuration, and has it read again.
func (u *unit) configure(old, fresh string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.site.config = edited(u.field.t, u.site.config, old, fresh)
	u.rename()
	u.worker.signal(syscall.SIGHUP)
}

// rename keeps the configuration where the worker that runs reads it.
func (u *unit) rename() {
	if err := os.Rename(u.site.config, u.config); err != nil {
		u.field.t.Error(err)
	}
	u.site.config = u.config
}

// replace stops a worker in order and starts it with another configuration.
func (u *unit) replace(old, fresh string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.frozen {
		u.worker.kill()
		u.frozen = false
	}
	u.worker.signal(syscall.SIGTERM)
	u.worker.exit()
	u.site.config = edited(u.field.t, u.site.config, old, fresh)
	u.rename()
	u.start()
}

// revive starts a worker again that has ended by itself, as a supervisor does.
func (u *unit) revive() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.worker.alive() {
		u.field.count("a worker ended by itself")
		u.field.t.Logf("worker %s ended by itself: %s", u.site.name, u.worker.err.tail(600))
		u.start()
	}
}

func (u *unit) freeze() { u.set(true, syscall.SIGSTOP) }
func (u *unit) thaw()   { u.set(false, syscall.SIGCONT) }

func (u *unit) set(frozen bool, signal syscall.Signal) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.frozen = frozen
	u.worker.signal(signal)
}

// stepDown has another server lead the stream, where there is one.
func (f *battlefield) stepDown(r *rand.Rand) {
	streams := []string{"MEETINGS", "KV_MEETINGS_WORKERS"}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = f.conn.RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+streams[r.IntN(len(streams))], nil) // it may have none
}

// redivide rolls another number of shards out, and back.
func (f *battlefield) redivide(r *rand.Rand) {
	if !f.dividing.TryLock() {
		return
	}
	defer f.dividing.Unlock()
	was, is := fmt.Sprintf("shards: %d", replicaShards), fmt.Sprintf("shards: %d", otherShards)
	for _, pair := range [][2]string{{was, is}, {is, was}} {
		for _, u := range f.units {
			u.replace(pair[0], pair[1])
			between(r, 100*time.Millisecond, 3*time.Second)
		}
	}
}

// zombie stops a worker when an answer is on its way to it, until others have taken
// its place.
func (f *battlefield) zombie(r *rand.Rand) {
	if !f.vexed.TryLock() {
		return
	}
	defer f.vexed.Unlock()
	u, stopped := f.unit(r), make(chan struct{})
	var once sync.Once
	f.witness.hooks(nil, func(_ context.Context, door string) {
		if door == u.site.name {
			once.Do(func() { u.freeze(); close(stopped) })
		}
	})
	select {
	case <-stopped:
		between(r, 12*time.Second, 20*time.Second)
	case <-time.After(5 * time.Second): // it asks about nothing
	}
	f.witness.hooks(nil, nil)
	once.Do(func() {})
	u.thaw()
}

// end ends a meeting, in one of the ways that DingTalk tells it.
func (f *battlefield) end(r *rand.Rand) {
	select {
	case id := <-f.mortal:
		f.sim.act("end", id, map[string]any{"endStyle": endStyles()[r.IntN(3)]})
	default:
	}
}

// vex breaks off questions, or holds answers back, for a while.
func (f *battlefield) vex(r *rand.Rand) {
	if !f.vexed.TryLock() {
		return
	}
	defer f.vexed.Unlock()
	var questions atomic.Int64
	every := int64(2 + r.IntN(4))
	late := time.Duration(r.Int64N(int64(6 * time.Second)))
	f.witness.hooks(func(string) bool { return questions.Add(1)%every == 0 }, func(ctx context.Context, _ string) {
		if questions.Load()%every != 1 {
			return
		}
		select {
		case <-time.After(late):
		case <-ctx.Done():
		}
	})
	between(r, time.Second, 6*time.Second)
	f.witness.hooks(nil, nil)
}

// fight attacks for a while, lets everything recover, and has it judged.
func (f *battlefield) fight(seed uint64, length time.Duration) {
	f.t.Helper()
	f.polled(5)
	over, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	var fronts sync.WaitGroup
	for n := range 4 {
		fronts.Go(func() { f.front(over, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	supervised := f.supervise()
	fronts.Wait()
	f.calm()
	supervised()
	f.tally()
	f.everyCallIsCounted()
	f.verdict().report(f.t)
}

// everyCallIsCounted expects the account of the month to know of each call that
// DingTalk has seen, though those who made them died.
func (f *battlefield) everyCallIsCounted() {
	f.t.Helper()
	made := f.witness.metered()
	out := launch(f.t, "budget", binary(f.t), nil, "budget", "--json", "--tenant", "acme", "--nats", f.broker.url())
	if code := out.exit(); code != 0 {
		f.t.Fatalf("rollcall budget: exit code %d: %s", code, out.err)
	}
	accounts, err := decode[[]struct {
		Account struct{ Spent, Reserved int64 }
	}]([]byte(out.out.String()))
	if err != nil || len(accounts) != 1 {
		f.t.Fatalf("rollcall budget says %s: %v", out.out, err)
	}
	if a := accounts[0].Account; a.Spent+a.Reserved < made {
		f.t.Errorf("the account knows of %d calls and %d reserved ones; %d were made", a.Spent, a.Reserved, made)
	}
}

// supervise starts workers again that end by themselves, until it is told to stop.
func (f *battlefield) supervise() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			for _, u := range f.units {
				u.revive()
			}
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// calm waits until all workers share the meetings again, and have asked about
// everything that goes on.
func (f *battlefield) calm() {
	f.t.Helper()
	f.shared(f.t, chaosWorkers)
	from := len(f.witness.seen())
	eventually(f.t, "everything is asked about again", func() bool {
		all := f.witness.seen()
		times := asks(all[from:])
		return !slices.ContainsFunc(f.sim.ids, func(id string) bool {
			said, _ := last(id, all)
			return len(times[id]) < 3 && said.Status != "ended"
		})
	})
}

// front makes one attack after the other.
func (f *battlefield) front(ctx context.Context, r *rand.Rand) {
	var deck []attack
	for _, a := range attacks() {
		deck = append(deck, slices.Repeat([]attack{a}, a.weight)...)
	}
	for ctx.Err() == nil {
		a := deck[r.IntN(len(deck))]
		f.count(a.name)
		a.do(f, r)
		between(r, 100*time.Millisecond, 1500*time.Millisecond)
	}
}

func (f *battlefield) count(name string) {
	count, _ := f.counts.LoadOrStore(name, new(atomic.Int64))
	count.(*atomic.Int64).Add(1)
}

// tally says how often what was done.
func (f *battlefield) tally() {
	f.t.Helper()
	all := map[string]int64{}
	f.counts.Range(func(name, count any) bool { all[name.(string)] = count.(*atomic.Int64).Load(); return true })
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f.t.Logf("%4d × %s", all[name], name)
	}
	starts := len(f.workers) - chaosWorkers
	f.t.Logf("workers were killed %d times, %d calls were made", starts, f.witness.metered())
}
