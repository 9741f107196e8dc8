package discovery

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/streak"
	"rollcall/poller"
)

// Tracker takes what was found.
type Tracker interface {
	// Found tracks those of the listed meetings that are not tracked yet, and
	// asks at once about those that are gone from the list. restarted says that
	// nobody knows what the list held before: then all are gone that came from
	// this source and are not listed.
	Found(ctx context.Context, tenant, source string, listed, gone []string, restarted bool) error
	// Busy counts the tracked meetings that this worker holds; looks is false
	// when looking for others is another worker's, or nobody's yet.
	Busy(tenant string) (tracked int, looks bool)
}

// Budget says how many calls may be spent now on looking for meetings.
type Budget interface {
	AllowFind(ctx context.Context, busy bool) (calls int, err error)
}

// Finder reads lists on one schedule. All fields but Filter, Budget and Logger
// are required.
type Finder struct {
	Tenant   string
	Schedule poller.Schedule
	Lists    []List
	Filter   Filter
	Tracker  Tracker
	Budget   Budget      // nil: the schedule alone
	Logger   *zap.Logger // nil: silent

	once    sync.Once      // makes both:
	heard   chan overheard // a list that somebody else has read
	resumed chan struct{}  // an operator has fixed what was wrong

	next int // the list that is read next; like what follows it belongs to Run
	seen map[string]*memory
}

// overheard is a list that somebody else has read.
type overheard struct {
	source string
	listed []poller.Listed
}

// memory is what is remembered of a list.
type memory struct {
	ids     map[string]bool // that it held; nil: not known
	heardAt time.Time       // when somebody else has read it
	after   time.Time       // not read before
	streak  streak.Streak
}

// refusedFor is how long a list is left alone that may not be read.
const refusedFor = time.Hour

// soon is after how long it is asked again whose it is to look: a worker that
// has just started, or takes over, does not wait for the next tick.
const soon = time.Second

// Run reads until ctx ends, and then returns nil.
func (f *Finder) Run(ctx context.Context) error {
	f.once.Do(f.open)
	ticks := make(chan struct{})
	loop := poller.Loop{Schedule: f.Schedule, AtOnce: true, Pass: func(ctx context.Context, _ time.Time) {
		select {
		case ticks <- struct{}{}:
		case <-ctx.Done():
		}
	}}
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	var again <-chan time.Time
	for {
		select {
		case <-ticks:
			again = f.pass(ctx)
		case <-again:
			again = f.pass(ctx)
		case <-f.resumed:
			for _, m := range f.seen {
				m.after = time.Time{}
			}
			again = f.pass(ctx)
		case h := <-f.heard:
			m := f.memoryOf(h.source)
			f.tell(h.source, m, f.take(ctx, h.source, h.listed))
			m.heardAt = time.Now()
		case err := <-ended:
			return err
		}
	}
}

func (f *Finder) open() {
	f.heard, f.resumed = make(chan overheard, 1), make(chan struct{}, 1)
}

// Overhear takes a list that somebody else has read. It does not wait: while
// another one waits it is let go.
func (f *Finder) Overhear(source string, listed []poller.Listed) {
	f.once.Do(f.open)
	select {
	case f.heard <- overheard{source, listed}:
	default:
	}
}

// Resume reads at once, also what may not have been read before, because an
// operator says that it is fixed. It does not wait.
func (f *Finder) Resume() {
	f.once.Do(f.open)
	select {
	case f.resumed <- struct{}{}:
	default:
	}
}

// pass reads the lists once, or as many as may be read now: each in its turn.
// It returns when to try again before the next tick; nil: not.
func (f *Finder) pass(ctx context.Context) <-chan time.Time {
	tracked, looks := f.Tracker.Busy(f.Tenant)
	if !looks {
		return time.After(soon)
	}
	for range min(f.afford(ctx, tracked > 0), len(f.Lists)) {
		if ctx.Err() != nil {
			return nil
		}
		list := f.Lists[f.next%len(f.Lists)]
		f.next++
		f.read(ctx, list)
	}
	return nil
}

// afford returns how many lists may be read now.
func (f *Finder) afford(ctx context.Context, busy bool) int {
	if f.Budget == nil {
		return len(f.Lists)
	}
	calls, err := f.Budget.AllowFind(ctx, busy)
	if err != nil {
		return 0 // the passes say so
	}
	return calls
}

func (f *Finder) memoryOf(source string) *memory {
	if f.seen == nil {
		f.seen = make(map[string]*memory)
	}
	if f.seen[source] == nil {
		f.seen[source] = &memory{}
	}
	return f.seen[source]
}

// read reads a list; not where calls are scarce and somebody has a moment ago.
func (f *Finder) read(ctx context.Context, list List) {
	m, now := f.memoryOf(list.Source), time.Now()
	if now.Before(m.after) || f.Budget != nil && now.Sub(m.heardAt) < f.Schedule.Pace()/2 {
		return
	}
	listed, err := list.Read(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = f.take(ctx, list.Source, listed)
	} else if taken := f.choose(listed); len(taken) > 0 { // nobody is gone from a part of a list
		err = errors.Join(err, f.Tracker.Found(ctx, f.Tenant, list.Source, taken, nil, false))
	}
	f.tell(list.Source, m, err)
}

// choose returns the ids of the listed meetings that are tracked.
func (f *Finder) choose(listed []poller.Listed) (taken []string) {
	for _, meeting := range listed {
		if f.Filter.Takes(meeting) {
			taken = append(taken, meeting.ConferenceID)
		}
	}
	return taken
}

// take hands on what a whole list says.
func (f *Finder) take(ctx context.Context, source string, listed []poller.Listed) error {
	m := f.memoryOf(source)
	now, taken := make(map[string]bool, len(listed)), f.choose(listed)
	for _, meeting := range listed {
		now[meeting.ConferenceID] = true
	}
	var gone []string
	for id := range m.ids {
		if !now[id] {
			gone = append(gone, id)
		}
	}
	if err := f.Tracker.Found(ctx, f.Tenant, source, taken, gone, m.ids == nil); err != nil {
		return err
	}
	m.ids = now
	return nil
}

// tell logs what has changed about reading a list.
func (f *Finder) tell(source string, m *memory, err error) {
	log := f.Logger
	if log == nil {
		log = zap.NewNop()
	}
	log = log.With(zap.String("tenant", f.Tenant), zap.String("source", source))
	class := poller.ClassOf(err)
	if class == poller.ClassPermission {
		m.after = time.Now().Add(refusedFor)
	}
	cause := ""
	if err != nil {
		cause = class.String()
	}
	switch change := m.streak.Note(cause); {
	case change.Kind == streak.Same:
	case err == nil:
		log.Info("looking for meetings works again", zap.Int("failures", change.Failures), zap.Duration("took", change.Took))
	case class == poller.ClassPermission:
		log.Error("meetings cannot be looked for: it is not permitted; those that are tracked are asked about all the same",
			zap.Duration("again_in", refusedFor), zap.Error(err))
	default:
		log.Warn("looking for meetings fails", zap.Error(err))
	}
}
