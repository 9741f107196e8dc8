package worker_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"rollcall/internal/wait"
	"rollcall/worker"
)

// changing is after how long the number of people in a meeting of the office
// changes, again and again.
const changing = 4 * time.Minute

// noteLate notes how late is known what has changed since the last answer. Its
// owner holds the lock.
func (o *office) noteLate(id string, now time.Time) {
	g := o.meetings[id]
	if now.Sub(firstWorkday()) < 7*24*time.Hour {
		return
	}
	for at := g.start; !at.After(now) && at.Before(g.end); at = at.Add(changing) {
		if at.After(o.known[id]) {
			o.late = append(o.late, now.Sub(at))
		}
	}
}

// pushing is DingTalk's pushes about the office.
type pushing struct {
	most    int  // a month; 0: any number
	members bool // about people, too
	used    int
}

// happening is a push.
type happening struct {
	at      time.Time
	id      string
	created bool
}

// all lists what there is to push, in its order.
func (p *pushing) all(o *office) (all []happening) {
	for id, g := range o.meetings {
		all = append(all, happening{g.start, id, true}, happening{at: g.end, id: id})
		for at := g.start.Add(changing); p.members && at.Before(g.end); at = at.Add(changing) {
			all = append(all, happening{at: at, id: id})
		}
	}
	slices.SortFunc(all, func(a, b happening) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	return all
}

// run pushes what happens, until ctx ends or the pushes are used up.
func (p *pushing) run(ctx context.Context, o *office, w *worker.Worker, hints *worker.Hints) {
	for _, h := range p.all(o) {
		for time.Until(h.at) > 0 {
			hints.Take(nil, true)
			if !wait.For(ctx, min(time.Until(h.at), 10*time.Second)) {
				return
			}
		}
		if p.used++; p.most > 0 && p.used > p.most*99/100 {
			hints.Take(nil, false)
			return
		}
		if h.created {
			_ = w.Found(ctx, "acme", "push", []string{h.id}, nil, false)
		} else {
			hints.Take([]string{h.id}, true)
		}
	}
}

// meet is for how long of the second to the last week meetings go on, and their
// best median age: that of calls which are spread over just these hours.
func (o *office) meet(calls int64) (busy, best time.Duration) {
	for at := firstWorkday(); at.Before(firstWorkday().AddDate(0, 0, 30)); at = at.Add(time.Minute) {
		for _, g := range o.meetings {
			if g.ongoing(at) {
				busy += time.Minute
				break
			}
		}
	}
	return busy, busy / time.Duration(2*calls)
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2].Round(100 * time.Millisecond)
}

// TestLongMonthPushed lives through a month at 5,000 calls without pushes, with
// all of them, with the 3,000 of the Standard edition, and with those about meetings
// alone, which fit into these.
func TestLongMonthPushed(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	const calls = 5000
	ages, lates := map[string]time.Duration{}, map[string]time.Duration{}
	for _, c := range []struct {
		name   string
		pushed *pushing
	}{
		{"no pushes", nil},
		{"all pushes", &pushing{members: true}},
		{"3,000 pushes", &pushing{members: true, most: 3000}},
		{"pushes about meetings", &pushing{most: 3000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := newOffice("status")
				l := o.live(t, calls, c.pushed)
				ages[c.name], lates[c.name] = o.percentile(50), middle(o.late)
				busy, best := o.meet(calls)
				t.Logf("%d calls: %v; %s; age of what is known: median %s, 95th percentile %s; a change is known after %s (median); meetings go on for %s, the best median is %s",
					o.made(), o.calls, c.pushed, ages[c.name], o.percentile(95), lates[c.name], busy, best)
				if int64(o.made()) > calls {
					t.Errorf("%d calls were made, with a budget of %d", o.made(), calls)
				}
				o.allEnded(t, l)
			})
		})
	}
	for _, with := range []string{"all pushes", "pushes about meetings"} {
		if ages[with] >= ages["no pushes"] {
			t.Errorf("with %s the median age is %s, without %s", with, ages[with], ages["no pushes"])
		}
	}
	if lates["all pushes"] >= lates["no pushes"] {
		t.Errorf("with pushes a change is known after %s, without after %s", lates["all pushes"], lates["no pushes"])
	}
}

// String says how many were pushed.
func (p *pushing) String() string {
	if p == nil {
		return "no pushes"
	}
	return fmt.Sprintf("%d pushes", p.used)
}
