package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/poller"
	"rollcall/poller/discovery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fault is a scripted failure.
type fault struct{ class poller.Class }

func (f fault) Error() string           { return "scripted " + f.class.String() }
func (f fault) Class() poller.Class     { return f.class }
func (fault) RetryAfter() time.Duration { return 0 }

// vendor gives lists, which a test sets.
type vendor struct {
	mu    sync.Mutex
	pages [][]poller.Listed // of the organization
	users map[string][]string
	err   error
	ops   []string
}

func (v *vendor) Call(ctx context.Context, op string, call func(context.Context) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ops = append(v.ops, op)
	if v.err != nil {
		return v.err
	}
	return call(ctx)
}

func (v *vendor) Ongoing(_ context.Context, token string) (page poller.OngoingPage, err error) {
	n := 0
	if token != "" {
		_, _ = fmt.Sscan(token, &n)
	}
	if n < len(v.pages) {
		page.Meetings = v.pages[n]
	}
	if n+1 < len(v.pages) {
		page.Next = fmt.Sprint(n + 1)
	}
	return page, nil
}

func (v *vendor) OngoingOf(_ context.Context, unionID string) ([]string, error) {
	return v.users[unionID], nil
}

func (v *vendor) set(err error, pages ...[]poller.Listed) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pages, v.err = pages, err
}

func (v *vendor) calls() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.ops)
}

// notebook is a tracker that writes down what it is told.
type notebook struct {
	mu   sync.Mutex
	told []string
	away bool // no shard is held
	err  error
}

func (n *notebook) Found(_ context.Context, tenant, source string, listed, gone []string, restarted bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return n.err
	}
	slices.Sort(gone)
	line := fmt.Sprintf("%s %s +%s -%s", tenant, source, strings.Join(listed, ","), strings.Join(gone, ","))
	if restarted {
		line += " anew"
	}
	n.told = append(n.told, line)
	return nil
}

func (n *notebook) Busy(string) (int, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return 0, !n.away
}

func (n *notebook) set(away bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away, n.err = away, err
}

func (n *notebook) expect(t *testing.T, lines ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.told, lines) {
		t.Errorf("it was told\n%s\nwant\n%s", strings.Join(n.told, "\n"), strings.Join(lines, "\n"))
	}
	n.told = nil
}

func listed(ids ...string) (all []poller.Listed) {
	for _, id := range ids {
		all = append(all, poller.Listed{ConferenceID: id, Title: "Title " + id, CreatorID: "c" + id})
	}
	return all
}

// find runs a finder on a schedule of five minutes until the test's end.
func find(t *testing.T, f *discovery.Finder) *observer.ObservedLogs {
	t.Helper()
	schedule, err := poller.ParseSchedule("@every 5m", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	f.Tenant, f.Schedule, f.Logger = "acme", schedule, zap.New(core)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return logs
}

func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestMeetingsAppearAndDropOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		v.set(nil, listed("a", "b"), listed("c"))
		find(t, &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n})
		elapse(time.Second)
		n.expect(t, "acme organization +a,b,c - anew")
		v.set(nil, listed("b", "d"))
		elapse(5 * time.Minute)
		n.expect(t, "acme organization +b,d -a,c")
		v.set(fault{poller.ClassTransient})
		elapse(5 * time.Minute)
		n.expect(t)
		v.set(nil, listed("d"))
		n.set(false, errors.New("NATS is away"))
		elapse(5 * time.Minute)
		n.set(false, nil)
		elapse(5 * time.Minute)
		n.expect(t, "acme organization +d -b")
	})
}

// TestAPartOfAList tracks what a list names that breaks off, and takes nobody
// for gone who is not named.
func TestAPartOfAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n notebook
		answers := []func() ([]poller.Listed, error){
			func() ([]poller.Listed, error) { return listed("a"), fault{poller.ClassThrottled} },
			func() ([]poller.Listed, error) { return listed("a", "b"), nil },
			func() ([]poller.Listed, error) { return listed("c"), fault{poller.ClassMalformed} },
			func() ([]poller.Listed, error) { return nil, fault{poller.ClassMalformed} },
			func() ([]poller.Listed, error) { return listed("a", "c"), nil },
		}
		next := 0
		logs := find(t, &discovery.Finder{Tracker: &n, Lists: []discovery.List{{Source: "organization", Read: func(context.Context) ([]poller.Listed, error) {
			next++
			return answers[next-1]()
		}}}})
		elapse(4*5*time.Minute + time.Second)
		n.expect(t, "acme organization +a -", "acme organization +a,b - anew", "acme organization +c -", "acme organization +a,c -b")
		var said []string
		for _, entry := range logs.All() {
			said = append(said, entry.Message)
		}
		if want := []string{"looking for meetings fails", "looking for meetings works again"}; !slices.Equal(said, append(want, want...)) {
			t.Errorf("it said %q", said)
		}
	})
}

func TestAWorkerWithoutAShardDoesNotLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		n.set(true, nil)
		find(t, &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n})
		elapse(time.Hour)
		if v.calls() != 0 {
			t.Errorf("%d calls were made", v.calls())
		}
	})
}

func TestAWorkerThatTakesOverLooksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		v.set(nil, listed("a"))
		n.set(true, nil)
		find(t, &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n})
		elapse(time.Minute)
		n.set(false, nil)
		elapse(2 * time.Second)
		n.expect(t, "acme organization +a - anew")
		elapse(4 * time.Minute) // the next tick is not far
		n.expect(t, "acme organization +a -")
	})
}

func TestAnOperatorHasItTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		v.set(fault{poller.ClassPermission})
		f := &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n}
		find(t, f)
		elapse(time.Minute)
		v.set(nil, listed("a"))
		f.Resume()
		elapse(time.Second)
		n.expect(t, "acme organization +a - anew")
	})
}

