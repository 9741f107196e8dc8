package simulator

import (
	"math/rand/v2"
	"time"

	"rollcall"
)

// world is what happens, and has happened. Its owner holds the lock.
type world struct {
	cfg   Config
	rng   *rand.Rand
	verbs map[string]verb
	live  bool // the world follows the clock

	at    time.Time // everything until then has happened
	tick  time.Time // when the next thing happens by chance; zero: never
	born  int       // meetings so far
	seats []*meeting
	order []*meeting // every remembered meeting by ordinal
	byID  map[string]*meeting

	told        func(Fact, *meeting) // of each fact as it happens; nil: nobody is
	facts       journal[Fact]
	base        map[string]*book // the forgotten facts, folded
	forgottenAt time.Time
}

func newWorld(cfg Config) *world {
	w := &world{
		cfg: cfg, rng: cfg.chance(streamCourse, 0), verbs: verbTable(),
		at: cfg.Now().Round(0).UTC(), byID: map[string]*meeting{}, base: map[string]*book{},
		facts: journal[Fact]{keep: cfg.Keep},
	}
	for range cfg.Meetings {
		m := w.addMeeting("", "")
		m.gather(cfg, w.headcount())
		w.seats = append(w.seats, m)
		w.schedule(m, 0.25, 1)
		w.populate(m)
	}
	if cfg.Rate > 0 {
		w.tick = w.at.Add(w.gap())
	}
	return w
}

// addMeeting makes a meeting; its id and title are drawn where they are empty.
func (w *world) addMeeting(id, title string) *meeting {
	m := w.cfg.newMeeting(w.born, id, title)
	w.born++
	w.order = append(w.order, m)
	w.byID[m.id] = m
	w.record(m, rollcall.MeetingInitialized, "", nil)
	return m
}

// headcount draws how many people a meeting concerns: a quarter more or less than
// the typical.
func (w *world) headcount() int {
	n := w.cfg.People
	return max(1, n-n/4+w.rng.IntN(n/2+1))
}

// schedule sets when a meeting starts and ends on its own; it lives between
// from and to lifetimes.
func (w *world) schedule(m *meeting, from, to float64) {
	start := time.Duration(w.rng.Float64() * float64(10*time.Second))
	life := time.Duration((from + (to-from)*w.rng.Float64()) * float64(w.cfg.Lifetime))
	if life > 0 {
		m.endsAt = w.at.Add(max(life, time.Millisecond))
		start = min(start, life/4)
	}
	if !w.cfg.Empty {
		m.startsAt = w.at.Add(start)
	}
}

// gap draws the time between two facts.
func (w *world) gap() time.Duration {
	return time.Duration(w.rng.ExpFloat64() / w.cfg.Rate * float64(time.Second))
}

func (w *world) record(m *meeting, kind rollcall.Type, reason rollcall.Reason, d *device) {
	m.raw = nil
	f := Fact{
		Number: w.facts.last() + 1, At: w.at, ConferenceID: m.id,
		Type: kind, Reason: reason, Meeting: m.conference(),
	}
	if d != nil {
		f.Line = d.Line
	}
	if w.told != nil {
		w.told(f, m)
	}
	w.forget(w.facts.add(f))
}

// forget folds facts that fell out of the journal and drops the oldest of the
// ended meetings.
func (w *world) forget(facts []Fact) {
	for _, f := range facts {
		if w.base[f.ConferenceID] == nil {
			w.base[f.ConferenceID] = &book{}
		}
		w.base[f.ConferenceID].apply(f)
		w.forgottenAt = f.At
	}
	if len(facts) > 0 {
		w.dropEnded()
	}
}

func (w *world) dropEnded() {
	ended := 0
	for _, m := range w.order {
		if m.over() {
			ended++
		}
	}
	left := make([]*meeting, 0, len(w.order))
	for _, m := range w.order {
		if m.over() && ended > w.cfg.Keep {
			ended--
			delete(w.byID, m.id)
			delete(w.base, m.id)
			continue
		}
		left = append(left, m)
	}
	w.order = left
}

// follow brings a world that follows the clock up to now.
func (w *world) follow() {
	if w.live {
		w.advance(w.cfg.Now())
	}
}

// advance lets everything happen that is due until to.
func (w *world) advance(to time.Time) {
	for {
		next, happen := w.upcoming()
		if next.IsZero() || next.After(to) {
			break
		}
		w.at = later(w.at, next)
		happen()
	}
	w.at = later(w.at, to.Round(0).UTC())
}

// upcoming is the next thing that happens on its own.
func (w *world) upcoming() (time.Time, func()) {
	next, happen := w.nextChance(), w.chanceFact
	for i, m := range w.seats {
		due := m.due()
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next, happen = due, func() { w.turn(i) }
		}
	}
	return next, happen
}

// nextChance is when chance next strikes. A time that passed while there was
// nobody to strike is drawn anew, so that nothing is made up for at once.
func (w *world) nextChance() time.Time {
	if w.tick.IsZero() || !w.anybody() {
		return time.Time{}
	}
	if w.tick.Before(w.at) {
		w.tick = w.at.Add(w.gap())
	}
	return w.tick
}

func (w *world) anybody() bool {
	for _, m := range w.seats {
		if !m.over() && len(m.lines) > 0 {
			return true
		}
	}
	return false
}

// turn starts the meeting of a seat, or ends it and seats another.
func (w *world) turn(seat int) {
	m := w.seats[seat]
	if m.status == rollcall.StatusInitialized && !m.startsAt.IsZero() {
		w.start(m)
		return
	}
	if !m.over() {
		w.end(m)
	}
	next := w.addMeeting("", "")
	next.gather(w.cfg, w.headcount())
	w.seats[seat] = next
	w.schedule(next, 0.75, 1.25)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
