package poller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
)

// memberSource lists members page by page, as scripted; the last page is given
// again and again.
type memberSource struct {
	*fakeSource
	pages []MembersPage
	errs  []error
	asked []string
	took  time.Duration
}

func (s *memberSource) Members(_ context.Context, id, token string) (MembersPage, error) {
	time.Sleep(s.took)
	n := len(s.asked)
	s.asked = append(s.asked, id+" "+token)
	if n < len(s.errs) && s.errs[n] != nil {
		return MembersPage{}, s.errs[n]
	}
	return s.pages[min(max(0, n-len(s.errs)), len(s.pages)-1)], nil
}

func lines(names ...string) (all []rollcall.Member) {
	for _, name := range names {
		all = append(all, rollcall.Member{UserID: name})
	}
	return all
}

// A list of members is read to its end, once, and handed on whole or not at all.
func TestMembersAreReadWholeOrNotAtAll(t *testing.T) {
	passing := fault{class: ClassTransient}
	endless := make([]MembersPage, 60)
	for i := range endless {
		endless[i] = MembersPage{Members: lines(strconv.Itoa(i)), Next: fmt.Sprint("p", i)}
	}
	for name, c := range map[string]struct {
		pages []MembersPage
		errs  []error
		found int // -1: nothing is handed on
		calls int
	}{
		"one page":               {[]MembersPage{{Members: lines("a", "b")}}, nil, 2, 1},
		"nobody":                 {[]MembersPage{{}}, nil, 0, 1},
		"two":                    {[]MembersPage{{Members: lines("a"), Next: "x", Total: 2}, {Members: lines("b"), Total: 2}}, nil, 2, 2},
		"one twice":              {[]MembersPage{{Members: lines("a", "b"), Next: "x"}, {Members: lines("b", "c")}}, nil, 3, 2},
		"a failure that passes":  {[]MembersPage{{Members: lines("a")}}, []error{passing}, 1, 2},
		"a failure":              {[]MembersPage{{Members: lines("a")}}, []error{passing, passing}, -1, 2},
		"an unknown meeting":     {[]MembersPage{{}}, []error{fault{class: ClassUnknown}}, -1, 1},
		"cut short":              {[]MembersPage{{Members: lines("a"), Total: 300}}, nil, -1, 1},
		"round and round":        {[]MembersPage{{Members: lines("a"), Next: "x"}, {Members: lines("b"), Next: "x"}}, nil, -1, 2},
		"round and round, whole": {[]MembersPage{{Members: lines("a"), Next: "x", Total: 2}, {Members: lines("b"), Next: "x", Total: 2}}, nil, 2, 2},
		"nothing new":            {[]MembersPage{{Members: lines("a"), Next: "x"}, {Members: lines("a"), Next: "y"}}, nil, -1, 2},
		"no end":                 {endless, nil, -1, mostPages},
		"a line nobody can read": {[]MembersPage{{Members: lines("a"), Unread: 1}}, nil, -1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, ids := healthy(1)
				source := &memberSource{fakeSource: fake, pages: c.pages, errs: c.errs}
				spent, found, number := 0, -1, uint64(0)
				p := &Poller{Source: source, Spend: func(context.Context, string) error { spent++; return nil }}
				report := p.Pass(t.Context(), Ask{
					IDs: ids, Members: []string{"gone"},
					Next: func() rollcall.Number { number++; return rollcall.Number{Term: 1, Poll: number} },
					Emit: func(_ context.Context, o rollcall.Observation) error {
						if s := o.Sightings[0]; s.Kind == rollcall.SightingMembers {
							found = len(s.Members)
							if s.ConferenceID != "gone" || o.Number.Poll < 2 || o.AnsweredAt.Before(o.AskedAt) {
								t.Errorf("handed on %+v", o)
							}
						}
						return nil
					},
				})
				if found != c.found || len(source.asked) != c.calls || spent != c.calls+1 || report.Answered != 1 || report.State != StateOK {
					t.Errorf("%d lines in %d calls, %d paid, report %+v", found, len(source.asked), spent, report)
				}
			})
		})
	}
}

