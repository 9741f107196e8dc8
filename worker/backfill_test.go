package worker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/poller/budget"
	"rollcall/simulator"
	"rollcall/worker"
)

// What nobody saw is told afterwards, as far as DingTalk still knows it.

// act makes things happen in a meeting: "join ann", "end".
func (d *dingTalk) act(t *testing.T, id string, verbs ...string) {
	t.Helper()
	for _, words := range verbs {
		a := simulator.Act{ConferenceID: id}
		_, _ = fmt.Sscan(words, &a.Verb, &a.UserID)
		if _, err := d.Act(a); err != nil {
			t.Fatal(err)
		}
	}
}

// hold lets a meeting take place: people come and go for 25 minutes, one for a few
// seconds and one twice, until it ends.
func (d *dingTalk) hold(t *testing.T, id string) {
	t.Helper()
	d.act(t, id, "join ann", "invite bob")
	elapse(4*time.Minute + 321*time.Millisecond)
	d.act(t, id, "join bob", "mic_on bob", "join eve")
	elapse(7 * time.Second)
	d.act(t, id, "leave eve", "join dan")
	elapse(10 * time.Minute)
	d.act(t, id, "leave ann", "kick dan")
	elapse(time.Minute)
	d.act(t, id, "join ann")
	elapse(10*time.Minute + 77*time.Millisecond)
	d.act(t, id, "end")
}

// turns are when a meeting truly started and ended, the last time.
func (d *dingTalk) turns(id string) (started, ended time.Time) {
	for _, f := range d.Happened() {
		switch {
		case f.ConferenceID != id:
		case f.Type == rollcall.MeetingStarted:
			started = f.At.Truncate(time.Millisecond)
		case f.Type == rollcall.MeetingEnded:
			ended = f.At.Truncate(time.Millisecond)
		}
	}
	return started, ended
}

// tellHow gives events as words with their provenance, and exact times in seconds since
// then.
func tellHow(all []rollcall.Event, since time.Time) (words []string) {
	for i, word := range tell(all) {
		word += " " + string(all[i].Provenance)
		if all[i].Exact {
			word += fmt.Sprint(" ", all[i].Time.Sub(since).Seconds())
		}
		words = append(words, word)
	}
	return words
}

// visitsEqual holds the visits of a meeting's summary against the truth, each exact.
func visitsEqual(t *testing.T, d *dingTalk, m *ledgertest.Memory, id string) {
	t.Helper()
	s, got := summaryOf(t, m, id), map[string][]span{}
	for who, all := range toldBy(s) {
		for _, v := range all {
			got[who] = append(got[who], span{v.Joined.At, v.Left.At})
		}
	}
	if diff := gocmp.Diff(truly(d.Happened(), id), got, gocmp.AllowUnexported(span{})); diff != "" || !s.Complete {
		t.Errorf("%s: complete is %v, the visits are (-truth +told):\n%s", id, s.Complete, diff)
	}
	started, ended := d.turns(id)
	if !s.StartedAt.At.Equal(started) || !s.EndedAt.At.Equal(ended) {
		t.Errorf("%s: told from %+v to %+v, true is %v to %v", id, s.StartedAt, s.EndedAt, started, ended)
	}
}

// worlds are the ways in which DingTalk may show what has not begun and what is over.
func worlds(t *testing.T, try func(t *testing.T, cfg simulator.Config)) {
	for _, style := range []simulator.EndStyle{simulator.EndStatus, simulator.EndOmitted, simulator.EndResourceClosed} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprint(style, ", those that have not begun are left out: ", hidden), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					try(t, simulator.Config{Seed: 4, Meetings: 3, Empty: true, EndStyle: style, HideUnstarted: hidden})
				})
			})
		}
	}
}

// outage is a simulated DingTalk whose meetings a worker watches, now and then.
type outage struct {
	*dingTalk
	m      *ledgertest.Memory
	ids    []string
	change func(*worker.Config)
	stop   func() // of the worker
	end    func()
}

