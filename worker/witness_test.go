package worker_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/wire"
	"rollcall/worker"
)

// book is what the processes that were alive heard of each meeting, with the
// numbers of the questions.
type book struct {
	mu    sync.Mutex
	heard map[string][]said // by meeting
}

// said is one answer about one meeting.
type said struct {
	number rollcall.Number
	asked  time.Time
	kind   rollcall.SightingKind
	state  string // of SightingListed, see stateOf; of others "ended"
}

func newBook() *book { return &book{heard: map[string][]said{}} }

func (b *book) note(obs *rollcall.Observation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range obs.Sightings {
		each := said{obs.Number, obs.AskedAt, s.Kind, "ended"}
		if s.Kind == rollcall.SightingListed {
			each.state = parse(s.Raw).state()
		}
		b.heard[s.ConferenceID] = append(b.heard[s.ConferenceID], each)
	}
}

// of gives what was listed of a meeting, in the order of the numbers, each
// state once in a row.
func (b *book) of(id string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.heard[id])
	slices.SortStableFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(a.number.Term, b.number.Term), cmp.Compare(a.number.Poll, b.number.Poll))
	})
	var states []string
	for _, each := range all {
		if each.kind == rollcall.SightingListed {
			states = append(states, each.state)
		}
	}
	return slices.Compact(states)
}

// by gives the answer with a number.
func (b *book) by(id string, number rollcall.Number) (said, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, each := range b.heard[id] {
		if each.number == number {
			return each, true
		}
	}
	return said{}, false
}

func parse(raw []byte) *meeting {
	var m meeting
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	return &m
}

// stateOf puts a meeting's status and its roster into one line.
func stateOf(status rollcall.Status, roster []rollcall.Participant) string {
	if status == rollcall.StatusEnded {
		return "ended"
	}
	words := []string{status.String()}
	for _, p := range roster {
		words = append(words, fmt.Sprintf("%s:%s:%s", p.Key, p.Attendance, p.Mic))
	}
	return strings.Join(words, " ")
}

func (m *meeting) state() string {
	var roster []rollcall.Participant
	for _, u := range m.Users {
		p := rollcall.Participant{Key: u.ID, Attendance: u.Att, Mic: rollcall.DeviceClosed}
		if u.Open {
			p.Mic = rollcall.DeviceOpen
		}
		roster = append(roster, p)
	}
	slices.SortFunc(roster, func(a, b rollcall.Participant) int { return strings.Compare(a.Key, b.Key) })
	return stateOf(m.Status, roster)
}

// errGone is what a process that is no more gets from everything.
var errGone = errors.New("the process is gone")

// line is all that one process has to do with the rest of the world: the
// ledger, the journal on its disk and the vendor. Each step may be struck:
// strike is called with the step's name before it and with the name and
// " done" after it took effect.
type line struct {
	alone string // the one member that is seen; "": all are
	*ledgertest.Memory
	paper *paper
	world *world
	book  *book
	// without names a guard that is taken away: see guards_test.go.
	without string

	mu     sync.Mutex
	dead   bool
	term   uint64           // of the last claim
	stands map[string]stand // by subject
	strike func(ctx context.Context, step string) error
}