// Without calls nothing is listed.
func TestMembersAreNotListedWithoutCalls(t *testing.T) {
	fake, ids := healthy(1)
	source := &memberSource{fakeSource: fake, pages: []MembersPage{{Members: lines("a")}}}
	left := 2
	p := &Poller{Source: source, Spend: func(context.Context, string) error {
		if left--; left < 0 {
			return errors.New("nothing is left")
		}
		return nil
	}}
	number := uint64(0)
	p.Pass(t.Context(), Ask{
		IDs: ids, Members: []string{"a", "b", "c"},
		Next: func() rollcall.Number { number++; return rollcall.Number{Term: 1, Poll: number} },
		Emit: func(context.Context, rollcall.Observation) error { return nil },
	})
	if !slices.Equal(source.asked, []string{"a "}) {
		t.Errorf("asked for %q", source.asked)
	}
}

// Lists that fail or take long do not keep the next question about meetings waiting;
// what was not asked for is said.
func TestListsDoNotDelayQuestions(t *testing.T) {
	for name, c := range map[string]struct {
		took  time.Duration
		errs  []error
		asked []string
		left  []string
	}{
		"swift":               {time.Millisecond, nil, []string{"a ", "b ", "c "}, nil},
		"slow":                {3 * time.Second, nil, []string{"a ", "b "}, []string{"c"}},
		"one times out":       {time.Millisecond, []error{fault{class: ClassTransient}, fault{class: ClassTransient}}, []string{"a ", "a "}, []string{"b", "c"}},
		"one is not known":    {time.Millisecond, []error{fault{class: ClassUnknown}}, []string{"a ", "b ", "c "}, nil},
		"asked for too often": {time.Millisecond, []error{fault{class: ClassThrottled}}, []string{"a "}, []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, ids := healthy(1)
				source := &memberSource{fakeSource: fake, pages: []MembersPage{{Members: lines("ann")}}, errs: c.errs, took: c.took}
				number := uint64(0)
				report := (&Poller{Source: source}).Pass(t.Context(), Ask{
					IDs: ids, Members: []string{"a", "b", "c"},
					Next: func() rollcall.Number { number++; return rollcall.Number{Term: 1, Poll: number} },
					Emit: func(context.Context, rollcall.Observation) error { return nil },
				})
				if !slices.Equal(source.asked, c.asked) || !slices.Equal(report.Unlisted, c.left) || report.Listing != len(c.asked) || report.Calls != len(c.asked)+1 {
					t.Errorf("asked for %q, report %+v", source.asked, report)
				}
			})
		})
	}
}

// laggingSource takes a minute to answer about meetings of one name.
type laggingSource struct {
	*memberSource
	lags string
}

func (s *laggingSource) Query(ctx context.Context, ids []string) (Answers, error) {
	if slices.Contains(ids, s.lags) {
		time.Sleep(time.Minute)
	}
	return s.memberSource.Query(ctx, ids)
}

// The list of a meeting whose own answer is overdue waits for another pass: its
// number would be the later one, and the answer in vain.
func TestNoListOvertakesAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, ids := healthy(5)
		source := &laggingSource{&memberSource{fakeSource: fake, pages: []MembersPage{{Members: lines("ann")}}}, ids[0]}
		var arrived atomic.Bool
		number := uint64(0)
		report := (&Poller{Source: source, BatchSize: 1}).Pass(t.Context(), Ask{
			IDs: ids, Members: ids[:2],
			Next: func() rollcall.Number { number++; return rollcall.Number{Term: 1, Poll: number} },
			Emit: func(context.Context, rollcall.Observation) error { return nil },
			Late: func() func() { return func() { arrived.Store(true) } },
		})
		if !slices.Equal(report.Unlisted, ids[:1]) || !slices.Equal(source.asked, []string{ids[1] + " "}) || arrived.Load() {
			t.Errorf("asked for %q, report %+v", source.asked, report)
		}
		time.Sleep(2 * time.Minute)
		if !arrived.Load() {
			t.Error("the answer never came")
		}
	})
}
