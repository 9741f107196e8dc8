package poller

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/internal/wait"
)

// organization is a source with the list of the organization's meetings.
type organization struct {
	*fakeSource
	size   int      // of a page
	listed []string // nobody tells what stands in it besides
	denied error    // what the list is refused with
	pages  int      // asked for
	told   bool     // the length of the list
}

func (o *organization) Ongoing(_ context.Context, token string) (OngoingPage, error) {
	o.pages++
	from, _ := strconv.Atoi(token)
	end := min(from+o.size, len(o.listed))
	page := OngoingPage{IDs: o.listed[from:end]}
	if o.told {
		page.Total = len(o.listed)
	}
	if end < len(o.listed) {
		page.Next = strconv.Itoa(end)
	}
	return page, o.denied
}

// incorporated is an organization of n meetings, all of which have been seen.
func incorporated(t *testing.T, n int) (*organization, []string, *Poller) {
	t.Helper()
	source, ids := healthy(n)
	for _, id := range ids {
		source.standing[id] = Standing{Status: rollcall.StatusStarted}
	}
	o := &organization{fakeSource: source, size: 128, listed: slices.Clone(ids)}
	p := &Poller{Source: o}
	p.Pass(t.Context(), (&book{}).ask(ids...))
	return o, ids, p
}

// close ends a meeting in the way that refuses whole batches.
func (o *organization) close(id string) {
	o.closed[id] = true
	o.standing[id] = Standing{Status: rollcall.StatusEnded}
	o.listed = slices.DeleteFunc(o.listed, func(other string) bool { return other == id })
}

func TestListSparesTheHalving(t *testing.T) {
	o, ids, p := incorporated(t, 64)
	o.close(ids[0])
	o.close(ids[40])
	b := &book{}
	report := p.Pass(t.Context(), b.ask(ids...))
	if report.Answered != 64 || report.Calls != 5 || o.pages != 1 {
		t.Errorf("%d pages, report %+v", o.pages, report)
	}
	all := b.sightings(t)
	if all[ids[0]].Kind != rollcall.SightingEnded || all[ids[40]].Reason != rollcall.ReasonResourceClosed || all[ids[1]].Kind != rollcall.SightingListed {
		t.Errorf("sighted %s", b.kinds())
	}
}

// TestListIsAskedOnce has two batches refused.
func TestListIsAskedOnce(t *testing.T) {
	o, ids, p := incorporated(t, 200)
	o.size = 200
	o.close(ids[3])
	o.close(ids[150])
	report := p.Pass(t.Context(), (&book{}).ask(ids...))
	if report.Answered != 200 || report.Calls != 7 || o.pages != 1 {
		t.Errorf("%d pages, report %+v", o.pages, report)
	}
}

func TestHalvingWhereTheListDoesNotSettleIt(t *testing.T) {
	for name, unsettle := range map[string]func(*organization, []string){
		"it still shows the meeting":    func(o *organization, ids []string) { o.listed = slices.Clone(ids) },
		"it fails":                      func(o *organization, _ []string) { o.denied = fault{class: ClassTransient} },
		"it may not be read":            func(o *organization, _ []string) { o.denied = fault{class: ClassPermission} },
		"it begins with too many pages": func(o *organization, _ []string) { o.size, o.told = 2, true },
		"it has no end":                 func(o *organization, _ []string) { o.listed, o.size = make([]string, 100_000), 1 },
	} {
		t.Run(name, func(t *testing.T) {
			o, ids, p := incorporated(t, 64)
			o.close(ids[40])
			unsettle(o, ids)
			b := &book{}
			report := p.Pass(t.Context(), b.ask(ids...))
			if report.Answered != 64 || b.sightings(t)[ids[40]].Kind != rollcall.SightingEnded {
				t.Errorf("report %+v", report)
			}
			if asked := report.Calls - o.pages; asked > 9 || o.pages > mostPages {
				t.Errorf("%d calls beside %d pages", asked, o.pages)
			}
		})
	}
}

func TestListThatIsDeniedRestsForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, ids, p := incorporated(t, 64)
		core, logs := observer.New(zapcore.InfoLevel)
		p.Logger = zap.New(core)
		o.denied = fault{class: ClassPermission}
		for i := range 10 {
			o.close(ids[i])
			if report := p.Pass(t.Context(), (&book{}).ask(ids[i:]...)); report.State != StateOK {
				t.Errorf("report %+v", report)
			}
			wait.For(t.Context(), 6*time.Minute)
		}
		if o.pages != 1 || logs.Len() != 1 {
			t.Errorf("asked %d times, logged %v", o.pages, logs.All())
		}
		o.close(ids[10])
		if p.Pass(t.Context(), (&book{}).ask(ids[10:]...)); o.pages != 2 || logs.Len() != 1 {
			t.Errorf("then asked %d times, logged %v", o.pages, logs.All())
		}
	})
}

