package poller

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall"
	"rollcall/internal/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fault is a scripted failure.
type fault struct {
	class Class
	after time.Duration
}

func (f fault) Error() string             { return "scripted " + f.class.String() }
func (f fault) Class() Class              { return f.class }
func (f fault) RetryAfter() time.Duration { return f.after }

// fakeSource answers by what the test put into it.
type fakeSource struct {
	mu       sync.Mutex
	raw      map[string]string   // what a query gives; an id without is left out
	closed   map[string]bool     // spoil a batch as ended
	bad      map[string]bool     // spoil a batch as bad
	broken   map[string]bool     // are malformed
	largest  int                 // larger batches are bad; 0: none is
	partial  bool                // answers are not complete
	standing map[string]Standing // what a lookup gives; an id without is unknown
	sick     map[string]error    // what a lookup fails with
	script   []error             // outcomes of the next calls; nil: as above

	lookupScript []error // outcomes of the next lookups

	forever error // outcome of every call, after the script
	took    time.Duration
	hang    bool // calls last until their context ends
	queries [][]string
	lookups []string
	at      []time.Time // of every call
	decoded int
}

// healthy has n meetings m000, m001 … that go on.
func healthy(n int) (*fakeSource, []string) {
	s := &fakeSource{
		raw: map[string]string{}, closed: map[string]bool{}, bad: map[string]bool{}, broken: map[string]bool{},
		standing: map[string]Standing{}, sick: map[string]error{},
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("m%03d", i)
		s.raw[ids[i]] = "started " + ids[i]
	}
	return s, ids
}

// next is what every call begins with.
func (s *fakeSource) next(ctx context.Context) error {
	s.at = append(s.at, time.Now())
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	s.mu.Unlock()
	wait.For(context.WithoutCancel(ctx), s.took)
	s.mu.Lock()
	if len(s.script) > 0 {
		err := s.script[0]
		s.script = s.script[1:]
		return err
	}
	return s.forever
}

func (s *fakeSource) Query(ctx context.Context, ids []string) (Answers, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, slices.Clone(ids))
	if err := s.next(ctx); err != nil {
		return Answers{}, err
	}
	if s.largest > 0 && len(ids) > s.largest || slices.ContainsFunc(ids, func(id string) bool { return s.bad[id] }) {
		return Answers{}, fault{class: ClassBadRequest}
	}
	if slices.ContainsFunc(ids, func(id string) bool { return s.closed[id] }) {
		return Answers{}, fault{class: ClassEnded}
	}
	answers := Answers{Complete: !s.partial}
	for _, id := range slices.Backward(ids) {
		switch raw, known := s.raw[id]; {
		case s.broken[id]:
			answers.Malformed = append(answers.Malformed, id)
		case known:
			answers.Found = append(answers.Found, Found{ConferenceID: id, Raw: []byte(raw)})
		}
	}
	return answers, nil
}

func (s *fakeSource) Lookup(ctx context.Context, id string) (Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups = append(s.lookups, id)
	if err := s.next(ctx); err != nil {
		return Standing{}, err
	}
	if len(s.lookupScript) > 0 {
		err := s.lookupScript[0]
		s.lookupScript = s.lookupScript[1:]
		return Standing{}, err
	}
	if err := s.sick[id]; err != nil {
		return Standing{}, err
	}
	standing, known := s.standing[id]
	if !known {
		return Standing{}, fault{class: ClassUnknown}
	}
	return standing, nil
}

func (s *fakeSource) Decode(raw []byte) *rollcall.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decoded++
	word, _, _ := bytes.Cut(raw, []byte(" "))
	status, _ := rollcall.ParseStatus(string(word))
	return &rollcall.Answer{Status: status}
}

func (s *fakeSource) calls() int { return len(s.queries) + len(s.lookups) }

// book numbers the questions of one shard and keeps what is emitted.
type book struct {
	shard        int
	term         uint64 // 0: 1
	poll         uint64
	observations []rollcall.Observation
	full         error // what Emit fails with
}

func (b *book) ask(ids ...string) Ask {
	return Ask{
		Shard: b.shard, IDs: ids,
		Next: func() rollcall.Number { b.poll++; return rollcall.Number{Term: max(b.term, 1), Poll: b.poll} },
		Emit: func(ctx context.Context, o rollcall.Observation) error {
			if err := cmp.Or(b.full, ctx.Err()); err != nil {
				return err
			}
			b.observations = append(b.observations, o)
			return nil
		},
	}
}

// sightings gives all sightings by their meeting; a meeting seen twice fails the test.
func (b *book) sightings(t testing.TB) map[string]rollcall.Sighting {
	t.Helper()
	all := map[string]rollcall.Sighting{}
	for _, o := range b.observations {
		for _, s := range o.Sightings {
			if _, twice := all[s.ConferenceID]; twice {
				t.Errorf("%s is sighted twice", s.ConferenceID)
			}
			all[s.ConferenceID] = s
		}
	}
	return all
}

// kinds says in one line what was sighted, in order.
func (b *book) kinds() string {
	words := []string{"", "listed", "ended", "ongoing", "missed"}
	var all []string
	for _, o := range b.observations {
		for _, s := range o.Sightings {
			all = append(all, s.ConferenceID+" "+words[s.Kind])
		}
		for _, u := range o.Unanswered {
			all = append(all, u.ConferenceID+" "+u.Reason)
		}
	}
	return strings.Join(all, ", ")
}

func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

// forget drops what the poller remembers of a shard, as a restart does.
func (p *Poller) forget(shard int) {
	delete(p.shards, shard)
	p.quarantine.keep(shard, nil)
}
