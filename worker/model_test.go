package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
)

// move is one thing that happens in a play: to the world, or to one of two
// workers. Then some time goes by.
type move struct {
	what string
	who  int
	then time.Duration
}

func (m move) String() string { return fmt.Sprintf("%s (%d), then %s", m.what, m.who, m.then) }

// plays generates what may happen.
func plays() *rapid.Generator[[]move] {
	one := rapid.Custom(func(t *rapid.T) move {
		return move{
			what: rapid.SampledFrom([]string{
				"change", "change", "change", "back", "back", "vanish", "end",
				"freeze", "hold answer", "hang commit", "cut", "deafen", "blind", "lose answer", "full",
				"heal", "heal", "let go", "crash", "restart", "restart", "stop",
			}).Draw(t, "what"),
			who: rapid.IntRange(0, 1).Draw(t, "who"),
			then: rapid.SampledFrom([]time.Duration{
				0, time.Second, 4 * time.Second, 15 * time.Second, 16 * time.Second, 40 * time.Second,
			}).Draw(t, "then"),
		}
	})
	return rapid.SliceOfN(one, 1, 40)
}

// stage is where a play takes place: two workers, one ledger, one world.
type stage struct {
	world   *world
	memory  *ledgertest.Memory
	book    *book
	without string // the guard that is taken away; "": none
	far     bool   // answers take a while, and each meeting is asked about by a call of its own
	actors  [2]*actor
	changes int
}

// actor is one of the two workers: its disk, its process, which may be none,
// and what is wrong with it.
type actor struct {
	id      string
	paper   *paper
	line    *line
	process *process

	mu     sync.Mutex
	ills   map[string]bool
	healed chan struct{} // closed when the ills are over
}

// strike is what is wrong with the actor's process, at one step.
func (a *actor) strike(ctx context.Context, step string) error {
	a.mu.Lock()
	ills, healed := a.ills, a.healed
	onDisk := strings.HasPrefix(step, "append") || strings.HasPrefix(step, "sync") || strings.HasPrefix(step, "clear")
	outside := strings.HasPrefix(step, "query") || strings.HasPrefix(step, "lookup") || onDisk
	// The journal is written under a lock, and the clock of a bubble stands still
	// while one waits for a lock: a frozen process is held at its next step.
	hangs := ills["freeze"] && !onDisk || ills["hang commit"] && step == "commit" || ills["hold answer"] && step == "query done"
	away := ills["cut"] && !outside || ills["deafen"] && step == "heartbeat" || ills["blind"] && step == "members"
	full := ills["full"] && (step == "commit" || step == "claim")
	lost := ills["lose answer"] && step == "commit done"
	if lost {
		delete(ills, "lose answer")
	}
	a.mu.Unlock()
	switch {
	case hangs:
		return hang(ctx, step, healed)
	case away:
		return fmt.Errorf("%w: cut off", ledger.ErrBusy)
	case full:
		return fmt.Errorf("%w: no space", ledger.ErrFull)
	case lost:
		return fmt.Errorf("%w: the answer is lost", ledger.ErrUnknown)
	}
	return nil
}

// hang waits for better times. A heartbeat of a frozen process is late, however
// short its deadline: the process does not see that one pass either.
func hang(ctx context.Context, step string, healed chan struct{}) error {
	if step == "heartbeat" || step == "members" {
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-healed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrUnknown, ctx.Err())
	}
}

func (a *actor) ail(ill string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ills[ill] = true
}

func (a *actor) heal() {
	a.letGo()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ills = map[string]bool{}
}

// letGo ends what hangs; the other ills stay.
func (a *actor) letGo() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ill := range []string{"freeze", "hang commit", "hold answer"} {
		delete(a.ills, ill)
	}
	close(a.healed)
	a.healed = make(chan struct{})
}

// begin starts the actor's process, if there is none.
func (s *stage) begin(t *testing.T, a *actor) {
	if a.process != nil {
		return
	}
	a.line = &line{Memory: s.memory, paper: a.paper, world: s.world, book: s.book, without: s.without, stands: map[string]stand{}}
	a.line.set(a.strike)
	a.process = connect(t, a.id, a.line, func(c *worker.Config) {
		c.Tenants[0].Conferences = []string{"m", "x"}
		c.StopTimeout = 3 * time.Second
		if s.far {
			c.Tenants[0].Asker = asker{a.line, &poller.Poller{Source: &scattered{Source: vendor{a.line}}, Tenant: "acme", Logger: c.Logger, BatchSize: 1, InFlight: 4}}
		}
	})
}

