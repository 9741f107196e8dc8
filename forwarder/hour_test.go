package forwarder

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/forwarder/target"
)

// busy lets a worker look at meetings every 15 seconds, in which people come, go,
// open microphones and are kicked out, and that end after a while; it returns
// when each kick and each end happened, by what a message about it says.
func busy(m *memory, random *rand.Rand, meetings int, for_ time.Duration) (kicks, ends map[string]time.Time) {
	kicks, ends = map[string]time.Time{}, map[string]time.Time{}
	names := make([]string, meetings)
	born, people := 0, 0
	for began := time.Now(); time.Since(began) < for_; time.Sleep(15 * time.Second) {
		for i := range names {
			if names[i] == "" {
				born++
				names[i] = fmt.Sprintf("no%d.", born)
				m.event(names[i], rollcall.MeetingStarted, "", 1, 2, rollcall.ProvenanceBaseline)
				m.event(names[i], rollcall.ParticipantJoined, "host", 2, 2, rollcall.ProvenanceBaseline)
				continue
			}
			for range random.IntN(4) {
				person := fmt.Sprintf("p%d", random.IntN(8))
				types := []rollcall.Type{rollcall.ParticipantJoined, rollcall.ParticipantLeft, rollcall.ParticipantMicOpened, rollcall.ParticipantMicClosed}
				m.event(names[i], types[random.IntN(len(types))], person, 1, 1, rollcall.ProvenanceObserved)
			}
			switch random.IntN(40) {
			case 0:
				people++
				kicked := fmt.Sprintf("kicked%d.", people)
				kicks[kicked] = time.Now()
				m.event(names[i], rollcall.ParticipantKickedOut, kicked, 1, 1, rollcall.ProvenanceObserved)
			case 1:
				ends[names[i]] = time.Now()
				m.event(names[i], rollcall.MeetingEnded, "", 1, 1, rollcall.ProvenanceObserved)
				names[i] = ""
			}
		}
	}
	return kicks, ends
}

// An hour of 50 busy meetings, told with one robot and with three.
func TestAnHourOfBusyMeetings(t *testing.T) {
	for _, robots := range []int{1, 3} {
		t.Run(fmt.Sprint(robots, " robots"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(t), newChat()
				stop := begin(t, m, "a", []Route{everything("team")}, c.team("team", robots))
				kicks, ends := busy(m, rand.New(rand.NewPCG(1, uint64(robots))), 50, time.Hour)
				time.Sleep(2 * time.Minute)
				stop()
				if c.throttled > 0 {
					t.Errorf("throttled %d times", c.throttled)
				}
				accountedFor(t, m, "lane.all.team")
				onTime(t, c.messages(), "kick", kicks, func(s shown, who string) bool { return strings.Contains(s.Title+s.Body, who) })
				onTime(t, c.messages(), "end", ends, func(s shown, meeting string) bool {
					return strings.Contains(s.Title+s.Body, meeting) && strings.Contains(s.Title+s.Body, "ended")
				})
				kinds := map[bool]int{}
				for _, s := range c.messages() {
					kinds[s.Digest]++
				}
				t.Logf("%d events, %d kicks, %d ends: %d single messages, %d digests", len(m.stored), len(kicks), len(ends), kinds[false], kinds[true])
			})
		})
	}
}

// onTime wants each of what happened in a message of the next 60 seconds.
func onTime(t *testing.T, messages []shown, what string, happened map[string]time.Time, in func(shown, string) bool) {
	t.Helper()
	late, slowest := 0, time.Duration(0)
	for name, at := range happened {
		took := time.Duration(-1)
		for _, s := range messages {
			if !s.at.Before(at) && in(s, name) {
				took = s.at.Sub(at)
				break
			}
		}
		if took < 0 || took > time.Minute {
			if late++; late < 4 {
				t.Errorf("%s of %s was told after %s", what, name, took)
			}
		}
		slowest = max(slowest, took)
	}
	t.Logf("%d %ss, %d late, the slowest after %s", len(happened), what, late, slowest)
}

// accountedFor wants every event of a route of all events accounted for, once.
func accountedFor(t *testing.T, m *memory, key string) {
	t.Helper()
	p := m.place(key)
	s := p.Lane
	sum := s.Told + s.Digested + s.Undone + s.Cut + s.Undelivered + uint64(p.Cut)
	if sum != uint64(len(m.stored)) || s.Waiting != 0 || p.Flight != nil {
		t.Errorf("%d of %d events are accounted for: %+v, cut %d, under way %v", sum, len(m.stored), s, p.Cut, p.Flight)
	}
}

// mortal is a process: its ledger ends with it, before or after one of its writes.
type mortal struct {
	*memory
	last   int32 // the write at which it dies; even: after it, odd: before; 0: never
	writes atomic.Int32
	dead   chan struct{}
	kill   context.CancelFunc
}

var errDead = errors.New("this process is dead")

