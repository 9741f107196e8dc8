package worker_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/simulator"
	"rollcall/worker"
)

// list sets whom DingTalk's list of a meeting names; who stands first is the host.
func (l *listing) list(id string, people ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lists == nil {
		l.lists = map[string][]rollcall.Member{}
	}
	l.lists[id] = nil
	for i, name := range people {
		l.lists[id] = append(l.lists[id], rollcall.Member{
			UserID: name, Attendance: rollcall.AttendancePresent, Roles: rollcall.Roles{Host: rollcall.FactOf(i == 0), External: rollcall.FactFalse},
		})
	}
}

// roled runs a worker that reads the lists of meetings that go on.
func roled(t *testing.T, id string, m ledgers, l *listing, change func(*worker.Config), ids ...string) *process {
	t.Helper()
	return start(t, id, m, l.world, func(c *worker.Config) {
		track(ids...)(c)
		c.Tenants[0].Roles = true
		c.Tenants[0].Asker = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}
		if change != nil {
			change(c)
		}
	})
}

// roles returns what is known of a meeting's people: "ann host, bob".
func roles(t *testing.T, m *ledgertest.Memory, id string) string {
	t.Helper()
	var all []string
	for _, p := range record(t, m, id).Roster {
		all = append(all, strings.TrimSpace(p.Key+" "+p.Roles.String()))
	}
	return strings.Join(all, ", ")
}

// A list is read after the start and after somebody has joined: what it says of
// those who are there is told then, and not before.
func TestRolesAreReadWhereAMeetingGrows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
		l.world.set("c1", "ann", "bob")
		l.list("c1", "ann", "bob")
		p := roled(t, "w1", m, l, nil, "c1")
		elapse(40 * time.Second)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined bob",
			"participant.role_changed ann", "participant.role_changed bob")
		l.list("c1", "bob", "ann", "eve")
		l.world.set("c1", "ann*", "bob")
		elapse(time.Hour)
		l.world.set("c1", "bob")
		elapse(time.Hour)
		if n := l.calls(); n != 1 {
			t.Errorf("%d lists were read, want that after the start alone", n)
		}
		l.world.set("c1", "bob", "eve")
		elapse(40 * time.Second)
		if got := roles(t, m, "c1"); got != "bob host, eve" || l.calls() != 2 {
			t.Errorf("after %d lists the roles are %q", l.calls(), got)
		}
		all := events(t, m, "c1")
		told := all[len(all)-2]
		if told.Type != rollcall.ParticipantRoleChanged || told.Provenance != rollcall.ProvenanceObserved || told.Window.After.IsZero() {
			t.Errorf("the hand-over is told as %+v", told)
		}
		lawful(t, m, "c1")
		p.stop(t)
	})
}

// Whoever is handed the meeting is its host in the record once a list was read since,
// and everybody else is not, whatever happens meanwhile.
func TestRolesEqualTheTruth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOutage(t, simulator.Config{Seed: 4, Meetings: 20, Empty: true})
		o.change = func(c *worker.Config) { c.Tenants[0].Roles = true }
		o.work(t, "w1")
		rng := rand.New(rand.NewPCG(1, 2))
		there, host := map[string][]string{}, map[string]string{}
		for round := range 12 {
			for _, id := range o.ids {
				newcomer := fmt.Sprint("p", round)
				there[id] = append(there[id], newcomer)
				o.act(t, id, "join "+newcomer)
				if next := there[id][rng.IntN(len(there[id]))]; next != host[id] {
					o.act(t, id, "host "+next)
					host[id] = next
				}
			}
			elapse(90 * time.Second) // a minute at most since the last list
			for _, id := range o.ids {
				for _, p := range record(t, o.m, id).Roster {
					if p.Host != rollcall.FactOf(p.UserID == host[id]) {
						t.Fatalf("round %d, %s: that %s is the host is %q, %s is", round, id, p.UserID, p.Host, host[id])
					}
				}
			}
		}
		o.stop()
		o.end()
		for _, id := range o.ids {
			lawful(t, o.m, id)
		}
	})
}

// Where they are not wanted no list of a meeting that goes on is read.
func TestRolesAreNotReadUnasked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
		l.world.set("c1", "ann")
		p := roled(t, "w1", m, l, func(c *worker.Config) { c.Tenants[0].Roles = false; summarizing(c, m) }, "c1")
		elapse(time.Hour)
		if l.calls() != 0 {
			t.Errorf("%d lists were read", l.calls())
		}
		l.world.status("c1", rollcall.StatusEnded)
		elapse(time.Minute)
		p.stop(t)
		summaryOf(t, m, "c1")
	})
}