// finish ends the actor's process: at once, or in order.
func (a *actor) finish(crash bool) {
	if a.process == nil {
		return
	}
	if crash {
		a.line.die()
	}
	a.heal()
	a.process.kill()
	<-a.process.ended
	a.process = nil
}

// play lets everything happen and then peace return. It gives the law that
// fell; "" where none did.
func play(t *testing.T, without string, far bool, moves []move) string {
	s := &stage{world: newWorld(), memory: ledgertest.NewMemory(names), book: newBook(), without: without, far: far}
	for i := range s.actors {
		s.actors[i] = &actor{id: fmt.Sprint("w", i), paper: &paper{}, ills: map[string]bool{}, healed: make(chan struct{})}
	}
	s.world.set("m", "ann")
	s.world.set("x", "eve*")
	s.begin(t, s.actors[0])
	elapse(time.Second)
	for _, m := range moves {
		s.move(t, m)
		elapse(m.then)
	}
	for _, a := range s.actors {
		a.heal()
	}
	if s.actors[0].process == nil && s.actors[1].process == nil {
		s.begin(t, s.actors[0])
	}
	elapse(3 * time.Minute)
	if broken := s.atPeace(t); broken != "" {
		return broken
	}
	s.begin(t, s.actors[0])
	s.begin(t, s.actors[1])
	elapse(time.Minute)
	vanished := record(t, s.memory, "m").Meeting.Status == rollcall.StatusEnded
	s.change()
	s.world.status("x", rollcall.StatusEnded)
	elapse(time.Minute)
	if vanished { // then it is asked about at a slow pace
		elapse(25 * time.Minute)
	}
	for _, a := range s.actors {
		a.finish(false)
	}
	return s.verdict(t)
}

// change brings about a state that never was before.
func (s *stage) change() {
	s.changes++
	s.world.set("m", "ann", fmt.Sprint("guest", s.changes))
}

func (s *stage) move(t *testing.T, m move) {
	a := s.actors[m.who]
	switch m.what {
	case "change":
		s.change()
	case "back":
		s.world.set("m", "ann")
	case "vanish":
		s.world.forget("m")
	case "end":
		s.world.status("x", rollcall.StatusEnded)
	case "heal":
		a.heal()
	case "let go":
		a.letGo()
	case "crash", "stop":
		a.finish(m.what == "crash")
	case "restart":
		s.begin(t, a)
	default:
		a.ail(m.what)
	}
}

// atPeace holds the meeting that goes on against the world, before a change
// could set right what nobody noticed.
func (s *stage) atPeace(t *testing.T) string {
	if r := record(t, s.memory, "m"); r.Meeting.Status == rollcall.StatusEnded {
		return "" // it vanished, and is asked about at a slow pace
	}
	if broken := judge(t, s.memory, s.book, "m", s.world.truth("m")); broken != "" {
		return "m, at peace: " + broken
	}
	return ""
}

func (s *stage) verdict(t *testing.T) string {
	for _, id := range []string{"m", "x"} {
		if broken := judge(t, s.memory, s.book, id, s.world.truth(id)); broken != "" {
			return id + ": " + broken
		}
	}
	if n := strings.Count(strings.Join(tell(events(t, s.memory, "x")), "\n"), "meeting.ended"); n != 1 {
		return fmt.Sprintf("x: told to have ended %d times", n)
	}
	return ""
}

// TestModel lets two workers go through everything that can go wrong with
// them, and holds what they publish against a world in which one thing happens
// after the other; with calls that are answered as they were asked, and otherwise.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		far, moves, broken := rapid.Bool().Draw(rt, "far"), plays().Draw(rt, "play"), ""
		bubble(t, func(t *testing.T) { broken = play(t, "", far, moves) })
		if broken != "" {
			rt.Fatal(broken)
		}
	})
}
