package scenario

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"rollcall"
	"rollcall/internal/safetext"
	"rollcall/internal/wait"
	"rollcall/simulator"
)

// Player plays a scenario once. It is made by [NewPlayer].
type Player struct {
	// Patience bounds how long Run waits for the first questions, and for the
	// last ones; 0: as long as it takes.
	Patience time.Duration
	// Tell is called with a line at each step, safe to show; it may be nil.
	Tell func(line string)

	scenario *Scenario
	speed    float64
	world    *simulator.Simulator
	audience *audience
	progress progress
	finales  map[string]finale // of each meeting so far; Run owns it
}

// NewPlayer makes the world of a scenario as it is at the beginning. base holds
// the credentials that are accepted; what the scenario says comes before it. A
// speed of 10 makes everything happen ten times as fast.
func NewPlayer(s *Scenario, speed float64, base simulator.Config) (*Player, error) {
	if !(speed >= 0.01 && speed <= 1000) {
		return nil, fmt.Errorf("play scenario %s: speed is %v: a number from 0.01 to 1000 is allowed", s.Name, speed)
	}
	p := &Player{scenario: s, speed: speed}
	cfg := s.config(base)
	cfg.Latency = p.pace(cfg.Latency)
	world, err := simulator.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("play scenario %s: %w", s.Name, err)
	}
	facts, err := s.populate(world)
	if err != nil {
		return nil, fmt.Errorf("play scenario %s: %w", s.Name, err)
	}
	p.world, p.audience, p.finales = world, newAudience(world), map[string]finale{}
	p.remember(facts)
	return p, nil
}

// World is where the scenario plays.
func (p *Player) World() *simulator.Simulator { return p.world }

// Handler serves the world, its control API, and GET /_sim/scenario, which
// shows how far the scenario is: see [Progress].
func (p *Player) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/scenario", p.tellProgress)
	mux.Handle("/", p.audience.watch(p.world.Handler()))
	return mux
}

// Run waits until every meeting has been asked about, plays the scenario, and
// returns nil once the end of every meeting has been seen. It must be called
// once. A ctx that is over ends it with its error; anything else is an error
// that says who was not asked about, or what could not happen.
func (p *Player) Run(ctx context.Context) error {
	living, stop := context.WithCancel(ctx)
	var life sync.WaitGroup
	life.Go(func() { _ = p.world.Run(living) }) // it ends with living alone
	defer life.Wait()
	defer stop()

	p.tell("waiting until Rollcall asks about " + strings.Join(p.scenario.ConferenceIDs(), ", "))
	if err := p.await(ctx, "start"); err != nil {
		return err
	}
	if err := p.play(ctx); err != nil {
		return err
	}
	if err := p.await(ctx, "see the end of"); err != nil {
		return err
	}
	// A poller that saw the end may have a question left, such as when it was.
	if !wait.For(ctx, p.pace(p.scenario.Poll)) {
		return ctx.Err()
	}
	p.progress.set(Done, p.scenario.Length())
	p.tell("done: everything was seen")
	return nil
}

// remember notes the last that happened in each meeting.
func (p *Player) remember(facts []simulator.Fact) {
	for _, fact := range facts {
		p.finales[fact.ConferenceID] = finale{fact.Number, fact.Type == rollcall.MeetingEnded}
	}
}

// await waits until somebody has seen the last of each meeting.
func (p *Player) await(ctx context.Context, what string) error {
	if p.Patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.Patience, errImpatient)
		defer cancel()
	}
	for missing := p.audience.missing(p.finales); len(missing) > 0; missing = p.audience.missing(p.finales) {
		select {
		case <-p.audience.news:
		case <-ctx.Done():
			if context.Cause(ctx) != errImpatient {
				return ctx.Err()
			}
			return fmt.Errorf("%s scenario %s: for %s nobody asked about %s: is Rollcall running, and does it track them?",
				what, p.scenario.Name, p.Patience, strings.Join(missing, ", "))
		}
	}
	return nil
}

// play lets everything happen at its instant.
func (p *Player) play(ctx context.Context) error {
	began := time.Now()
	p.tell(fmt.Sprintf("%s begins, at speed %g", p.scenario.Name, p.speed))
	p.progress.set(Playing, 0)
	for _, moment := range moments(p.scenario.timeline()) {
		if !wait.For(ctx, time.Until(began.Add(p.pace(moment[0].at)))) {
			return ctx.Err()
		}
		if err := p.happen(moment); err != nil {
			return fmt.Errorf("play scenario %s: %w", p.scenario.Name, err)
		}
		p.progress.set(Playing, moment[0].at)
	}
	if !wait.For(ctx, time.Until(began.Add(p.pace(p.scenario.Length())))) {
		return ctx.Err()
	}
	p.progress.set(Over, p.scenario.Length())
	p.tell("everything has happened; waiting until Rollcall has seen it")
	return nil
}

// happen makes what has one instant happen.
func (p *Player) happen(moment []due) error {
	var acts []simulator.Act
	for _, each := range moment {
		if each.n == 0 {
			p.tell(fmt.Sprintf("%6s  %s", each.at, each.step))
		}
		if !each.step.IsFault() {
			acts = append(acts, each.step.act(each.n))
			continue
		}
		if err := p.world.Arm(p.paced(each.step.Fault)); err != nil {
			return fmt.Errorf("line %d: %w", each.step.Line, err)
		}
	}
	facts, err := p.world.Together(acts)
	p.remember(facts)
	if err != nil {
		return fmt.Errorf("at %s: %w; did somebody else act in this world?", moment[0].at, err)
	}
	return nil
}

// pace is how long something of the file takes at the speed.
func (p *Player) pace(d time.Duration) time.Duration { return time.Duration(float64(d) / p.speed) }

func (p *Player) paced(f simulator.Fault) simulator.Fault {
	f.For, f.Delay, f.RetryAfter = p.pace(f.For), p.pace(f.Delay), p.pace(f.RetryAfter)
	return f
}

func (p *Player) tell(line string) {
	if p.Tell != nil {
		p.Tell(safetext.Line(line))
	}
}
