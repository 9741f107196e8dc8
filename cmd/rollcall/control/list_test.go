package control

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/wire"
)

// Whatever the workers hold and whatever fits on a page, going from page to
// page gives every meeting once, in order.
func TestPagesHoldEveryMeetingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		holdings := make([][]State, rapid.IntRange(1, 4).Draw(t, "workers"))
		var want []string
		for n := range rapid.IntRange(0, 40).Draw(t, "meetings") {
			id := fmt.Sprintf("c%02d", n)
			want = append(want, id)
			// Some are told of by two workers.
			for range rapid.IntRange(1, 2).Draw(t, "tellers") {
				w := rapid.IntRange(0, len(holdings)-1).Draw(t, "holder")
				holdings[w] = append(holdings[w], State{ConferenceID: id})
			}
		}
		size := rapid.IntRange(1, 1000).Draw(t, "size")
		var got []string
		for after, pages := "", 0; ; pages++ {
			var shares []share
			for _, all := range holdings {
				shares = append(shares, share{List: page(beyond(all, after), "", rapid.IntRange(1, 1000).Draw(t, "share size"))})
			}
			list := merge(shares, size)
			for _, m := range list.Meetings {
				got = append(got, m.ConferenceID)
			}
			if list.Next == "" {
				break
			}
			if list.Next <= after || pages > len(want) {
				t.Fatalf("page %d goes on after %q with %q", pages, after, list.Next)
			}
			after = list.Next
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func beyond(all []State, after string) []State {
	var states []State
	for _, m := range all {
		if m.ConferenceID > after {
			states = append(states, m)
		}
	}
	return states
}

func TestTheFresherStateIsListed(t *testing.T) {
	old := State{ConferenceID: "c1", Trouble: "old"}
	fresh := State{ConferenceID: "c1", AskedAt: wire.Time{Time: time.Unix(9, 0)}}
	for _, order := range [][]State{{old, fresh}, {fresh, old}} {
		list := merge([]share{{List: List{Meetings: order[:1]}}, {List: List{Meetings: order[1:]}}}, largest)
		if len(list.Meetings) != 1 || list.Meetings[0].Trouble != "" {
			t.Errorf("listed: %+v", list.Meetings)
		}
	}
}
