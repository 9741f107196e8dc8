package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/differ"
	"rollcall/internal/ledgertest"
	"rollcall/internal/secret"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/simulator"
	"rollcall/worker"
)

// dingTalk is the simulator behind real HTTP inside a bubble.
type dingTalk struct {
	*simulator.Simulator
	wire *simulator.Wire

	mu     sync.Mutex
	strike func(*http.Request, bool) error // before a call and after it; nil: none
}

func (d *dingTalk) set(strike func(*http.Request, bool) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.strike = strike
}

func (d *dingTalk) meet(r *http.Request, after bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strike == nil {
		return nil
	}
	return d.strike(r, after)
}

func newDingTalk(t *testing.T, cfg simulator.Config) *dingTalk {
	t.Helper()
	sim, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &dingTalk{Simulator: sim, wire: simulator.NewWire(sim.Handler())}
}

// RoundTrip carries a call, if nothing strikes it.
func (d *dingTalk) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := d.meet(r, false); err != nil {
		return nil, err
	}
	answer, err := d.wire.Client().Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := d.meet(r, true); err != nil {
		_ = answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

// client makes one process's client.
func (d *dingTalk) client(t *testing.T) *dingtalk.Client {
	t.Helper()
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: "http://127.0.0.1:9099", Transport: d,
		Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: simulator.DefaultAppKey, ClientSecret: func() (secret.String, error) {
			return secret.New(simulator.DefaultAppSecret), nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// employ starts a worker that asks the simulator about meetings.
func (d *dingTalk) employ(t *testing.T, id string, m *ledgertest.Memory, change func(*worker.Config), ids ...string) (*process, *dingtalk.Client) {
	t.Helper()
	client := d.client(t)
	return start(t, id, m, nil, func(c *worker.Config) {
		c.Tenants[0].Asker = &poller.Poller{Source: client, Tenant: "acme", Logger: c.Logger}
		c.Tenants[0].Decode = client.Decode
		c.Tenants[0].Conferences = ids
		if change != nil {
			change(c)
		}
	}), client
}

// anonymous gives a roster without what depends on who looked when.
func anonymous(roster []rollcall.Participant) []rollcall.Participant {
	var out []rollcall.Participant
	for _, p := range roster {
		p.Session, p.RejectDescription = 0, ""
		out = append(out, p)
	}
	return out
}

// shownOf gives, in order, the rosters that were shown of a meeting.
func shownOf(t *testing.T, served []simulator.Served, id string) (rosters [][]rollcall.Participant) {
	t.Helper()
	for _, s := range served {
		for _, shown := range s.Shown {
			if shown.ConferenceID != id {
				continue
			}
			truth, err := shown.Truth()
			if err != nil {
				t.Fatal(err)
			}
			rosters = append(rosters, anonymous(truth.Roster))
		}
	}
	return rosters
}

// follow folds the events of a meeting poll by poll, and demands that each
// roster is what one of the answers showed, later ones later.
func follow(t *testing.T, m *ledgertest.Memory, served []simulator.Served, id string) (polls int) {
	t.Helper()
	shown, odd := shownOf(t, served, id), map[int64]bool{}
	for _, s := range served {
		if s.Fault != "" { // such an answer may say half of it, and be believed in that
			odd[s.At.UnixMilli()] = true
		}
	}
	var roster []rollcall.Participant
	var poll []rollcall.Event
	for _, e := range events(t, m, id) {
		if poll = append(poll, e); e.Index < e.Count {
			continue
		}
		roster, poll = differ.Fold(roster, poll), nil
		if e.Meeting.Status == rollcall.StatusEnded || odd[e.Window.Before.UnixMilli()] {
			continue // at the end nobody is in it, whatever was shown
		}
		polls++
		at := slices.IndexFunc(shown, func(s []rollcall.Participant) bool { return gocmp.Equal(s, anonymous(roster)) })
		if at < 0 {
			t.Fatalf("%s: after event %d the roster is one that was never shown, or not any more:\n%v", id, e.Sequence, roster)
		}
		shown = shown[at:]
	}
	return polls
}

// TestDay lets one worker go through a day of DingTalk, with all that belongs
// to it: meetings of every style of end, strange people, faults now and then.
func TestDay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDingTalk(t, simulator.Config{Seed: 11, Meetings: 9, People: 8, Rate: 0.05, Gone: simulator.GoneMixed})
		ids := d.ConferenceIDs()
		ctx, cancel := context.WithCancel(t.Context())
		var living sync.WaitGroup
		living.Go(func() { _ = d.Run(ctx) })
		m := ledgertest.NewMemory(names)
		p, client := d.employ(t, "w1", m, func(c *worker.Config) {
			schedule, err := poller.ParseSchedule("@every 60s", "UTC")
			if err != nil {
				t.Fatal(err)
			}
			c.Tenants[0].Schedule = schedule
			c.MemberTTL = time.Minute
		}, ids...)
		styles := []simulator.EndStyle{simulator.EndStatus, simulator.EndOmitted, simulator.EndResourceClosed}
		trouble := []simulator.Fault{
			{Name: simulator.FaultReset, Times: 2},
			{Name: simulator.FaultTruncated, Times: 2},
			{Name: simulator.FaultHTML, Times: 1, Status: 502},
			{Name: simulator.FaultNulls, Times: 3},
			{Name: simulator.FaultCodes, Times: 3},
			{Name: simulator.FaultAbsent, Times: 2},
			{Name: simulator.FaultStrings, Times: 2},
			{Name: simulator.FaultTwice, Times: 2},
			{Name: simulator.FaultForeign, Times: 2},
			{Name: simulator.FaultHang, Times: 1},
			{Name: simulator.FaultEmpty, Times: 1},
			{Name: "waterLimitError", Times: 2},
		}
		ended := map[string]bool{}
		for hour := range 24 {
			if err := d.Arm(trouble[hour%len(trouble)]); err != nil {
				t.Fatal(err)
			}
			if hour%5 == 0 {
				d.RevokeTokens()
			}
			elapse(40 * time.Minute)
			d.Disarm()
			if i := hour / 4; hour%4 == 3 && i < 6 {
				if _, err := d.Act(simulator.Act{Verb: "end", ConferenceID: ids[i], EndStyle: styles[i%3]}); err != nil {
					t.Fatal(err)
				}
				ended[ids[i]] = true
			}
			elapse(20 * time.Minute)
		}
		cancel()
		living.Wait()
		elapse(10 * time.Minute)
		p.stop(t)
		client.Close()
		d.wire.Close()
		dayHolds(t, d, m, ids, ended)
	})
}