// A crowd that comes one by one costs a list a minute, and the last one who comes
// is in one; a list that cannot be read is asked for ever more rarely.
func TestListsAreReadOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
		p := roled(t, "w1", m, l, nil, "c1")
		var people []string
		for i := range 40 {
			people = append(people, fmt.Sprintf("p%02d", i))
			l.list("c1", people...)
			l.world.set("c1", people...)
			elapse(15 * time.Second)
		}
		elapse(90 * time.Second)
		if n := l.calls(); n < 8 || n > 12 {
			t.Errorf("%d lists were read in 11 minutes", n)
		}
		for _, one := range record(t, m, "c1").Roster {
			if !one.Host.Known() {
				t.Errorf("nothing is known of %s", one.Key)
			}
		}
		before := l.calls()
		l.set(errors.New("connection reset"))
		l.world.set("c1", append(people, "late")...)
		elapse(6 * time.Hour)
		if n := l.calls() - before; n < 12 || n > 30 { // each time twice
			t.Errorf("a list that fails was asked for %d times in 6 h", n)
		}
		l.list("c1", append(people, "late")...)
		l.set(nil)
		elapse(90 * time.Minute)
		if got := roles(t, m, "c1"); !strings.HasPrefix(got, "late, p00 host, p01,") {
			t.Errorf("at last the roles are %q", got)
		}
		lawful(t, m, "c1")
		p.stop(t)
	})
}

// Of a budget lists take a fifth at most, and questions never wait for them.
func TestRolesKeepToTheirShare(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l, purse := ledgertest.NewMemory(names), &listing{world: newWorld()}, &purse{calls: 1}
		ids := []string{"c0", "c1", "c2", "c3"}
		p := roled(t, "w1", m, l, func(c *worker.Config) { rarely(t, c); c.Tenants[0].Budget = purse }, ids...)
		for minute := range 300 {
			for _, id := range ids {
				l.world.set(id, "ann", fmt.Sprintf("p%03d", minute))
				l.list(id, "ann", fmt.Sprintf("p%03d", minute))
			}
			elapse(time.Minute)
		}
		p.stop(t)
		lists, questions := l.calls(), l.world.asked()
		if questions < 299 || lists*4 > questions+8 || lists*6 < questions {
			t.Errorf("%d lists were read beside %d questions", lists, questions)
		}
	})
}

// Whom a list does not name stays without roles, and is counted.
func TestWhoCannotBeMatchedIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l, registry := ledgertest.NewMemory(names), &listing{world: newWorld()}, prometheus.NewRegistry()
		l.world.put("c1", &meeting{Title: "c1", Status: rollcall.StatusStarted, Users: []user{
			{ID: "ann", Att: rollcall.AttendancePresent}, {ID: "bob", Att: rollcall.AttendancePresent}, {Nick: "Guest", Att: rollcall.AttendancePresent},
		}})
		l.list("c1", "ann")
		p := roled(t, "w1", m, l, func(c *worker.Config) { c.Registry = registry }, "c1")
		elapse(time.Minute)
		p.stop(t)
		if n := valueOf(t, registry, "rollcall_members_unmatched_total"); n != 2 {
			t.Errorf("%v people could not be matched, want 2", n)
		}
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.joined anon:Guest#1", "participant.joined bob", "participant.role_changed ann")
	})
}

// valueOf returns the value of the one counter of a name.
func valueOf(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name && len(family.GetMetric()) == 1 {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return -1
}

// A worker that is killed at any step between somebody's joining and the roles, or
// that does not hear what became of it, leaves them known and told once.
func TestRolesSurviveAKill(t *testing.T) {
	for step := range 6 {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprint("step ", step, ", it took effect: ", taken), func(t *testing.T) {
				bubble(t, func(t *testing.T) { killedBeforeRoles(t, step, taken) })
			})
		}
	}
}

