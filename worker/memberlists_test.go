package worker_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/simulator"
	"rollcall/worker"
)

func summarizing(c *worker.Config, m *ledgertest.Memory) {
	c.Tenants[0].Summaries, c.Eraser = true, ledgertest.Eraser{Ledger: m}
}

// rarely has the worker look once a minute, so that long times are tried soon.
func rarely(t *testing.T, c *worker.Config) {
	t.Helper()
	schedule, err := poller.ParseSchedule("@every 60s", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	c.Tenants[0].Schedule, c.MemberTTL = schedule, time.Minute
}

// summaryOf returns the one summary of a meeting.
func summaryOf(t *testing.T, m *ledgertest.Memory, id string) *rollcall.Summary {
	t.Helper()
	var found []*rollcall.Summary
	for _, e := range events(t, m, id) {
		if e.Type == rollcall.MeetingSummarized {
			found = append(found, e.Summary)
		}
	}
	if len(found) != 1 || found[0] == nil {
		t.Fatalf("%s: %d summaries are told: %v", id, len(found), tell(events(t, m, id)))
	}
	return found[0]
}

// span is a true visit.
type span struct{ joined, left time.Time }

// truly returns the true visits: of those with an id by it, where one on two devices
// at once is one; of the others by nick, each alone.
func truly(facts []simulator.Fact, id string) map[string][]span {
	type place struct {
		who    string
		number int
	}
	there, visits := map[place]time.Time{}, map[string][]span{}
	for _, f := range facts {
		if f.ConferenceID != id || f.Line.Number == 0 {
			continue
		}
		at, who := f.At.Truncate(time.Millisecond), f.Line.UserID
		if who == "" {
			who = "nick " + rollcall.Clip(f.Line.Nick)
		}
		p := place{who, f.Line.Number}
		since, present := there[p]
		switch is := f.Line.Attendance == rollcall.AttendancePresent; {
		case is && !present:
			there[p] = at
		case !is && present:
			delete(there, p)
			visits[who] = append(visits[who], span{since, at})
		}
	}
	for who, all := range visits {
		slices.SortFunc(all, func(a, b span) int { return cmp.Or(a.joined.Compare(b.joined), a.left.Compare(b.left)) })
		if visits[who] = all; !strings.HasPrefix(who, "nick ") {
			visits[who] = united(all)
		}
	}
	return visits
}

func united(all []span) (out []span) {
	for _, s := range all {
		if n := len(out); n > 0 && s.joined.Before(out[n-1].left) {
			if s.left.After(out[n-1].left) {
				out[n-1].left = s.left
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// toldBy returns the visits of a summary in the same way.
func toldBy(s *rollcall.Summary) map[string][]rollcall.Visit {
	visits := map[string][]rollcall.Visit{}
	for _, p := range s.People {
		who := p.UserID
		if who == "" {
			who = "nick " + p.Nick
		}
		visits[who] = append(visits[who], p.Visits...)
	}
	for who := range visits {
		slices.SortStableFunc(visits[who], func(a, b rollcall.Visit) int {
			return cmp.Or(a.Joined.Latest().Compare(b.Joined.Latest()), a.Left.Latest().Compare(b.Left.Latest()))
		})
	}
	return visits
}

// people lets people come and go in meetings that are looked at once a minute, and
// ends them.
func people(t *testing.T, meetings int, after func(d *dingTalk), holds func(d *dingTalk, m *ledgertest.Memory, ids []string)) {
	bubble(t, func(t *testing.T) {
		d := newDingTalk(t, simulator.Config{Seed: 19, Meetings: meetings, People: 8, Rate: 0.15 * float64(meetings), Gone: simulator.GoneMixed})
		ids := d.ConferenceIDs()
		ctx, cancel := context.WithCancel(t.Context())
		var living sync.WaitGroup
		living.Go(func() { _ = d.Run(ctx) })
		m := ledgertest.NewMemory(names)
		p, client := d.employ(t, "w1", m, func(c *worker.Config) {
			rarely(t, c)
			summarizing(c, m)
		}, ids...)
		elapse(15*time.Minute + 40*time.Second)
		for _, id := range ids {
			if _, err := d.Act(simulator.Act{Verb: "end", ConferenceID: id}); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		living.Wait()
		after(d)
		p.stop(t)
		client.Close()
		d.wire.Close()
		holds(d, m, ids)
	})
}

// Every visit is in the summary, also those that no poll has seen, with DingTalk's
// exact times.
func TestEveryVisitIsSummarized(t *testing.T) {
	const meetings = 100
	people(t, meetings, func(*dingTalk) { elapse(10 * time.Minute) }, func(d *dingTalk, m *ledgertest.Memory, ids []string) {
		facts, visits, unseen := d.Happened(), 0, 0
		for _, id := range ids {
			lawful(t, m, id)
			s, truth := summaryOf(t, m, id), truly(facts, id)
			if !s.Complete || s.Truncated > 0 || s.EndedAt.At.IsZero() || s.StartedAt.At.IsZero() {
				t.Errorf("%s: the summary is %+v", id, s)
			}
			got := map[string][]span{}
			for who, all := range toldBy(s) {
				for _, v := range all {
					got[who] = append(got[who], span{v.Joined.At, v.Left.At})
					if over := v.Left.At.Equal(s.EndedAt.At); over != (v.How == rollcall.DepartureMeetingEnded) {
						t.Errorf("%s: %s left at %v, the meeting ended at %v: %s", id, who, v.Left.At, s.EndedAt.At, v.How)
					}
					if visits++; v.Provenance == rollcall.ProvenanceReconciled {
						unseen++
					}
				}
			}
			if diff := gocmp.Diff(truth, got, gocmp.AllowUnexported(span{})); diff != "" {
				t.Errorf("%s: the visits are (-truth +told):\n%s", id, diff)
			}
		}
		if visits < 20*meetings || unseen < meetings {
			t.Errorf("only %d visits, %d of them unseen: the time was dull", visits, unseen)
		}
	})
}

// Where DingTalk's list cannot be read for a day what was observed is told alone, and
// no window is false.
func TestWhatWasObservedIsToldAlone(t *testing.T) {
	people(t, 10, func(d *dingTalk) {
		if err := d.Arm(simulator.Fault{Name: simulator.FaultReset, Operation: simulator.OpMembers}); err != nil {
			t.Fatal(err)
		}
		elapse(23 * time.Hour)
		for _, s := range d.Served() {
			if s.Operation == simulator.OpMembers && s.Status == 200 {
				t.Fatal("a list was read: the fault did not strike")
			}
		}
		elapse(2 * time.Hour)
	}, func(d *dingTalk, m *ledgertest.Memory, ids []string) {
		facts, visits := d.Happened(), 0
		for _, id := range ids {
			lawful(t, m, id)
			s, truth := summaryOf(t, m, id), truly(facts, id)
			if s.Complete {
				t.Errorf("%s: the summary is said to be complete", id)
			}
			for who, all := range toldBy(s) {
				for _, v := range all {
					visits++
					joined := slices.ContainsFunc(truth[who], func(s span) bool { return v.Joined.Window.Contains(s.joined) })
					left := slices.ContainsFunc(truth[who], func(s span) bool { return v.Left.Window.Contains(s.left) })
					if !joined || !left {
						t.Errorf("%s: %s was there %+v, true is %v", id, who, v, truth[who])
					}
				}
			}
		}
		if visits < 100 {
			t.Errorf("only %d visits: the time was dull", visits)
		}
	})
}

// listing is a world whose meetings have lists of members.
type listing struct {
	*world
	mu    sync.Mutex
	err   error
	lists map[string][]rollcall.Member
	asked int
}

func (l *listing) Members(_ context.Context, id, _ string) (poller.MembersPage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	return poller.MembersPage{Members: l.lists[id]}, l.err
}

func (l *listing) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func (l *listing) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// A worker that is killed at any step between the end and the summary, or that does
// not hear what became of it, leaves one summary behind.
func TestTheSummarySurvivesAKill(t *testing.T) {
	for step := range 7 {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprint("step ", step, ", it took effect: ", taken), func(t *testing.T) { killed(t, step, taken) })
		}
	}
}

// strikeAt lets the n-th step towards a summary be the last of its process, before or
// after it took effect.
func strikeAt(m *ledgertest.Memory, step int, taken bool) {
	var mu sync.Mutex
	left, dead := step, false
	m.SetFail(func(op string) error {
		mu.Lock()
		defer mu.Unlock()
		if commit := op == "commit" || op == "commit done" || op == "events"; !commit && !dead {
			return nil
		}
		if left--; left >= 0 && !dead {
			return nil
		}
		dead = true
		if taken && op == "commit done" || op == "commit" && !taken || op != "commit" && op != "commit done" {
			return ledger.ErrUnknown
		}
		return nil
	})
}

func killed(t *testing.T, step int, taken bool) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		l := &listing{world: newWorld(), lists: map[string][]rollcall.Member{"c1": {{UserID: "ann", Nick: "ANN", Joined: time.Now(), Left: time.Now().Add(time.Minute)}}}}
		employ := func(id string) *process {
			return start(t, id, m, l.world, func(c *worker.Config) {
				track("c1")(c)
				summarizing(c, m)
				c.Tenants[0].Asker = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}
			})
		}
		l.world.set("c1", "ann")
		p := employ("w1")
		elapse(20 * time.Second)
		strikeAt(m, step, taken)
		l.world.status("c1", rollcall.StatusEnded)
		elapse(40 * time.Second)
		p.kill()
		<-p.ended
		m.SetFail(nil)
		p = employ("w2")
		elapse(2 * time.Minute)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "meeting.ended", "meeting.summarized")
		lawful(t, m, "c1")
		if s := summaryOf(t, m, "c1"); !s.Complete || s.Attended != 1 || s.People[0].Visits[0].Joined.At.IsZero() {
			t.Errorf("the summary is %+v", s)
		}
	})
}