func (l *line) set(strike func(ctx context.Context, step string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.strike = strike
}

// die ends what the process does, at once.
func (l *line) die() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

func (l *line) gone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

func (l *line) meet(ctx context.Context, step string) error {
	if l.gone() {
		return errGone
	}
	l.mu.Lock()
	strike := l.strike
	l.mu.Unlock()
	if strike == nil {
		return nil
	}
	err := strike(ctx, step)
	if l.gone() {
		return errGone
	}
	return err
}

// do takes one step, between its two strikes.
func (l *line) do(ctx context.Context, step string, effect func() error) error {
	if err := l.meet(ctx, step); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return l.meet(ctx, step+" done")
}

func (l *line) Commit(ctx context.Context, msgs []ledger.Message) (first uint64, err error) {
	err = l.do(ctx, "commit", func() error { first, err = l.commit(ctx, msgs); return err })
	return first, err
}

func (l *line) PutStatus(ctx context.Context, tenant string, s wire.Status) error {
	return l.do(ctx, "status", func() error { return l.Memory.PutStatus(ctx, tenant, s) })
}

func (l *line) Claim(ctx context.Context, tenant string, shard int, holder string) (c ledger.Claim, err error) {
	err = l.do(ctx, "claim", func() error { c, err = l.Memory.Claim(ctx, tenant, shard, holder); return err })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term = c.Term
	return c, err
}

func (l *line) Holder(ctx context.Context, tenant string, shard int) (c ledger.Claim, err error) {
	err = l.do(ctx, "holder", func() error { c, err = l.Memory.Holder(ctx, tenant, shard); return err })
	return c, err
}

func (l *line) Load(ctx context.Context, tenant string, ids []string) (all map[string]ledger.Stored, err error) {
	err = l.do(ctx, "load", func() error { all, err = l.Memory.Load(ctx, tenant, ids); return err })
	for id, r := range all {
		all[id] = l.shown(r)
	}
	return all, err
}

func (l *line) LoadAll(ctx context.Context, tenant string) (all []ledger.Stored, err error) {
	err = l.do(ctx, "load_all", func() error { all, err = l.Memory.LoadAll(ctx, tenant); return err })
	for i, r := range all {
		all[i] = l.shown(r)
	}
	return all, err
}

func (l *line) Tracked(ctx context.Context, tenant string) (all []ledger.Tracking, err error) {
	err = l.do(ctx, "tracked", func() error { all, err = l.Memory.Tracked(ctx, tenant); return err })
	return all, err
}

func (l *line) Tail(ctx context.Context, tenant string, after uint64) (tail ledger.Tail, err error) {
	err = l.do(ctx, "tail", func() error { tail, err = l.Memory.Tail(ctx, tenant, after); return err })
	return tail, err
}

func (l *line) LastEvents(ctx context.Context, tenant string, ids []string) (all map[string]ledger.Last, err error) {
	err = l.do(ctx, "last_events", func() error { all, err = l.Memory.LastEvents(ctx, tenant, ids); return err })
	return all, err
}

func (l *line) Position(ctx context.Context) (at ledger.Position, err error) {
	err = l.do(ctx, "position", func() error { at, err = l.Memory.Position(ctx); return err })
	return at, err
}

func (l *line) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	return l.do(ctx, "heartbeat", func() error { return l.Memory.Heartbeat(ctx, id, info, ttl) })
}

func (l *line) Leave(ctx context.Context, id string) error {
	return l.do(ctx, "leave", func() error { return l.Memory.Leave(ctx, id) })
}

func (l *line) Members(ctx context.Context) (all []ledger.Member, err error) {
	err = l.do(ctx, "members", func() error { all, err = l.Memory.Members(ctx); return err })
	if l.alone != "" {
		return []ledger.Member{{ID: l.alone}}, err
	}
	return all, err
}

// disk is the journal's file as the process sees it.
type disk struct {
	*paper
	line *line
}

func (d disk) WriteAt(data []byte, at int64) (n int, err error) {
	err = d.line.do(context.Background(), "append", func() error { n, err = d.paper.WriteAt(data, at); return err })
	return n, err
}

func (d disk) Sync() error {
	return d.line.do(context.Background(), "sync", d.paper.Sync)
}

func (d disk) Truncate(size int64) error {
	return d.line.do(context.Background(), "clear", func() error { return d.paper.Truncate(size) })
}

// vendor is the source as the process sees it.
type vendor struct{ line *line }

func (v vendor) Decode(raw []byte) *rollcall.Answer { return v.line.world.Decode(raw) }

func (v vendor) Query(ctx context.Context, ids []string) (answers poller.Answers, err error) {
	err = v.line.do(ctx, "query", func() error { answers, err = v.line.world.Query(ctx, ids); return err })
	if err != nil {
		return poller.Answers{}, err
	}
	return answers, nil
}

func (v vendor) Lookup(ctx context.Context, id string) (s poller.Standing, err error) {
	err = v.line.do(ctx, "lookup", func() error { s, err = v.line.world.Lookup(ctx, id); return err })
	return s, err
}

// asker is the poller as the process sees it. What it hears is noted.
type asker struct {
	line   *line
	poller *poller.Poller
}

func (a asker) Pass(ctx context.Context, ask poller.Ask) poller.Report {
	emit := ask.Emit
	ask.Emit = func(ctx context.Context, obs rollcall.Observation) error {
		if a.line.gone() {
			return errGone
		}
		a.line.book.note(&obs)
		return emit(ctx, obs)
	}
	return a.poller.Pass(ctx, ask)
}

// connect starts a worker at the end of a line.
func connect(t *testing.T, id string, l *line, change func(*worker.Config)) *process {
	t.Helper()
	return start(t, id, l, l.world, func(c *worker.Config) {
		c.Backlog = l.paper.open(disk{l.paper, l})
		c.Tenants[0].Asker = asker{l, &poller.Poller{Source: vendor{l}, Tenant: "acme", Logger: c.Logger}}
		if change != nil {
			change(c)
		}
	})
}

// end is kill -9: nothing that the process does has any effect from now on.
func (p *process) end(l *line) {
	l.die()
	p.kill()
	<-p.ended
}