func (d *mortal) Write(ctx context.Context, key string, data []byte, revision uint64) (uint64, error) {
	select {
	case <-d.dead:
		return 0, errDead
	default:
	}
	n := d.writes.Add(1)
	if d.last > 0 && n == (d.last+1)/2 && d.last%2 == 1 {
		d.die()
		return 0, errDead
	}
	got, err := d.memory.Write(ctx, key, data, revision)
	if d.last > 0 && n == d.last/2 && d.last%2 == 0 {
		d.die()
		return 0, errDead
	}
	return got, err
}

func (d *mortal) die() {
	close(d.dead)
	d.kill()
}

// live runs a process until its death, or until ctx ends.
func live(t *testing.T, ctx context.Context, m *memory, id string, last int32, routes []Route, targets ...Target) (d *mortal, gone <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	d = &mortal{memory: m, last: last, dead: make(chan struct{}), kill: cancel}
	f, err := New(Config{ID: id, Routes: routes, Targets: targets, Ledger: d, Source: m, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { f.Run(ctx); cancel(); close(done) }()
	return d, done
}

// A process that dies at any of its writes, before or after it, is followed by
// another: everything is told, and only the message under way may come twice.
func TestNothingIsToldTwiceWhereverAProcessDies(t *testing.T) {
	repeated := 0
	for last := int32(1); last <= 60; last++ {
		synctest.Test(t, func(t *testing.T) {
			m, c := newMemory(t), newChat()
			ctx, cancel := context.WithCancel(t.Context())
			_, gone := live(t, ctx, m, "a", last, []Route{everything("team")}, c.team("team", 2))
			synctest.Wait()
			_, heir := live(t, ctx, m, "b", 0, []Route{everything("team")}, c.team("team", 2))
			synctest.Wait()
			for i := range 12 {
				m.event(fmt.Sprint("m", i%3), rollcall.ParticipantKickedOut, fmt.Sprintf("x%d.", i), 1, 1, rollcall.ProvenanceObserved)
				time.Sleep(7 * time.Second)
			}
			time.Sleep(3 * time.Minute)
			cancel()
			<-gone
			<-heir
			accountedFor(t, m, "lane.all.team")
			again := 0
			for id, n := range c.ids {
				if again += n - 1; n > 2 {
					t.Errorf("message %s came %d times", id, n)
				}
			}
			if again > 1 {
				t.Errorf("dead at %d: %d messages came twice", last, again)
			}
			repeated += again
			for i := range 12 {
				in := map[string]bool{}
				for _, s := range c.messages() {
					if strings.Contains(s.Title+s.Body, fmt.Sprintf("N x%d.", i)) {
						in[s.ID] = true
					}
				}
				if len(in) != 1 {
					t.Errorf("dead at %d: kick %d is in %d messages", last, i, len(in))
				}
			}
		})
	}
	t.Logf("%d messages came twice over 60 deaths", repeated)
}

// Throttled anyway, a target is silent for as long as the service wants, and told
// everything by one digest then.
func TestAThrottledTargetIsSilentAndThenToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		throttle := true
		var refused time.Time
		c.answer = func(target.Message) *target.Outcome {
			if !throttle {
				return nil
			}
			throttle, refused = false, time.Now()
			return &target.Outcome{Class: target.RateLimited, Pause: 10 * time.Minute, Requests: 1}
		}
		stop := begin(t, m, "a", []Route{everything("team")}, c.team("team", 1))
		busy(m, rand.New(rand.NewPCG(3, 3)), 5, 9*time.Minute)
		for _, s := range c.messages() {
			t.Errorf("told %s after the throttle: %s", s.at.Sub(refused), s.Title)
		}
		time.Sleep(time.Until(refused.Add(10*time.Minute + 10*time.Second)))
		got := c.messages()
		if len(got) != 1 || got[0].at.Sub(refused) < 10*time.Minute || !got[0].Digest {
			t.Fatalf("%d messages after the silence: %+v", len(got), got)
		}
		stop()
		accountedFor(t, m, "lane.all.team")
		if c.throttled > 0 {
			t.Error("throttled again")
		}
	})
}

// The messages of a month are never exceeded, by two processes that die at random.
func TestTheMonthIsNeverExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		team := c.team("team", 3)
		team.Monthly = 100
		ctx, cancel := context.WithCancel(t.Context())
		random := rand.New(rand.NewPCG(5, 5))
		for i := range 2 {
			go func() {
				for n := 0; ctx.Err() == nil; n++ {
					life, end := context.WithTimeout(ctx, time.Duration(30+n*7%60)*time.Second)
					_, gone := live(t, life, m, fmt.Sprint(i, "-", n), int32(40+(n*13)%80), []Route{everything("team")}, team)
					<-gone
					end()
				}
			}()
		}
		busy(m, random, 10, 40*time.Minute)
		cancel()
		synctest.Wait()
		got := c.messages()
		if len(got) > 100 || len(got) < 60 { // what a process has counted and not sent is lost
			t.Errorf("%d messages of 100", len(got))
		}
		last := 0
		for _, s := range got {
			if strings.Contains(s.Body, "the last message of this month") {
				last++
			}
		}
		if last > 1 || last == 1 && !strings.Contains(got[len(got)-1].Body, "the last message of this month") {
			t.Errorf("%d messages say that they are the last; the last says %q", last, got[len(got)-1].Body)
		}
	})
}