func newOutage(t *testing.T, cfg simulator.Config) *outage {
	t.Helper()
	d := newDingTalk(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	var living sync.WaitGroup
	living.Go(func() { _ = d.Run(ctx) })
	o := &outage{dingTalk: d, m: ledgertest.NewMemory(names), ids: d.ConferenceIDs(), change: func(*worker.Config) {}}
	o.end = func() {
		cancel()
		living.Wait()
		d.wire.Close()
	}
	return o
}

// work has a worker look.
func (o *outage) work(t *testing.T, id string) *process {
	t.Helper()
	p, client := o.employ(t, id, o.m, func(c *worker.Config) {
		summarizing(c, o.m)
		o.change(c)
	}, o.ids...)
	o.stop = func() {
		p.stop(t)
		client.Close()
	}
	return p
}

// expectHow holds the events of a meeting against words with their provenance; @start
// and @end in these are when it truly started and ended, in seconds since then.
func (o *outage) expectHow(t *testing.T, id string, since time.Time, want ...string) {
	t.Helper()
	lawful(t, o.m, id)
	started, ended := o.turns(id)
	r := strings.NewReplacer("@start", fmt.Sprint(started.Sub(since).Seconds()), "@end", fmt.Sprint(ended.Sub(since).Seconds()))
	for i := range want {
		want[i] = r.Replace(want[i])
	}
	if diff := gocmp.Diff(want, tellHow(events(t, o.m, id), since)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", id, diff)
	}
}

// A worker that was off for the whole of tracked meetings, be it for days, tells of each
// its start, its end, and every visit.
func TestWhatTookPlaceUnseenIsTold(t *testing.T) {
	worlds(t, func(t *testing.T, cfg simulator.Config) {
		o := newOutage(t, cfg)
		o.work(t, "w1")
		elapse(time.Minute)
		o.stop()
		began := time.Now()
		for _, id := range o.ids {
			elapse(time.Hour)
			o.hold(t, id)
		}
		elapse(60 * time.Hour)
		o.work(t, "w2")
		elapse(5 * time.Minute)
		o.stop()
		o.end()
		for _, id := range o.ids {
			want := []string{"meeting.initialized baseline", "meeting.started reconciled @start", "meeting.start_time_changed reconciled", "meeting.ended reconciled @end", "meeting.summarized reconciled"}
			if cfg.HideUnstarted { // nobody has seen it at all
				want = []string{"meeting.started reconciled @start", "meeting.ended reconciled @end", "meeting.summarized reconciled"}
			}
			o.expectHow(t, id, began, want...)
			visitsEqual(t, o.dingTalk, o.m, id)
			for _, p := range summaryOf(t, o.m, id).People {
				if slices.ContainsFunc(p.Visits, func(v rollcall.Visit) bool { return v.Provenance != rollcall.ProvenanceReconciled }) {
					t.Errorf("%s: nobody saw %+v", id, p)
				}
			}
		}
		wantWatched(t, o.m, "watch.lost stopped inferred", "watch.resumed stopped inferred")
	})
}

// With few calls a month the same is told, for little more than a question about all and,
// for each, one about its end and its list.
func TestAnOutageIsMadeUpForWithinTheBudget(t *testing.T) {
	const calls = 200
	worlds(t, func(t *testing.T, cfg simulator.Config) {
		o := newOutage(t, cfg)
		work := func(id string, last time.Duration) {
			b := budget.New(budget.Config{Tenant: "acme", Calls: calls})
			b.Attach(o.m, nil)
			o.change = func(c *worker.Config) {
				rarely(t, c)
				c.Tenants[0].Budget, c.Tenants[0].Asker.(*poller.Poller).Spend = b, b.Spend
			}
			o.work(t, id)
			elapse(last)
			o.stop()
			if err := b.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		work("w1", 12*time.Hour)
		began := time.Now()
		for _, id := range o.ids {
			elapse(time.Hour)
			o.hold(t, id)
		}
		elapse(60 * time.Hour)
		before := o.metered()
		work("w2", 6*24*time.Hour)
		o.end()
		if made := o.metered() - before; made < 7 || made > 16 || o.metered() > calls {
			t.Errorf("%d calls were made afterwards, and %d of the month's %d", made, o.metered(), calls)
		}
		for _, id := range o.ids {
			want := []string{"meeting.initialized baseline", "meeting.started reconciled @start", "meeting.start_time_changed reconciled", "meeting.ended reconciled @end", "meeting.summarized reconciled"}
			if cfg.HideUnstarted {
				want = []string{"meeting.started reconciled @start", "meeting.ended reconciled @end", "meeting.summarized reconciled"}
			}
			o.expectHow(t, id, began, want...)
			visitsEqual(t, o.dingTalk, o.m, id)
		}
	})
}

// metered is how many calls were made that DingTalk counts.
func (d *dingTalk) metered() (n int) {
	for _, s := range d.Served() {
		if s.Operation.Metered() {
			n++
		}
	}
	return n
}

// Who was seen before the worker went down is told with the whole gap as the window, and
// in the summary with exact times, beside those whom nobody saw; so it is where the
// meeting goes on.
func TestAnOutageWithinAMeeting(t *testing.T) {
	worlds(t, func(t *testing.T, cfg simulator.Config) {
		o := newOutage(t, cfg)
		over, on := o.ids[0], o.ids[1]
		o.act(t, over, "join zoe")
		o.act(t, on, "join zoe")
		o.work(t, "w1")
		elapse(time.Minute)
		began := time.Now()
		o.stop()
		for _, id := range []string{over, on} {
			elapse(time.Minute + 5*time.Second)
			o.act(t, id, "join ann")
			elapse(8 * time.Second)
			o.act(t, id, "leave ann", "join bob")
			elapse(20 * time.Minute)
		}
		o.act(t, over, "end")
		elapse(2 * time.Hour)
		back := time.Now()
		o.work(t, "w2")
		elapse(5 * time.Minute)
		o.expectHow(t, over, began, "meeting.started baseline @start", "participant.joined zoe baseline",
			"participant.left zoe observed", "meeting.ended observed @end", "meeting.summarized reconciled")
		visitsEqual(t, o.dingTalk, o.m, over)
		for _, e := range events(t, o.m, on)[2:] {
			if e.Window.After.After(began) || e.Window.Before.Before(back) {
				t.Errorf("%s is told of %v, nobody looked from %v to %v", e.Type, e.Window, began, back)
			}
		}
		o.act(t, on, "end")
		elapse(5 * time.Minute)
		o.stop()
		o.end()
		visitsEqual(t, o.dingTalk, o.m, on)
	})
}

// A worker that is there and learns nothing is as one that was down.
func TestWhatTookPlaceWhileDingTalkRefusedIsTold(t *testing.T) {
	for _, fault := range []string{simulator.FaultReset, "Forbidden.AccessDenied.AccessTokenPermissionDenied", "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"} {
		t.Run(fault, func(t *testing.T) {
			worlds(t, func(t *testing.T, cfg simulator.Config) {
				o := newOutage(t, cfg)
				o.change = func(c *worker.Config) { rarely(t, c) }
				o.work(t, "w1")
				elapse(2 * time.Minute)
				began := time.Now()
				if err := o.Arm(simulator.Fault{Name: fault, For: 3 * time.Hour}); err != nil {
					t.Fatal(err)
				}
				elapse(time.Hour)
				o.hold(t, o.ids[0])
				elapse(4 * time.Hour)
				o.stop()
				o.end()
				want := []string{"meeting.initialized baseline", "meeting.started reconciled @start", "meeting.start_time_changed reconciled", "meeting.ended reconciled @end", "meeting.summarized reconciled"}
				if cfg.HideUnstarted {
					want = []string{"meeting.started reconciled @start", "meeting.ended reconciled @end", "meeting.summarized reconciled"}
				}
				o.expectHow(t, o.ids[0], began, want...)
				visitsEqual(t, o.dingTalk, o.m, o.ids[0])
				if told := watched(t, o.m); len(told) != 2 || told[1].Type != rollcall.WatchResumed {
					t.Errorf("of the blindness is told %v", told)
				}
			})
		})
	}
}

// A meeting that was called off, or was over when it was tracked, has no start; one that
// is still to come is left as it is.
func TestNoStartIsInvented(t *testing.T) {
	worlds(t, func(t *testing.T, cfg simulator.Config) {
		o := newOutage(t, cfg)
		off, late, asleep := o.ids[0], o.ids[1], o.ids[2]
		for id, in := range map[string]time.Duration{off: 10 * time.Minute, asleep: 72 * time.Hour} {
			if _, err := o.Act(simulator.Act{Verb: "reschedule", ConferenceID: id, StartTime: time.Now().Add(in)}); err != nil {
				t.Fatal(err)
			}
		}
		o.ids = []string{off, asleep}
		o.work(t, "w1")
		elapse(time.Minute)
		o.stop()
		began := time.Now()
		elapse(time.Hour)
		o.hold(t, late)
		o.act(t, off, "end")
		elapse(10 * time.Hour)
		o.ids = []string{off, asleep, late}
		o.work(t, "w2")
		elapse(time.Hour)
		o.stop()
		o.end()
		o.expectHow(t, late, began, "meeting.ended baseline @end")
		if cfg.HideUnstarted {
			o.expectHow(t, off, began, "meeting.ended baseline @end")
			o.expectHow(t, asleep, began)
			return
		}
		o.expectHow(t, off, began, "meeting.initialized baseline", "meeting.ended observed @end", "meeting.summarized reconciled")
		if s := summaryOf(t, o.m, off); s.Attended != 0 || !s.StartedAt.At.IsZero() {
			t.Errorf("%s was called off: %+v", off, s)
		}
		o.expectHow(t, asleep, began, "meeting.initialized baseline")
	})
}

// A kill at any step between the return and the summary leaves the same story.
func TestWhatTookPlaceUnseenSurvivesAKill(t *testing.T) {
	for step := range 7 {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprint("step ", step, ", it took effect: ", taken), func(t *testing.T) { killedAfterwards(t, step, taken) })
		}
	}
}