// The list is asked for ever more rarely, and no more once it was read; a meeting that
// was over when it was first looked at is told about no more than that.
func TestTheListIsAskedForInReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		l := &listing{world: newWorld(), err: errors.New("connection reset")}
		l.world.set("c1", "ann")
		l.world.put("old", &meeting{Title: "old", Status: rollcall.StatusEnded})
		p := start(t, "w1", m, l.world, func(c *worker.Config) {
			track("c1", "old")(c)
			rarely(t, c)
			summarizing(c, m)
			c.Tenants[0].Asker = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}
		})
		elapse(2 * time.Minute)
		l.world.status("c1", rollcall.StatusEnded)
		elapse(12 * time.Hour)
		if n := l.calls(); n < 24 || n > 50 { // each time twice
			t.Errorf("the list was asked for %d times in 12 h", n)
		}
		l.set(nil)
		elapse(2 * time.Hour)
		asked := l.calls()
		elapse(60 * time.Hour)
		p.stop(t)
		if s := summaryOf(t, m, "c1"); l.calls() != asked || !s.Complete || s.Attended != 1 {
			t.Errorf("asked %d times more; the summary is %+v", l.calls()-asked, s)
		}
		expect(t, m, "old", "meeting.ended")
	})
}

// What was observed is told though the month's calls are used up with the end, and
// meetings go on that nobody can ask about.
func TestWhatWasObservedIsToldWithoutCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, purse := ledgertest.NewMemory(names), &purse{calls: 1}
		l := &listing{world: newWorld(), err: errors.New("connection reset")}
		l.world.set("c1", "ann")
		l.world.set("c2", "bob")
		p := start(t, "w1", m, l.world, func(c *worker.Config) {
			track("c1", "c2")(c)
			rarely(t, c)
			summarizing(c, m)
			c.Tenants[0].Asker, c.Tenants[0].Budget = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}, purse
		})
		elapse(2 * time.Minute)
		l.world.status("c1", rollcall.StatusEnded)
		elapse(2 * time.Minute)
		purse.set(0, nil)
		elapse(time.Second) // the pass that has begun
		calls := l.calls() + l.world.asked()
		elapse(25 * time.Hour)
		p.stop(t)
		if s := summaryOf(t, m, "c1"); s.Complete || s.Attended != 1 || l.calls()+l.world.asked() != calls {
			t.Errorf("%d calls were made; the summary is %+v", l.calls()+l.world.asked()-calls, s)
		}
		lawful(t, m, "c1")
	})
}

// A meeting that is reopened is summarized again after its next end, and not for the
// one before.
func TestReopenedMeetingIsSummarizedAfterItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		l := &listing{world: newWorld(), err: errors.New("connection reset")}
		l.world.set("c1", "ann")
		p := start(t, "w1", m, l.world, func(c *worker.Config) {
			track("c1")(c)
			summarizing(c, m)
			c.Tenants[0].Asker = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}
		})
		elapse(20 * time.Second)
		l.world.forget("c1")
		elapse(2 * time.Minute) // it vanishes
		l.world.set("c1", "ann", "bob")
		elapse(time.Hour)
		l.world.status("c1", rollcall.StatusEnded)
		elapse(time.Minute)
		l.set(nil)
		elapse(2 * time.Hour)
		p.stop(t)
		lawful(t, m, "c1")
		if s := summaryOf(t, m, "c1"); s.Attended != 2 || len(s.People[0].Visits) != 2 {
			t.Errorf("the summary is %+v", s)
		}
	})
}
