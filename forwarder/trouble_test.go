package forwarder

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/forwarder/target"
)

// fails lets the service answer so, until the function returned is called.
func (c *chat) fails(out target.Outcome) (heal func()) {
	c.replies(func(target.Message) *target.Outcome { return &out })
	return func() { c.replies(func(target.Message) *target.Outcome { return nil }) }
}

// replies sets what is answered; nil: what the limits say.
func (c *chat) replies(answer func(target.Message) *target.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

// A target that cannot be told is told of by that of on_failure, once, and once when
// it is well again.
func TestAnotherTargetIsToldOfTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		out   target.Outcome
		until time.Duration // when it is told again, at the latest
	}{
		"throttled for long": {target.Outcome{Class: target.RateLimited, Pause: 10 * time.Minute}, 11 * time.Minute},
		"refused":            {target.Outcome{Class: target.AuthError, Detail: "the sign is wrong"}, 70 * time.Minute},
		"no answer":          {target.Outcome{Class: target.Unreachable}, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, ill, well := newMemory(t), newChat(), newChat()
				team, ops := ill.team("team", 1), well.team("ops", 1)
				team.OnFailure = "ops"
				stop := begin(t, m, "a", []Route{everything("team")}, team, ops)
				heal := ill.fails(c.out)
				m.happen("m1", rollcall.ParticipantKickedOut)
				time.Sleep(8 * time.Minute)
				if got := well.messages(); len(got) != 1 || !strings.Contains(got[0].Title+got[0].Body, "team") {
					t.Fatalf("the other target was told %+v", got)
				}
				status, err := ReadStatus(t.Context(), m, []Route{everything("team")}, []Target{team})
				if err != nil || status[0].Trouble != string(c.out.Class) || !status[0].Told || status[0].Routes[0].Waiting != 1 {
					t.Errorf("status %+v, %v", status, err)
				}
				heal()
				time.Sleep(c.until)
				if got := ill.messages(); len(got) != 1 || !got[0].Digest {
					t.Errorf("well again, it was told %+v", got)
				}
				if got := well.messages(); len(got) != 2 {
					t.Errorf("the other target was told %d times", len(got))
				}
				stop()
				accountedFor(t, m, "lane.all.team")
				status, err = ReadStatus(t.Context(), m, []Route{everything("team")}, []Target{team})
				if err != nil || status[0].Trouble != "" {
					t.Errorf("status %+v, %v", status, err)
				}
			})
		})
	}
}

// A robot whose secret was refused is heard at once with another one.
func TestAnotherSecretIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		team := c.team("team", 1)
		robots, _ := team.Open()
		var changed atomic.Bool
		team.Open = func() ([]Robot, error) {
			r := robots[0]
			r.Version = fmt.Sprint(changed.Load())
			return []Robot{r}, nil
		}
		stop := begin(t, m, "a", []Route{everything("team")}, team)
		defer stop()
		heal := c.fails(target.Outcome{Class: target.AuthError, Detail: "the sign is wrong"})
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(40 * time.Minute) // by now it is tried once in half an hour
		heal()
		time.Sleep(10 * time.Second)
		if got := c.messages(); len(got) != 0 {
			t.Errorf("told with the secret that was refused: %+v", got)
		}
		changed.Store(true)
		time.Sleep(10 * time.Second)
		if got := c.messages(); len(got) != 1 {
			t.Errorf("with another secret it was told %+v", got)
		}
		accountedFor(t, m, "lane.all.team")
	})
}

// A message that a service refuses for good is kept, with the reason, and the next
// one is told.
func TestWhatIsRefusedForGoodIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		stop := begin(t, m, "a", []Route{everything("team")}, c.team("team", 1))
		heal := c.fails(target.Outcome{Class: target.ClientError, Final: true, Detail: "a word that is not allowed"})
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		heal()
		m.happen("m2", rollcall.ParticipantKickedOut)
		time.Sleep(10 * time.Second)
		stop()
		if len(m.undelivered) != 1 {
			t.Fatalf("%d are kept", len(m.undelivered))
		}
		for _, u := range m.undelivered {
			if u.Class != "clientError" || u.Reason != "a word that is not allowed" || u.Target != "team" || !strings.Contains(u.Title+u.Text, "N mei") {
				t.Errorf("kept is %+v", u)
			}
		}
		if got := c.messages(); len(got) != 1 || !strings.Contains(got[0].Title, "m2") {
			t.Errorf("told is %+v", got)
		}
		accountedFor(t, m, "lane.all.team")
	})
}

// Where the answer was lost the same message is sent again, before any other.
func TestAMessageThatMayHaveArrivedIsRepeatedAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		stop := begin(t, m, "a", []Route{everything("team")}, c.team("team", 1))
		heal := c.fails(target.Outcome{Class: target.Unreachable, Unsure: true})
		m.happen("m1", rollcall.ParticipantKickedOut)
		time.Sleep(5*time.Second + time.Millisecond)
		heal()
		m.happen("m1", rollcall.MeetingEnded)
		time.Sleep(20 * time.Second)
		stop()
		got := c.messages()
		if len(got) != 3 || got[0].ID != got[1].ID || got[0].Body != got[1].Body || got[2].ID == got[0].ID {
			t.Errorf("told is %+v", got)
		}
		accountedFor(t, m, "lane.all.team")
	})
}