// dayHolds is what must be true in the evening.
func dayHolds(t *testing.T, d *dingTalk, m *ledgertest.Memory, ids []string, ended map[string]bool) {
	t.Helper()
	served, polls := d.Served(), 0
	for _, id := range ids {
		lawful(t, m, id)
		if _, broken := published(t, m, id); broken != "" {
			t.Errorf("%s: %s", id, broken)
		}
		polls += follow(t, m, served, id)
		ends := strings.Count(strings.Join(tell(events(t, m, id)), "\n"), "meeting.ended")
		if want := map[bool]int{true: 1}[ended[id]]; ends != want {
			t.Errorf("%s: told %d times that it has ended, want %d", id, ends, want)
		}
		if r, truth := record(t, m, id), d.truth(t, id); !gocmp.Equal(anonymous(r.Roster), anonymous(truth.Roster)) {
			t.Errorf("%s: in the evening there is %v, true is %v", id, r.Roster, truth.Roster)
		}
	}
	if polls < 500 {
		t.Errorf("only %d polls found a change: the day was dull", polls)
	}
}

func (d *dingTalk) truth(t *testing.T, id string) simulator.Truth {
	t.Helper()
	truth, err := d.Truth(id, d.Now())
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// TestOneAndThreeTellTheSame lets a day whose world changes only between the
// passes be watched by one worker and by three.
func TestOneAndThreeTellTheSame(t *testing.T) {
	one, three := watchedBy(t, 1), watchedBy(t, 3)
	if diff := gocmp.Diff(one, three); diff != "" {
		t.Errorf("three workers tell another story (-one +three):\n%s", diff)
	}
	if len(one) < 200 {
		t.Errorf("only %d events: the day was dull", len(one))
	}
}

// watchedBy gives what n workers tell of the day, apart from epochs and times.
func watchedBy(t *testing.T, n int) (told []string) {
	bubble(t, func(t *testing.T) {
		d := newDingTalk(t, simulator.Config{Seed: 5, Meetings: 30, People: 6, Rate: 0.2})
		ids := d.ConferenceIDs()
		m := ledgertest.NewMemory(names)
		shards := func(c *worker.Config) { c.Tenants[0].Shards = 30 }
		var all []*process
		var clients []*dingtalk.Client
		for i := range n {
			p, client := d.employ(t, fmt.Sprint("w", i), m, shards, ids...)
			all, clients = append(all, p), append(clients, client)
		}
		elapse(time.Minute + 7*time.Second) // between two ticks
		for step := range 120 {
			d.StepTo(time.Now())
			if step%20 == 19 {
				if _, err := d.Act(simulator.Act{Verb: "end", ConferenceID: ids[step/20]}); err != nil {
					t.Fatal(err)
				}
			}
			elapse(15 * time.Second)
		}
		holding := 0
		for _, p := range all {
			if p.worker.Health()[0].Held > 0 {
				holding++
			}
		}
		if holding != n {
			t.Errorf("%d of %d workers hold a shard", holding, n)
		}
		for i, p := range all {
			p.stop(t)
			clients[i].Close()
		}
		d.wire.Close()
		told = story(t, m, ids)
	})
	return told
}

// story gives every event of the meetings as text, apart from epochs and times.
func story(t *testing.T, m *ledgertest.Memory, ids []string) (told []string) {
	t.Helper()
	for _, id := range ids {
		lawful(t, m, id)
		for _, e := range events(t, m, id) {
			e.Epoch, e.Time, e.Window = 0, time.Time{}, rollcall.Window{}
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, string(line))
		}
	}
	return told
}