// TestWithoutABudgetEveryTickIsKept has lists overheard right before the ticks,
// and reading take long.
func TestWithoutABudgetEveryTickIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		slow := discovery.List{Source: discovery.SourceOrganization, Read: func(context.Context) ([]poller.Listed, error) {
			_ = v.Call(t.Context(), poller.OpFind, func(context.Context) error { return nil })
			time.Sleep(4 * time.Minute)
			return nil, nil
		}}
		f := &discovery.Finder{Lists: []discovery.List{slow}, Tracker: n}
		find(t, f)
		for range 12 {
			f.Overhear(discovery.SourceOrganization, listed("b"))
			elapse(5 * time.Minute)
		}
		if calls := v.calls(); calls != 13 {
			t.Errorf("in an hour it was read %d times", calls)
		}
		elapse(5 * time.Minute)
	})
}

func TestWhatIsNotPermittedIsToldOnceAndTriedHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		v.set(fault{poller.ClassPermission})
		logs := find(t, &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n})
		elapse(3*time.Hour - time.Minute)
		if calls, said := v.calls(), logs.FilterLevelExact(zap.ErrorLevel).Len(); calls != 3 || said != 1 {
			t.Errorf("in three hours %d calls were made, and it was said %d times", calls, said)
		}
		v.set(nil, listed("a"))
		elapse(time.Hour)
		if logs.FilterMessage("looking for meetings works again").Len() != 1 {
			t.Error("that it works again is not said")
		}
		if calls := v.calls(); calls < 13 {
			t.Errorf("after that it is not read at every tick: %d calls", calls)
		}
	})
}

// coins is a budget of so many lists a tick.
type coins int

func (c coins) AllowFind(context.Context, bool) (int, error) { return int(c), nil }

func TestUsersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{users: map[string][]string{"u1": {"x"}, "u2": {"y"}, "u3": nil}}, &notebook{}
		var lists []discovery.List
		for _, id := range []string{"u1", "u2", "u3"} {
			lists = append(lists, discovery.User(v, v, id))
		}
		find(t, &discovery.Finder{Lists: lists, Tracker: n, Budget: coins(2)})
		elapse(time.Second)
		n.expect(t, "acme user:u1 +x - anew", "acme user:u2 +y - anew")
		elapse(5 * time.Minute)
		n.expect(t, "acme user:u3 + - anew", "acme user:u1 +x -")
	})
}

func TestWithoutCallsNothingIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		find(t, &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n, Budget: coins(0)})
		elapse(time.Hour)
		if v.calls() != 0 {
			t.Errorf("%d calls were made", v.calls())
		}
	})
}

func TestAnOverheardListIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		v.set(nil, listed("a"))
		f := &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n, Budget: coins(1)}
		find(t, f)
		elapse(4 * time.Minute)
		n.expect(t, "acme organization +a - anew")
		f.Overhear(discovery.SourceOrganization, listed("b"))
		elapse(2 * time.Minute) // the tick in between is spared
		n.expect(t, "acme organization +b -a")
		if v.calls() != 1 {
			t.Errorf("%d calls were made", v.calls())
		}
	})
}

func TestFilters(t *testing.T) {
	meeting := poller.Listed{ConferenceID: "c", Title: "Weekly 周会 (Sales)", CreatorID: "u1", CreatorNick: "Ann Lee"}
	for name, c := range map[string]struct {
		filter discovery.Filter
		takes  bool
	}{
		"none":                {discovery.Filter{}, true},
		"title":               {discovery.Filter{Include: discovery.Patterns{Titles: []string{"daily*", "weekly*"}}}, true},
		"other title":         {discovery.Filter{Include: discovery.Patterns{Titles: []string{"weekly"}}}, false},
		"runes":               {discovery.Filter{Include: discovery.Patterns{Titles: []string{"weekly ?? (*)"}}}, true},
		"inner stars":         {discovery.Filter{Include: discovery.Patterns{Titles: []string{"*ee*s*s)"}}}, true},
		"creator by id":       {discovery.Filter{Include: discovery.Patterns{Creators: []string{"u1"}}}, true},
		"creator by name":     {discovery.Filter{Include: discovery.Patterns{Creators: []string{"ann *"}}}, true},
		"other creator":       {discovery.Filter{Include: discovery.Patterns{Titles: []string{"*"}, Creators: []string{"bob"}}}, false},
		"exclusion wins":      {discovery.Filter{Include: discovery.Patterns{Titles: []string{"*"}}, Exclude: discovery.Patterns{Titles: []string{"*sales*"}}}, false},
		"excluded creator":    {discovery.Filter{Exclude: discovery.Patterns{Creators: []string{"U1"}}}, false},
		"exclusion of others": {discovery.Filter{Exclude: discovery.Patterns{Titles: []string{"secret*"}}}, true},
	} {
		if got := c.filter.Takes(meeting); got != c.takes {
			t.Errorf("%s: takes is %v", name, got)
		}
	}
	evil := poller.Listed{Title: strings.Repeat("a", 256)}
	if (discovery.Filter{Include: discovery.Patterns{Titles: []string{strings.Repeat("*a", 100) + "b"}}}).Takes(evil) {
		t.Error("a pattern that does not match matches")
	}
}

func TestWhatIsFilteredOutIsNotGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, n := &vendor{}, &notebook{}
		v.set(nil, listed("a", "b"))
		filter := discovery.Filter{Exclude: discovery.Patterns{Titles: []string{"Title b"}}}
		find(t, &discovery.Finder{Lists: []discovery.List{discovery.Organization(v, v)}, Tracker: n, Filter: filter})
		elapse(6 * time.Minute)
		n.expect(t, "acme organization +a - anew", "acme organization +a -")
	})
}