// published gives the states of a meeting at the end of each poll that was
// told, and the first law that the events break; "" where they break none.
func published(t *testing.T, m *ledgertest.Memory, id string) (states []string, broken string) {
	t.Helper()
	var roster []rollcall.Participant
	var poll []rollcall.Event // what is not folded yet
	var epoch int64
	var sequence uint64
	seats := map[string]seat{}
	for _, e := range events(t, m, id) {
		if e.Epoch != epoch {
			epoch, sequence, roster, poll, seats = e.Epoch, 0, nil, nil, map[string]seat{}
		}
		if e.Sequence != sequence+1 {
			return states, fmt.Sprintf("a gap or a repetition: sequence %d comes after %d", e.Sequence, sequence)
		}
		sequence++
		if why := sit(seats, e); why != "" {
			return states, fmt.Sprintf("told twice, or false: %s (event %d)", why, e.Sequence)
		}
		if e.Window.Before.Before(e.Window.After) {
			return states, fmt.Sprintf("dishonest time: the window of event %d ends before it begins", e.Sequence)
		}
		if poll = append(poll, e); e.Index == e.Count {
			roster, poll = differ.Fold(roster, poll), nil
			if e.Type != rollcall.MeetingUntracked {
				states = append(states, stateOf(e.Meeting.Status, roster))
			}
		}
	}
	roster = differ.Fold(roster, poll)
	r := record(t, m, id)
	if r == nil {
		return states, ""
	}
	if r.Sequence != sequence || len(r.Roster)+len(roster) > 0 && !slices.Equal(r.Roster, roster) {
		return states, "the fold is not the record"
	}
	return states, ""
}

// seat is where a person stands, by the events alone.
type seat struct{ present, open bool }

// sit lets an event happen, or says why it cannot.
func sit(seats map[string]seat, e rollcall.Event) string {
	if e.Type == rollcall.MeetingEnded || e.Type == rollcall.MeetingUntracked {
		clear(seats)
	}
	if e.Participant == nil {
		return ""
	}
	was := seats[e.Participant.Key]
	is, possible := was, true
	switch e.Type {
	case rollcall.ParticipantJoined:
		is, possible = seat{present: true}, !was.present
	case rollcall.ParticipantLeft, rollcall.ParticipantKickedOut:
		is, possible = seat{}, was.present && !was.open // an open microphone is told to close before
	case rollcall.ParticipantMicOpened:
		is.open, possible = true, was.present && !was.open
	case rollcall.ParticipantMicClosed:
		is.open, possible = false, was.present && was.open
	}
	seats[e.Participant.Key] = is
	if !possible {
		return fmt.Sprintf("%s %s, who was %+v", e.Type, e.Participant.Key, was)
	}
	return ""
}

// increasing says which stored record of a meeting is not what a newer answer
// than that of the record before it said; "" where all are.
func increasing(m *ledgertest.Memory, b *book, id string) string {
	var before said
	cut := false // the record before is a slice, and the next one may be of the same answer
	for _, msg := range m.Messages() {
		if msg.Subject != names.State("acme", id) {
			continue
		}
		r, err := wire.DecodeRecord(msg.Data)
		if err != nil {
			return err.Error()
		}
		if !r.Number.After(before.number) && !(cut && r.Number == before.number) {
			return fmt.Sprintf("old: the record of %v is stored after that of %v", r.Number, before.number)
		}
		answer, known := b.by(id, r.Number)
		if !known {
			return fmt.Sprintf("false: nobody heard the answer %v that a record is made of", r.Number)
		}
		if answer.asked.Before(before.asked) {
			return fmt.Sprintf("old: the answer %v, asked at %s, follows %v, asked at %s", r.Number, answer.asked, before.number, before.asked)
		}
		before, cut = answer, r.Partial != nil
		if state := stateOf(r.Meeting.Status, r.Roster); answer.kind == rollcall.SightingListed && r.Partial == nil && state != answer.state {
			return fmt.Sprintf("false: the answer %v said %q, the record says %q", r.Number, answer.state, state)
		}
	}
	return ""
}

// judge says which law the events of a meeting break; "" where they break none.
func judge(t *testing.T, m *ledgertest.Memory, b *book, id, truth string) string {
	t.Helper()
	states, broken := published(t, m, id)
	if broken != "" {
		return broken
	}
	if broken := increasing(m, b, id); broken != "" {
		return broken
	}
	if len(states) == 0 || states[len(states)-1] != truth {
		return fmt.Sprintf("the next good poll does not lead to the truth: told is %q, true is %q", last(states), truth)
	}
	return ""
}

func last(states []string) string {
	if len(states) == 0 {
		return ""
	}
	return states[len(states)-1]
}

// truth is how a meeting stands in the world.
func (w *world) truth(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.meetings[id]; m != nil {
		return m.state()
	}
	return "ended"
}
