package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/poller/budget"
	"rollcall/poller/discovery"
	"rollcall/worker"
)

// office is an organization in a month of 22 working days: 40 meetings a day
// between 9:00 and 17:00 in China, several at a time.
type office struct {
	style    string // how ended meetings answer: status, omitted or refused
	meetings map[string]*gathering
	sums     bool // those that ended are summarized

	mu     sync.Mutex
	calls  map[string]int
	known  map[string]time.Time // when a meeting was last answered about
	ages   []time.Duration      // of what is known of ongoing meetings, from the second week on
	unseen int                  // looks at an ongoing meeting of which nothing was known, since then
	late   []time.Duration      // how late changes were known, since then
}

type gathering struct {
	start, end time.Time
}

// firstWorkday is Thursday, June 1, 2000, 0:00 in China: a month of 30 days.
func firstWorkday() time.Time { return time.Date(2000, 5, 31, 16, 0, 0, 0, time.UTC) }

func newOffice(style string) *office {
	o := &office{style: style, meetings: map[string]*gathering{}, calls: map[string]int{}, known: map[string]time.Time{}}
	random := rand.New(rand.NewPCG(1, 2))
	for day := range 30 {
		morning := firstWorkday().AddDate(0, 0, day).Add(9 * time.Hour)
		if weekday := morning.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
			continue
		}
		for n := range 40 {
			lasts := time.Duration(20+random.IntN(41)) * time.Minute
			start := morning.Add(time.Duration(random.Int64N(int64(8*time.Hour - lasts))))
			o.meetings[fmt.Sprintf("d%02d-%02d", day+1, n)] = &gathering{start, start.Add(lasts)}
		}
	}
	return o
}

func (g *gathering) ongoing(now time.Time) bool { return !now.Before(g.start) && now.Before(g.end) }

// ended reports whether the meeting is over; one that nobody knows is neither.
func (o *office) ended(id string, now time.Time) bool {
	g := o.meetings[id]
	return g != nil && !now.Before(g.end)
}

func (o *office) called(op string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls[op]++
}

func (o *office) answered(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.noteLate(id, time.Now())
	o.known[id] = time.Now()
}

func (o *office) Query(_ context.Context, ids []string) (poller.Answers, error) {
	o.called("query")
	now := time.Now()
	if o.style == "refused" && slices.ContainsFunc(ids, func(id string) bool { return o.ended(id, now) }) {
		return poller.Answers{}, closed{}
	}
	answers := poller.Answers{Complete: true}
	for _, id := range ids {
		g := o.meetings[id]
		if g == nil || o.style == "omitted" && o.ended(id, now) {
			continue
		}
		m := meeting{Title: id, Status: rollcall.StatusEnded}
		if g.ongoing(now) {
			m.Status = rollcall.StatusStarted
			for n := range 1 + int(now.Sub(g.start)/(4*time.Minute))%4 {
				m.Users = append(m.Users, user{ID: fmt.Sprint("p", n), Att: rollcall.AttendancePresent})
			}
		}
		raw, err := json.Marshal(m)
		if err != nil {
			return answers, err
		}
		answers.Found = append(answers.Found, poller.Found{ConferenceID: id, Raw: raw})
		o.answered(id)
	}
	return answers, nil
}

func (o *office) Lookup(_ context.Context, id string) (poller.Standing, error) {
	o.called("lookup")
	now, g := time.Now(), o.meetings[id]
	switch {
	case g == nil:
		return poller.Standing{}, unknown{}
	case g.ongoing(now):
		return poller.Standing{Status: rollcall.StatusStarted, StartTime: g.start}, nil
	}
	return poller.Standing{Status: rollcall.StatusEnded, StartTime: g.start, EndTime: g.end}, nil
}

// Members lists on one page who is in a meeting for its first minutes.
func (o *office) Members(_ context.Context, id, _ string) (poller.MembersPage, error) {
	o.called("members")
	g := o.meetings[id]
	return poller.MembersPage{Members: []rollcall.Member{{UserID: "p0", Nick: "Mei", Joined: g.start, Left: g.end}}}, nil
}

// Ongoing lists the meetings that go on, on one page.
func (o *office) Ongoing(context.Context, string) (poller.OngoingPage, error) {
	o.called("ongoing")
	var page poller.OngoingPage
	for id, g := range o.meetings {
		if g.ongoing(time.Now()) {
			page.IDs = append(page.IDs, id)
			page.Meetings = append(page.Meetings, poller.Listed{ConferenceID: id})
		}
	}
	return page, nil
}

func (o *office) Decode(raw []byte) *rollcall.Answer { return newWorld().Decode(raw) }

// closed is the fault of a batch with an ended meeting in it.
type closed struct{ unknown }

func (closed) Class() poller.Class { return poller.ClassEnded }

// sample notes, every seven seconds, how old what is known is.
func (o *office) sample(ctx context.Context) {
	tick := time.NewTicker(7 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.look(time.Now())
		}
	}
}