func TestListIsNotWorthAFewMeetings(t *testing.T) {
	o, ids, p := incorporated(t, 2)
	o.close(ids[0])
	if report := p.Pass(t.Context(), (&book{}).ask(ids...)); o.pages != 0 || report.Calls != 4 {
		t.Errorf("%d pages, report %+v", o.pages, report)
	}
}

// TestLongListIsWorthManyBatches has several batches spoilt in each pass, which
// makes up for a list of many pages.
func TestLongListIsWorthManyBatches(t *testing.T) {
	o, ids, p := incorporated(t, 1000)
	for i, most := range []int{4*9 + 7, 8 + 4*2} { // the first time it is not known to be worth it
		o.told = true
		for batch := range 4 {
			o.close(ids[batch*200+i])
		}
		left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return o.closed[id] && slices.Index(ids, id)%200 < i })
		report := p.Pass(t.Context(), (&book{}).ask(left...))
		if report.Answered != len(left) || report.Calls-10 > most {
			t.Errorf("pass %d: %d calls beside its own", i, report.Calls-10)
		}
	}
}

// TestOthersMeetingsAreDoubtedOnce has meetings in the batch that stand in no
// list: they have not started, or are those of another organization.
func TestOthersMeetingsAreDoubtedOnce(t *testing.T) {
	o, ids, p := incorporated(t, 64)
	foreign, unstarted := ids[10:14], ids[20:40]
	for _, id := range unstarted {
		o.raw[id] = "initialized " + id
	}
	p.Pass(t.Context(), (&book{}).ask(ids...))
	o.listed = slices.DeleteFunc(o.listed, func(id string) bool { return contains(foreign, id) || contains(unstarted, id) })
	for i, calls := range []int{9, 5} {
		o.close(ids[i])
		b := &book{}
		report := p.Pass(t.Context(), b.ask(ids[i:]...))
		if report.Answered != 64-i || report.Calls > calls || b.sightings(t)[foreign[0]].Kind != rollcall.SightingListed {
			t.Errorf("round %d: report %+v", i, report)
		}
	}
}

// TestUnseenMeetingsAreNotDoubtedByTheDozen begins with meetings of which most
// stand in no list, and nobody knows yet whether they should.
func TestUnseenMeetingsAreNotDoubtedByTheDozen(t *testing.T) {
	o, ids, _ := incorporated(t, 64)
	o.close(ids[5])
	o.listed = ids[40:]
	report := (&Poller{Source: o}).Pass(t.Context(), (&book{}).ask(ids...))
	if report.Answered != 64 || report.Calls > 10 {
		t.Errorf("report %+v", report)
	}
}

// TestManyEndsAreAskedAboutOneByOne ends every meeting at once.
func TestManyEndsAreAskedAboutOneByOne(t *testing.T) {
	source, ids := healthy(64)
	for _, id := range ids {
		source.closed[id] = true
		source.standing[id] = Standing{Status: rollcall.StatusEnded}
	}
	report := (&Poller{Source: source}).Pass(t.Context(), (&book{}).ask(ids...))
	if report.Answered != 64 || report.Calls > 2*64+7 {
		t.Errorf("report %+v", report)
	}
}

// TestSearchSurvivesWhatComesBetween lets calls of a search fail.
func TestSearchSurvivesWhatComesBetween(t *testing.T) {
	for name, err := range map[string]error{
		"transient": fault{class: ClassTransient}, "throttled": fault{class: ClassThrottled}, "bad": fault{class: ClassBadRequest},
		"unknown": fault{class: ClassUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			for place := range 9 {
				synctest.Test(t, func(t *testing.T) {
					source, ids := healthy(32)
					source.closed[ids[9]] = true
					source.standing[ids[9]] = Standing{Status: rollcall.StatusEnded}
					source.script = append(slices.Repeat([]error{nil}, place), err, err)
					p, b := &Poller{Source: source}, &book{}
					for range 4 {
						report := p.Pass(t.Context(), b.ask(ids...))
						if report.Answered+len(report.Unanswered) != 32 {
							t.Fatalf("at call %d: report %+v", place, report)
						}
						wait.For(t.Context(), 2*time.Minute)
					}
					last := map[string]rollcall.SightingKind{}
					for _, o := range b.observations {
						for _, s := range o.Sightings {
							last[s.ConferenceID] = s.Kind
						}
					}
					for _, id := range ids {
						if want := source.closed[id]; (last[id] == rollcall.SightingEnded) != want || last[id] == 0 {
							t.Errorf("at call %d: %s is sighted as %v", place, id, last[id])
						}
					}
				})
			}
		})
	}
}