// More events than may wait, and such as are too old, are cut, which the next message says.
func TestWhatIsCutIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		route := everything("team")
		route.MaxWaiting, route.MaxAge = 20, time.Hour
		stop := begin(t, m, "a", []Route{route}, c.team("team", 1))
		heal := c.fails(target.Outcome{Class: target.RateLimited, Pause: 10 * time.Minute})
		for i := range 30 {
			m.event(fmt.Sprint("m", i), rollcall.ParticipantKickedOut, fmt.Sprint("x", i), 1, 1, rollcall.ProvenanceObserved)
		}
		time.Sleep(59 * time.Minute)
		if cut := m.place("lane.all.team").Cut; cut != 10 {
			t.Errorf("%d were cut because they were too many", cut)
		}
		time.Sleep(2 * time.Minute)
		m.happen("late", rollcall.ParticipantKickedOut)
		heal()
		time.Sleep(11 * time.Minute)
		stop()
		got := c.messages()
		if len(got) != 1 || !strings.Contains(got[0].Body, "30") {
			t.Errorf("told is %+v", got)
		}
		sequences := 0
		for _, u := range m.undelivered {
			sequences += len(u.Sequences)
		}
		if sequences != 30 {
			t.Errorf("%d are kept as not delivered", sequences)
		}
		accountedFor(t, m, "lane.all.team")
	})
}

// hook is a webhook that answers as told, by event.
func hook(c *chat) Target {
	t := c.team("hook", 1)
	t.Kind, _ = target.KindOf("webhook")
	return t
}

// An event that a receiver refuses is sent again by the schedule, under the same id,
// while others go on; after the last attempt it is kept as not delivered.
func TestAWebhookIsTriedByTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		var attempts []time.Duration
		began := time.Now()
		c.answer = func(m target.Message) *target.Outcome {
			if !strings.Contains(m.ID, "/bad/") {
				return nil
			}
			attempts = append(attempts, time.Since(began).Round(time.Minute))
			return &target.Outcome{Class: target.ClientError, Detail: "400"}
		}
		target := hook(c)
		stop := begin(t, m, "a", []Route{everything("hook")}, target)
		m.happen("bad", rollcall.ParticipantKickedOut)
		time.Sleep(time.Second)
		m.happen("good", rollcall.ParticipantKickedOut, rollcall.MeetingEnded)
		time.Sleep(time.Minute)
		if got := c.messages(); len(got) != 2 || !strings.HasPrefix(got[0].ID, "acme/good/1-") || string(got[0].Event) != string(m.stored[1].Data) {
			t.Errorf("the others are %+v", got)
		}
		stop() // another goes on where it stopped
		stop = begin(t, m, "b", []Route{everything("hook")}, target)
		time.Sleep(80 * time.Hour)
		stop()
		hours := []time.Duration{0, 0, 5 * time.Minute, 35 * time.Minute, 155 * time.Minute, 455 * time.Minute, 1055 * time.Minute, 1895 * time.Minute, 3095 * time.Minute, 4535 * time.Minute}
		if !slices.Equal(attempts, hours) {
			t.Errorf("attempts after %v, want %v", attempts, hours)
		}
		if len(m.undelivered) != 1 {
			t.Errorf("%d are kept", len(m.undelivered))
		}
		accountedFor(t, m, "lane.all.hook")
	})
}

// An event that is not found when it is to be sent again, as where a server lags, is read
// again by the schedule while others go on, and costs none of the month's messages.
func TestAnEventThatIsMissingIsReadAgain(t *testing.T) {
	for found, c := range map[int]struct{ told, kept, messages int }{3: {2, 0, 3}, 1000: {1, 1, 2}} {
		t.Run(fmt.Sprint("found at reading ", found), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, chat, reads := newMemory(t), newChat(), 0
				m.unread = func() error {
					if reads++; reads < found {
						return ErrMissing
					}
					return nil
				}
				refused := false
				chat.answer = func(m target.Message) *target.Outcome {
					if refused || !strings.Contains(m.ID, "/bad/") {
						return nil
					}
					refused = true
					return &target.Outcome{Class: target.ClientError, Detail: "400", Requests: 1}
				}
				to := hook(chat)
				to.Monthly = 100
				stop := begin(t, m, "a", []Route{everything("hook")}, to)
				m.happen("bad", rollcall.ParticipantKickedOut)
				time.Sleep(time.Minute)
				m.happen("good", rollcall.ParticipantKickedOut)
				time.Sleep(time.Minute)
				if got := chat.messages(); len(got) != 1 {
					t.Errorf("the other event waits: %+v", got)
				}
				time.Sleep(80 * time.Hour)
				stop()
				if told := len(chat.messages()); told != c.told || len(m.undelivered) != c.kept {
					t.Errorf("%d were told, %d kept as not delivered, want %d and %d", told, len(m.undelivered), c.told, c.kept)
				}
				if status, err := ReadStatus(t.Context(), m, nil, []Target{to}); err != nil || status[0].Sent != c.messages {
					t.Errorf("the month has %+v, %v; want %d messages", status, err, c.messages)
				}
			})
		})
	}
}

// A receiver that is gone, or wants silence, is left alone; nothing is lost.
func TestAWebhookThatIsGoneIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		asked := 0
		c.answer = func(target.Message) *target.Outcome {
			asked++
			return &target.Outcome{Class: target.Gone, Detail: "410"}
		}
		route := everything("hook")
		route.MaxAge = 72 * time.Hour
		stop := begin(t, m, "a", []Route{route}, hook(c))
		for range 5 {
			m.happen("m1", rollcall.ParticipantKickedOut)
			time.Sleep(time.Hour)
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		c.replies(func(target.Message) *target.Outcome { return nil })
		time.Sleep(24 * time.Hour)
		stop()
		if got := c.messages(); len(got) != 5 {
			t.Errorf("%d events arrived", len(got))
		}
		accountedFor(t, m, "lane.all.hook")
	})
}
