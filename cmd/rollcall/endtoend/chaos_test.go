//go:build unix

package endtoend_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	chaosWorkers = 4
	// chaosCalls are more than can be spent: they are counted.
	chaosCalls = 100_000_000
	// guestMeetings are how many the second tenant has, who comes and goes.
	guestMeetings = 6
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
	parting  sync.Mutex
	leaving  sync.Mutex
	mortal   chan string // meetings that may still be ended
	lasting  []string    // the others, which may be untracked and tracked again
	more     []attack    // beside those of [attacks]
	astray   sync.Map    // by id: meetings that may not be tracked now
	counts   sync.Map    // of attacks, by name: *atomic.Int64
}

// chaosFlags are the simulator's: many meetings, in which much happens, and more where
// the attack lasts: an hour is to see a million events, and a machine that checks a
// change has other things to do.
func chaosFlags() []string {
	if os.Getenv("ROLLCALL_CHAOS") == "" {
		return []string{"--meetings", "60", "--people", "14", "--rate", "400"}
	}
	return []string{"--meetings", "60", "--people", "200", "--rate", "3000"}
}

func oneServer(t testing.TB) *battlefield {
	w := newWorld(t, chaosFlags()...)
	return newBattlefield(w, []*broker{w.broker}, 1)
}

func threeServers(t testing.TB) *battlefield {
	all := newCluster(t)
	for _, b := range all {
		if d, err := mountDisk(t, 32<<30); err == nil {
			b.disk, b.dir = d, d.dir
		}
	}
	w, _ := worldOf(t, all, chaosFlags()...)
	f := newBattlefield(w, all, 3)
	f.more = append(f.more, attack{"the cluster is split", 2, (*battlefield).split})
	if all[0].disk != nil {
		// Where there is one server alone, a full disk may cut a batch in two.
		f.more = append(f.more, attack{"the disk of a server is full", 1, (*battlefield).fillServer})
	}
	return f
}

func newBattlefield(w *world, servers []*broker, replicas int) *battlefield {
	half := len(w.sim.ids) / 2
	w.others = map[string]string{}
	for _, id := range w.sim.ids[len(w.sim.ids)-guestMeetings:] {
		w.others[id] = "guests"
	}
	f := &battlefield{world: w, servers: servers, mortal: make(chan string, half), lasting: w.sim.ids[half:]}
	for range cap(f.mortal) {
		f.mortal <- w.sim.ids[len(f.mortal)]
	}
	for n := range chaosWorkers {
		u := &unit{field: f, clock: newClock(w.t)}
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
		if d, err := mountDisk(w.t, 64<<20); err == nil {
			u.disk = d
			u.site.storeIn(d.dir)
		} else {
			w.t.Logf("no disk gets full: %v", err)
		}
		u.site.env = []string{clockVariable + "=" + u.clock.file.Name()}
		u.admit()
		u.config = u.site.config
		u.start()
		f.units = append(f.units, u)
	}
	w.live = follow(w.t, w.js, "meetings.state.>") // the events are read once, at the end
	return f
}

// fight attacks for a while, lets everything recover, and has it judged.
func (f *battlefield) fight(seed uint64, length time.Duration) {
	f.t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(30)) // half an hour leaves gigabytes to judge
	f.polled(5)
	over, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	var fronts sync.WaitGroup
	for n := range 4 {
		fronts.Go(func() { f.front(over, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	fronts.Go(func() { f.hunt(over, rand.New(rand.NewPCG(seed, 4))) })
	supervised := f.supervise()
	defer supervised() // before what a failed test takes away
	fronts.Wait()
	f.regroup(length / 3)
	f.calm()
	supervised()
	f.tally()
	f.nobodyCrashed()
	f.everyCallIsCounted()
	f.verdict().report(f.t)
}

// nobodyCrashed looks for a worker that ended by a panic, before somebody killed it or
// after.
func (f *battlefield) nobodyCrashed() {
	f.t.Helper()
	for _, p := range f.workers {
		if p.err.has("\ngoroutine ") {
			f.t.Errorf("%s crashed:\n%s", p.name, p.err.tail(6000))
		}
	}
}

// everyCallIsCounted expects the account of the month to know of each call that
// DingTalk has seen, though those who made them died.
func (f *battlefield) everyCallIsCounted() {
	f.t.Helper()
	made := f.witness.metered()
	out := launch(f.t, "budget", binary(f.t), nil, "budget", "--json", "--nats", f.broker.url())
	if code := out.exit(); code != 0 {
		f.t.Fatalf("rollcall budget: exit code %d: %s", code, out.err)
	}
	accounts, err := decode[[]struct {
		Account struct{ Spent, Reserved int64 }
	}]([]byte(out.out.String()))
	if err != nil || len(accounts) != 2 {
		f.t.Fatalf("rollcall budget says %s: %v", out.out, err)
	}
	known := int64(0)
	for _, a := range accounts {
		known += a.Account.Spent + a.Account.Reserved
	}
	if known < made {
		f.t.Errorf("the accounts know of %d calls that are spent or reserved; %d were made", known, made)
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
	return sync.OnceFunc(func() { cancel(); done.Wait() })
}

// regroup gives the workers time to share the meetings, beside what [battlefield.calm]
// waits: a claim after half an hour has more to read than one after a minute.
func (f *battlefield) regroup(most time.Duration) {
	f.t.Helper()
	over, tick := time.After(most), time.NewTicker(time.Second)
	defer tick.Stop()
	for len(f.holders(f.t)) != chaosWorkers {
		select {
		case <-tick.C:
		case <-over:
			return
		}
	}
}

// calm waits until all workers share the meetings again, and have asked about
// everything that goes on.
func (f *battlefield) calm() {
	f.t.Helper()
	f.shared(f.t, chaosWorkers)
	f.astray.Range(func(id, _ any) bool {
		eventually(f.t, id.(string)+" is tracked", func() bool { return f.order("track", id.(string)) })
		return true
	})
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
	for _, a := range append(attacks(), f.more...) {
		deck = append(deck, slices.Repeat([]attack{a}, a.weight)...)
	}
	for ctx.Err() == nil {
		a := deck[r.IntN(len(deck))]
		f.count(a.name)
		a.do(f, r)
		between(r, 100*time.Millisecond, 1500*time.Millisecond)
	}
}

// hunt kills one worker every 0.3 to 1.2 s for a while, then a server, and later another
// worker, whatever the others do meanwhile.
func (f *battlefield) hunt(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		u := f.unit(r)
		for range 8 + r.IntN(20) {
			u.kill()
			between(r, 300*time.Millisecond, 1200*time.Millisecond)
			if ctx.Err() != nil {
				return
			}
		}
		f.killServer(r)
		between(r, 2*time.Second, 6*time.Second)
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
	f.t.Logf("%d calls were made", f.witness.metered())
}
