package scenario

import (
	"net/http"
	"slices"
	"sync"

	"rollcall/simulator"
)

// audience knows what has been shown to each poller.
type audience struct {
	world *simulator.Simulator
	news  chan struct{} // one may wait; something was asked

	mu     sync.Mutex // guards what follows
	read   uint64     // the number of the last answer that was looked at
	shown  map[string]uint64
	looked map[string]uint64
}

func newAudience(world *simulator.Simulator) *audience {
	return &audience{world: world, news: make(chan struct{}, 1), shown: map[string]uint64{}, looked: map[string]uint64{}}
}

// watch notes what the answers of a handler show.
func (a *audience) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.look() // even where a fault breaks the connection
		next.ServeHTTP(w, r)
	})
}

func (a *audience) look() {
	a.note()
	select {
	case a.news <- struct{}{}:
	default:
	}
}

func (a *audience) note() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, served := range a.world.ServedSince(a.read) {
		a.read = served.Number
		for _, meeting := range served.Shown {
			a.shown[meeting.ConferenceID] = meeting.Facts
		}
		if served.Operation == simulator.OpMeeting && whole(served) {
			for _, id := range served.Asked {
				a.looked[id] = served.Facts
			}
		}
	}
}

// whole reports whether an answer arrived as it was meant.
func whole(served simulator.Served) bool {
	harmless := []string{"", simulator.FaultLatency, simulator.FaultDrip, simulator.FaultStrings}
	return served.Status == http.StatusOK && slices.Contains(harmless, served.Fault)
}

// finale is the last that is to be seen of a meeting.
type finale struct {
	fact  uint64
	ended bool // a lookup of the meeting alone shows it as well
}

// missing lists the meetings whose finale nobody has seen.
func (a *audience) missing(finales map[string]finale) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var ids []string
	for id, last := range finales {
		if a.shown[id] < last.fact && !(last.ended && a.looked[id] >= last.fact) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