func killedBeforeRoles(t *testing.T, step int, taken bool) {
	m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
	l.world.set("c1", "ann")
	l.list("c1", "ann")
	p := roled(t, "w1", m, l, nil, "c1")
	elapse(80 * time.Second)
	var mu sync.Mutex
	left, dead := step, false
	m.SetFail(func(op string) error {
		mu.Lock()
		defer mu.Unlock()
		if op != "commit" && op != "commit done" {
			return nil
		}
		if left--; left >= 0 && !dead {
			return nil
		}
		dead = true
		if taken == (op == "commit done") {
			return ledger.ErrUnknown
		}
		return nil
	})
	l.list("c1", "ann", "bob")
	l.world.set("c1", "ann", "bob")
	elapse(40 * time.Second)
	p.kill()
	<-p.ended
	m.SetFail(nil)
	p = roled(t, "w2", m, l, nil, "c1")
	elapse(3 * time.Minute)
	p.stop(t)
	expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.role_changed ann", "participant.joined bob", "participant.role_changed bob")
	lawful(t, m, "c1")
}

// A meeting whose list nobody has read is due for it where another worker takes it
// over, and one at rest is not.
func TestAnHeirReadsWhatIsMissing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
		l.world.set("c1", "ann")
		l.world.set("c2", "eve")
		l.list("c2", "eve")
		p := roled(t, "w1", m, l, nil, "c2")
		elapse(time.Minute)
		p.stop(t)
		p = start(t, "w2", m, l.world, track("c1", "c2"))
		elapse(time.Minute)
		p.stop(t)
		l.list("c1", "ann")
		before := l.calls()
		p = roled(t, "w3", m, l, nil, "c1", "c2")
		elapse(10 * time.Minute)
		p.stop(t)
		if n := l.calls() - before; n != 1 || roles(t, m, "c1") != "ann host" {
			t.Errorf("%d lists were read; the roles are %q", n, roles(t, m, "c1"))
		}
	})
}

// More roles than a batch holds are told in slices; whatever becomes of a slice, all
// are told once.
func TestRolesInSlices(t *testing.T) {
	for _, ends := range []bool{true, false} {
		t.Run(fmt.Sprint("the process ends: ", ends), func(t *testing.T) {
			bubble(t, func(t *testing.T) { slicedRoles(t, ends) })
		})
	}
}

func slicedRoles(t *testing.T, ends bool) {
	m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
	crowd(l.world, 1500, "")
	var people []string
	for i := range 1500 {
		people = append(people, fmt.Sprintf("p%04d", i))
	}
	l.list("big", people...)
	book := &line{Memory: m, paper: &paper{}, world: l.world, book: newBook()}
	employ := func(line *line) *process {
		return connect(t, "w1", line, func(c *worker.Config) {
			track("big")(c)
			c.Tenants[0].Roles = true
			c.Tenants[0].Asker = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}
		})
	}
	p := employ(book)
	elapse(time.Second)
	struck := false
	book.set(afterSlice(book, m, 1, ends, &struck))
	elapse(2 * time.Minute)
	if !struck {
		t.Fatal("there was no such slice")
	}
	if ends {
		p.end(book)
		p = employ(&line{Memory: m, paper: book.paper, world: l.world, book: book.book})
	}
	elapse(3 * time.Minute)
	p.stop(t)
	lawful(t, m, "big")
	told := strings.Count(strings.Join(tell(events(t, m, "big")), "\n"), "participant.role_changed")
	if r := record(t, m, "big"); told != 1500 || r.Partial != nil {
		t.Errorf("%d roles were told, want 1500; partial %v", told, r.Partial)
	}
}

// Somebody who comes back is a reason for a reading, though nobody hears that it was
// stored, and though something was known before.
func TestAReturnThatNobodyHearsOfIsAGrowth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, l := ledgertest.NewMemory(names), &listing{world: newWorld()}
		l.world.set("c1", "ann", "bob")
		l.list("c1", "ann", "bob")
		p := roled(t, "w1", m, l, nil, "c1")
		elapse(80 * time.Second)
		l.world.set("c1", "ann")
		elapse(30 * time.Second)
		var lost atomic.Bool
		m.SetFail(func(op string) error {
			if op == "commit done" && !lost.Swap(true) {
				return ledger.ErrUnknown
			}
			return nil
		})
		l.list("c1", "bob", "ann")
		l.world.set("c1", "ann", "bob")
		elapse(80 * time.Second)
		p.stop(t)
		if got := roles(t, m, "c1"); got != "ann, bob host" || !lost.Load() {
			t.Errorf("the roles are %q", got)
		}
		lawful(t, m, "c1")
	})
}
