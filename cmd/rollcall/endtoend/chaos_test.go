//go:build unix

package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime/debug"
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

// unit is a worker that is started again whenever it was killed, with ways of its own
// to each server.
type unit struct {
	field   *battlefield
	site    *site
	proxies []*natsproxy.Proxy

	mu     sync.Mutex
	worker *worker
	config string // the path
	guests string // what it says of the second tenant
	clock  clock

	misled sync.Mutex // held while its configuration is none
	frozen bool
}

// chaosFlags are the simulator's: many meetings, in which much happens, and more where
// the attack lasts: an hour is to see a million events, and a machine that checks a
// change has other things to do.
func chaosFlags() []string {
	if os.Getenv("ROLLCALL_CHAOS") == "" {
		return []string{"--meetings", "60", "--people", "14", "--rate", "400"}
	}
	return []string{"--meetings", "60", "--people", "100", "--rate", "1500"}
}

func oneServer(t testing.TB) *battlefield {
	w := newWorld(t, chaosFlags()...)
	return newBattlefield(w, []*broker{w.broker}, 1)
}

func threeServers(t testing.TB) *battlefield {
	w, all, _ := clusterWorld(t, chaosFlags()...)
	f := newBattlefield(w, all, 3)
	f.more = []attack{{"the cluster is split", 2, (*battlefield).split}}
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
		u.site.env = []string{clockVariable + "=" + u.clock.file.Name()}
		u.admit()
		u.config = u.site.config
		u.start()
		f.units = append(f.units, u)
	}
	w.live = follow(w.t, w.js, "meetings.state.>") // the events are read once, at the end
	return f
}

// admit adds the second tenant to a configuration: one like the first, to which some of
// the meetings belong.
func (u *unit) admit() {
	t, ids := u.field.t, u.field.sim.ids
	list := func(ids []string) string {
		text, err := json.Marshal(ids)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	own, guests := list(ids[:len(ids)-guestMeetings]), list(ids[len(ids)-guestMeetings:])
	u.site.config = edited(t, u.site.config, list(ids), own)
	_, tenant, _ := strings.Cut(contents(t, u.site.config), "tenants:\n")
	tenant, _, _ = strings.Cut(tenant, "http: {")
	u.guests = strings.NewReplacer("name: acme", "name: guests", own, guests, fmt.Sprint("shards: ", replicaShards), "shards: 5").Replace(tenant)
	u.site.config = edited(t, u.site.config, "http: {", u.guests+"http: {")
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
		{"a worker is killed", 4, func(f *battlefield, r *rand.Rand) { f.unit(r).kill() }},
		{"a worker stands still", 2, func(f *battlefield, r *rand.Rand) {
			u := f.unit(r)
			u.freeze()
			between(r, time.Second, 15*time.Second)
			u.thaw()
		}},
		{"a worker stands still with an answer in hand", 3, func(f *battlefield, r *rand.Rand) { f.zombie(r) }},
		{"a server is killed", 2, func(f *battlefield, r *rand.Rand) { f.killServer(r) }},
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
		{"a tenant is taken out, and added again", 1, func(f *battlefield, r *rand.Rand) { f.dismiss(r) }},
		{"DingTalk's answers are broken off or late", 3, func(f *battlefield, r *rand.Rand) { f.vex(r) }},
		{"a meeting ends, and may be opened again", 2, func(f *battlefield, r *rand.Rand) { f.end(r) }},
		{"a meeting is untracked, and tracked again", 3, func(f *battlefield, r *rand.Rand) {
			id := f.lasting[r.IntN(len(f.lasting))]
			f.insist(r, "untrack", id)
			between(r, 0, 10*time.Second)
			f.insist(r, "track", id)
		}},
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

// killServer kills a server, and starts it again after a while.
func (f *battlefield) killServer(r *rand.Rand) {
	f.server(r, func(b *broker) {
		b.kill()
		f.count("(kills of servers)")
		between(r, 0, 3*time.Second)
		b.start()
	})
}

// kill kills a worker, and starts it again at once.
func (u *unit) kill() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.frozen {
		u.worker.kill()
		u.field.count("(kills of workers)")
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

// split has servers of a cluster not reach each other: one neither of the others, or two
// of them, while the third reaches both.
func (f *battlefield) split(r *rand.Rand) {
	if !f.parting.TryLock() {
		return
	}
	defer f.parting.Unlock()
	how := severed(r.IntN(int(ways)))
	first := r.IntN(len(f.servers))
	for n := range 1 + r.IntN(2) {
		defer f.servers[first].sever(how, f.servers[(first+1+n)%len(f.servers)])()
	}
	between(r, time.Second, 15*time.Second)
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

// dismiss rolls out a configuration without the second tenant, and one with it.
func (f *battlefield) dismiss(r *rand.Rand) {
	if !f.leaving.TryLock() {
		return
	}
	defer f.leaving.Unlock()
	const gone = "# no guests\n"
	for _, u := range f.units {
		u.configure(u.guests, gone)
		between(r, 100*time.Millisecond, 2*time.Second)
	}
	for _, u := range f.units {
		u.configure(gone, u.guests)
		between(r, 100*time.Millisecond, 2*time.Second)
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

// end ends a meeting, in one of the ways that DingTalk tells it, for good or for a while.
func (f *battlefield) end(r *rand.Rand) {
	select {
	case id := <-f.mortal:
		f.sim.act("end", id, map[string]any{"endStyle": endStyles()[r.IntN(3)]})
		if r.IntN(2) == 0 {
			return
		}
		between(r, time.Second, 10*time.Second)
		f.sim.act("start", id, nil)
		f.count("(a meeting was opened again)")
		f.mortal <- id
		f.insist(r, "track", id) // who has seen the end asks no more
	default:
	}
}

// insist orders a few times, as the workers that would obey may be under attack.
func (f *battlefield) insist(r *rand.Rand, verb, id string) {
	f.astray.Store(id, true)
	for range 2 {
		if f.order(verb, id) {
			f.count("(a meeting was " + verb + "ed)")
			return
		}
		between(r, 100*time.Millisecond, 2*time.Second)
	}
}

// order has the workers track or untrack a meeting, and reports whether they do.
func (f *battlefield) order(verb, id string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]string{"conferenceId": id})
	if err != nil {
		f.t.Error(err)
	}
	answer, err := f.conn.RequestWithContext(ctx, "rollcall.MEETINGS.api."+f.tenant(id)+"."+verb, body)
	return err == nil && answer.Header.Get("Nats-Service-Error-Code") == ""
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
	return func() { cancel(); done.Wait() }
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
		for range 10 + r.IntN(30) {
			u.kill()
			between(r, 300*time.Millisecond, 1200*time.Millisecond)
			if ctx.Err() != nil {
				return
			}
		}
		f.killServer(r)
		between(r, 2*time.Second, 10*time.Second)
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
