package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
)

// blow is what strikes a process in one row of the matrix.
type blow struct {
	step string
	late bool // after the step took effect
	ends bool // the process ends there; else the step fails, three times
	heir string
}

func (b blow) String() string {
	how := "fails"
	if b.ends {
		how = "the process ends"
	}
	if b.late {
		how += " though it took effect"
	}
	return fmt.Sprintf("%s/%s/%s goes on", b.step, how, b.heir)
}

// provoke says what has to fail before a step is taken at all.
func provoke(step string) []string {
	switch step {
	case "load", "holder":
		return []string{"heartbeat"} // cached records are given up after a lapse
	case "append", "sync", "clear":
		return []string{"commit"} // the journal is written while the ledger is away
	}
	return nil
}

// fist deals a blow.
type fist struct {
	mu      sync.Mutex
	blow    blow
	line    *line
	provoke []string // steps that fail meanwhile
	armed   bool
	struck  int
}

func (f *fist) arm(provoke ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.provoke = true, provoke
}

func (f *fist) strike(_ context.Context, step string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, late := strings.CutSuffix(step, " done")
	most := 3
	if f.blow.ends {
		most = 1
	}
	if f.armed && name == f.blow.step && late == f.blow.late && f.struck < most {
		f.struck++
		if f.blow.ends {
			f.line.die()
		}
		return asLedger(name, late, errors.New("struck"))
	}
	if slices.Contains(f.provoke, step) {
		return asLedger(name, late, errors.New("provoked"))
	}
	return nil
}

// asLedger gives the error of a step as the ledger would: a commit that took
// effect has an unknown outcome.
func asLedger(step string, late bool, err error) error {
	switch {
	case step != "commit":
		return err
	case late:
		return fmt.Errorf("%w: %w", ledger.ErrUnknown, err)
	}
	return fmt.Errorf("%w: %w", ledger.ErrBusy, err)
}

// phases says when a step is taken: at the start, under way, or by a process
// that starts with a journal to replay.
func phases(step string) []string {
	switch step {
	case "load_all", "tracked", "claim":
		return []string{"at the start", "replaying"}
	case "load", "lookup", "append", "leave":
		return []string{"under way"}
	case "holder", "sync", "clear":
		return []string{"under way", "replaying"}
	}
	return []string{"at the start", "under way", "replaying"}
}

// TestFailurePoints breaks every step that a worker takes, before and after it
// took effect, and lets the same worker or another one go on.
func TestFailurePoints(t *testing.T) {
	for _, step := range []string{
		"query", "lookup", "load", "load_all", "tracked", "holder", "commit", "append", "sync", "clear",
		"claim", "heartbeat", "members", "status", "leave",
	} {
		for _, when := range phases(step) {
			for i := range 8 {
				b := blow{step, i&1 > 0, i&2 > 0, []string{"the same", "another"}[i>>2]}
				if !b.ends && b.heir == "another" && (raced || when != "under way") {
					continue // who goes on after an orderly stop is shown under way
				}
				t.Run(fmt.Sprint(b, "/", when), func(t *testing.T) {
					t.Parallel()
					bubble(t, func(t *testing.T) { b.play(t, when) })
				})
			}
		}
	}
}

// four are the meetings of the matrix: one goes on, the others end, each in a
// way of its own.
func four(c *worker.Config) {
	c.Tenants[0].Conferences = []string{"goes-on", "says-ended", "omitted", "vanishes"}
	c.StopTimeout = time.Second
}