// TestTokenFailurePoints strikes the request for a token, before and after it
// took effect, and lets the process end there.
func TestTokenFailurePoints(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, ends := range []bool{false, true} {
			for _, heir := range []string{"w1", "w2"} {
				t.Run(fmt.Sprintf("late %v, ends %v, %s goes on", late, ends, heir), func(t *testing.T) {
					bubble(t, func(t *testing.T) { tokenStruck(t, late, ends, heir) })
				})
			}
		}
	}
}

func tokenStruck(t *testing.T, late, ends bool, heir string) {
	d := newDingTalk(t, simulator.Config{Seed: 3, Meetings: 2})
	ids, m, struck := d.ConferenceIDs(), ledgertest.NewMemory(names), new(atomic.Int64)
	p, client := d.employ(t, "w1", m, nil, ids...)
	elapse(20 * time.Second)
	kill := p.kill
	d.set(func(r *http.Request, after bool) error {
		if !strings.Contains(r.URL.Path, "oken") || after != late || struck.Load() >= 3 {
			return nil
		}
		if struck.Add(1); ends {
			kill()
		}
		return fmt.Errorf("struck: %w", http.ErrHandlerTimeout)
	})
	d.RevokeTokens()
	if _, err := d.Act(simulator.Act{Verb: "join", ConferenceID: ids[0], UserID: "late"}); err != nil {
		t.Fatal(err)
	}
	elapse(5 * time.Minute)
	if struck.Load() == 0 {
		t.Fatal("no token was asked for")
	}
	p.stop(t)
	client.Close()
	d.set(nil)
	p, client = d.employ(t, heir, m, nil, ids...)
	elapse(5 * time.Minute)
	p.stop(t)
	client.Close()
	d.wire.Close()
	for _, id := range ids {
		lawful(t, m, id)
		follow(t, m, d.Served(), id)
	}
	if words := strings.Join(tell(events(t, m, ids[0])), "\n"); strings.Count(words, "participant.joined late") != 1 {
		t.Errorf("told is\n%s", words)
	}
}
