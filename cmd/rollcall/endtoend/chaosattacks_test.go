//go:build unix

package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"rollcall/internal/natsproxy"
)

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
		{"the disk of a journal is full", 2, func(f *battlefield, r *rand.Rand) {
			if u := f.unit(r); u.disk != nil && u.filled.TryLock() {
				defer u.filled.Unlock()
				free := u.disk.fill()
				between(r, time.Second, 10*time.Second)
				free()
			}
		}},
		{"readers take nothing of what is sent to them", 1, func(f *battlefield, r *rand.Rand) {
			for _, end := range f.laggards(r) {
				defer end()
			}
			between(r, time.Second, 12*time.Second)
		}},
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

// fillServer has a server of a cluster run out of disk, and starts it again once there is
// room, as somebody has to.
func (f *battlefield) fillServer(r *rand.Rand) {
	f.server(r, func(b *broker) {
		free := b.disk.fill()
		between(r, time.Second, 10*time.Second)
		free()
		b.kill()
		b.start()
	})
}

// laggards have all that is stored sent to them, and read none of it.
func (f *battlefield) laggards(r *rand.Rand) (end []func()) {
	a := &attacker{orders: orders{NATS: f.servers[r.IntN(len(f.servers))].url()}}
	for n := range 3 {
		name := fmt.Sprint("laggard", n)
		body := fmt.Sprintf(`{"stream_name":"MEETINGS","config":{"name":%q,"deliver_subject":"_INBOX.%[1]s","ack_policy":"none","inactive_threshold":1000000000}}`, name)
		conn := a.raw(fmt.Sprintf("SUB meetings.> 1\r\nSUB _INBOX.%s 2\r\nPUB $JS.API.CONSUMER.CREATE.MEETINGS.%s _INBOX.none %d\r\n%s\r\n", name, name, len(body), body))
		if conn != nil { // the server may be away
			end = append(end, func() { _ = conn.Close() })
		}
	}
	return end
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