func (b blow) play(t *testing.T, when string) {
	w, m := newWorld(), ledgertest.NewMemory(names)
	l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
	for _, id := range []string{"goes-on", "says-ended", "omitted", "vanishes"} {
		w.set(id, "ann", "bob*")
	}
	if when == "replaying" {
		leaveJournal(t, l)
		l = &line{Memory: m, paper: l.paper, world: w, book: l.book}
	}
	f := &fist{blow: b, line: l}
	l.set(f.strike)
	if when != "under way" {
		f.arm(provoke(b.step)...)
	}
	p := connect(t, "w1", l, four)
	elapse(time.Second)
	for tick := 0; tick < 16 && !l.gone(); tick++ {
		b.turn(w, f, tick)
		elapse(15 * time.Second)
	}
	p.kill()
	<-p.ended
	if f.struck == 0 {
		t.Fatal("the step was never taken: the row says nothing")
	}
	kept := l.paper.states("goes-on")
	b.inherit(t, w, l)
	b.hold(t, w, l)
	if b.heir == "the same" {
		told, _ := published(t, m, "goes-on")
		for _, state := range kept {
			if !slices.Contains(told, state) {
				t.Errorf("lost: %q was in the journal and is not told", state)
			}
		}
	}
}

// leaveJournal lets a process end whose last minutes are in the journal alone.
func leaveJournal(t *testing.T, l *line) {
	p := connect(t, "w1", l, four)
	elapse(20 * time.Second)
	l.set(only(errors.New("no responders"), "commit", "heartbeat", "load", "holder"))
	for i := range 4 {
		l.world.set("goes-on", "ann", fmt.Sprint("early", i))
		elapse(15 * time.Second)
	}
	p.end(l)
	if l.paper.len() < 4 {
		t.Fatal("there is no journal to replay")
	}
}

// states gives the states of a meeting that are in the journal.
func (p *paper) states(id string) (states []string) {
	for _, obs := range p.read() {
		for _, s := range obs.Sightings {
			if s.ConferenceID == id && s.Kind == rollcall.SightingListed {
				states = append(states, answered(s.Answer).state())
			}
		}
	}
	return states
}

// answered is the meeting that an answer was made from.
func answered(a *rollcall.Answer) *meeting {
	m := &meeting{Status: a.Status}
	for _, e := range a.Entries {
		m.Users = append(m.Users, user{ID: e.UserID, Att: e.Attendance, Open: e.Mic == rollcall.DeviceOpen})
	}
	return m
}

// turn lets one interval of the world go by.
func (b blow) turn(w *world, f *fist, tick int) {
	w.set("goes-on", "ann", fmt.Sprint("guest", tick))
	switch tick {
	case 3:
		f.arm(provoke(b.step)...)
		w.status("says-ended", rollcall.StatusEnded)
	case 4:
		w.hide("omitted")
		w.forget("vanishes")
	case 6:
		f.arm() // what provoked the step is over
	}
}

// inherit lets a worker go on where another ended.
func (b blow) inherit(t *testing.T, w *world, l *line) {
	id, heir := "w1", &line{Memory: l.Memory, paper: l.paper, world: w, book: l.book}
	if b.heir == "another" {
		id, heir.paper = "w2", &paper{}
	}
	w.set("goes-on", "ann", "heir")
	p := connect(t, id, heir, four)
	elapse(2 * time.Minute)
	for _, each := range []string{"says-ended", "omitted", "vanishes"} {
		w.hide(each)
	}
	elapse(2 * time.Minute)
	p.stop(t)
	if n := heir.paper.len(); n > 0 {
		t.Errorf("%d observations are left in the heir's journal", n)
	}
}

// hold holds what was published against what was said.
func (b blow) hold(t *testing.T, w *world, l *line) {
	for _, id := range []string{"goes-on", "says-ended", "omitted", "vanishes"} {
		if broken := judge(t, l.Memory, l.book, id, w.truth(id)); broken != "" {
			t.Errorf("%s: %s", id, broken)
		}
		if n := strings.Count(strings.Join(tell(events(t, l.Memory, id)), "\n"), "meeting.ended"); id != "goes-on" && n != 1 {
			t.Errorf("%s: told to have ended %d times", id, n)
		}
	}
	states, _ := published(t, l.Memory, "goes-on")
	given := l.book.of("goes-on")
	if !b.ends && !slices.Equal(states, given) {
		t.Errorf("lost: told is\n%s\nsaid was\n%s", strings.Join(states, "\n"), strings.Join(given, "\n"))
	}
	if set := trackedSet(t, l.Memory); !slices.Equal(set, []string{"goes-on"}) {
		t.Errorf("tracked is %v", set)
	}
}