func killedAfterwards(t *testing.T, step int, taken bool) {
	bubble(t, func(t *testing.T) {
		m := ledgertest.NewMemory(names)
		l := &listing{world: newWorld(), lists: map[string][]rollcall.Member{}}
		employ := func(id string) *process {
			return start(t, id, m, l.world, func(c *worker.Config) {
				track("c1")(c)
				summarizing(c, m)
				c.Tenants[0].Asker = &poller.Poller{Source: l, Tenant: "acme", Logger: c.Logger}
			})
		}
		l.world.put("c1", &meeting{Status: rollcall.StatusInitialized})
		p := employ("w1")
		elapse(20 * time.Second)
		p.stop(t)
		began, ended := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		l.lists["c1"] = []rollcall.Member{{UserID: "ann", Nick: "ANN", Attendance: rollcall.AttendanceLeft, Joined: began, Left: ended}}
		l.world.put("c1", &meeting{Status: rollcall.StatusEnded, hidden: true, started: began, ended: ended})
		elapse(3 * time.Hour)
		p = employ("w2")
		strikeAt(m, step, taken)
		elapse(40 * time.Second)
		p.kill()
		<-p.ended
		m.SetFail(nil)
		p = employ("w3")
		elapse(2 * time.Minute)
		p.stop(t)
		expect(t, m, "c1", "meeting.initialized", "meeting.started", "meeting.start_time_changed", "meeting.ended", "meeting.summarized")
		lawful(t, m, "c1")
		if s := summaryOf(t, m, "c1"); !s.Complete || s.Attended != 1 || !s.StartedAt.At.Equal(began) || s.Duration != time.Hour {
			t.Errorf("the summary is %+v", s)
		}
	})
}