func (o *office) look(now time.Time) {
	if now.Sub(firstWorkday()) < 7*24*time.Hour {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, g := range o.meetings {
		if !g.ongoing(now) {
			continue
		}
		if at := o.known[id]; at.IsZero() {
			o.unseen++
		} else {
			o.ages = append(o.ages, now.Sub(at))
		}
	}
}

// percentile gives the age below which so many percent lie.
func (o *office) percentile(percent int) time.Duration {
	slices.Sort(o.ages)
	return o.ages[len(o.ages)*percent/100].Round(100 * time.Millisecond)
}

func (o *office) made() (n int) {
	for _, calls := range o.calls {
		n += calls
	}
	return n
}

// TestLongMonth lives through a month, once for each way in which DingTalk may
// answer about what is over.
func TestLongMonth(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	for _, c := range []struct {
		style    string
		calls    int64
		mid, far time.Duration // the median of the ages, and the 95th percentile
		sums     bool          // ended meetings are summarized
	}{
		{"status", 5000, 120 * time.Second, 240 * time.Second, false},
		{"status", 5000, 150 * time.Second, 300 * time.Second, true},
		{"omitted", 5000, 120 * time.Second, 240 * time.Second, false},
		{"refused", 5000, 150 * time.Second, 300 * time.Second, false},
		{"status", 200_000, 9 * time.Second, time.Minute, true},
	} {
		t.Run(fmt.Sprint(c.style, " ", c.calls, map[bool]string{true: " summarized"}[c.sums]), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := newOffice(c.style)
				o.sums = c.sums
				l := o.live(t, c.calls, nil)
				mid, far := o.percentile(50), o.percentile(95)
				t.Logf("%d calls: %v; the age of what is known: median %s, 95th percentile %s; %.1f %% of the time of meetings passed before they were found",
					o.made(), o.calls, mid, far, 100*float64(o.unseen)/float64(o.unseen+len(o.ages)))
				if int64(o.made()) > c.calls {
					t.Errorf("%d calls were made, with a budget of %d", o.made(), c.calls)
				}
				if mid > c.mid || far > c.far {
					t.Errorf("the ages are above %s and %s", c.mid, c.far)
				}
				o.allEnded(t, l)
			})
		})
	}
}

// live runs a worker for the month; pushed may have it hear of what happens.
func (o *office) live(t *testing.T, calls int64, pushed *pushing) *ledgertest.Memory {
	elapse(time.Until(firstWorkday().Add(-time.Hour)))
	l := ledgertest.NewMemory(names)
	hints := worker.NewHints()
	b := budget.New(budget.Config{Tenant: "acme", Calls: calls, Finds: true, Pushed: hints.Healthy})
	b.Attach(l, nil)
	asker := &poller.Poller{Source: o, Tenant: "acme", Spend: func(ctx context.Context, op string) error {
		switch op {
		case poller.OpFind:
			return b.SpendFind(ctx, op)
		case poller.OpOngoing:
			return b.SpendOverheard(ctx, op)
		}
		return b.Spend(ctx, op)
	}}
	one := start(t, "one", l, newWorld(), func(cfg *worker.Config) {
		cfg.MemberTTL = 10 * time.Minute
		cfg.Tenants[0].Decode, cfg.Tenants[0].Budget = o.Decode, b
		cfg.Tenants[0].Asker, cfg.Tenants[0].Hints = asker, hints
		cfg.Tenants[0].Summaries, cfg.Eraser = o.sums, ledgertest.Eraser{Ledger: l}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go o.sample(ctx)
	var finding sync.WaitGroup
	defer finding.Wait()
	defer cancel()
	finder := o.finder(t, asker, one.worker, b)
	finding.Go(func() { _ = finder.Run(ctx) })
	if pushed != nil {
		finding.Go(func() { pushed.run(ctx, o, one.worker, hints) })
	}
	elapse(time.Hour)
	o.mu.Lock()
	o.calls = map[string]int{}
	o.mu.Unlock()
	elapse(30*24*time.Hour - time.Second)
	one.stop(t)
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return l
}

// finder looks for the meetings.
func (o *office) finder(t *testing.T, asker *poller.Poller, w *worker.Worker, b *budget.Budget) *discovery.Finder {
	schedule, err := poller.ParseSchedule("@every 5m", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	f := &discovery.Finder{
		Tenant: "acme", Schedule: schedule, Tracker: w, Budget: b,
		Lists: []discovery.List{discovery.Organization(asker, o)},
	}
	asker.Overheard = func(listed []poller.Listed) { f.Overhear(discovery.SourceOrganization, listed) }
	return f
}

// allEnded holds that the end of every meeting was noticed that was found. In
// the first week, when nobody knows yet when to look, a short one may not be.
func (o *office) allEnded(t *testing.T, l *ledgertest.Memory) {
	stored, err := l.LoadAll(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	summarized := 0
	for _, s := range stored {
		if s.Record == nil || s.Record.Meeting.Status != rollcall.StatusEnded {
			t.Errorf("the end of meeting %s was not noticed", s.ConferenceID)
		} else if s.Record.Summarized {
			summarized++
		}
	}
	// As cost.Plan forecasts: a call for each.
	if made := o.calls["members"]; o.sums != (summarized > 0) || made != summarized {
		t.Errorf("%d meetings are summarized, with %d lists of members", summarized, made)
	}
	late, found := 0, 0
	for id, g := range o.meetings {
		if g.start.Sub(firstWorkday()) > 7*24*time.Hour {
			late++
			if !o.known[id].IsZero() {
				found++
			}
		}
	}
	t.Logf("%d meetings were found of %d, from the second week on %d of %d", len(stored), len(o.meetings), found, late)
	if found < late*98/100 {
		t.Errorf("from the second week on %d meetings were found of %d", found, late)
	}
}
