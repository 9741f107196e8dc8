package forwarder

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/consume"
	"rollcall/forwarder/target"
)

func TestMatch(t *testing.T) {
	kick := consume.Event{Event: rollcall.Event{
		Tenant: "acme", ConferenceID: "c", Type: rollcall.ParticipantKickedOut, Provenance: rollcall.ProvenanceObserved,
		Meeting: rollcall.Conference{Title: "Weekly Review 周会"}, Labels: rollcall.Labels{"team": "blue", "floor": ""},
		Participant: &rollcall.Participant{UserID: "u1"},
	}}
	joined := kick
	joined.Type = rollcall.ParticipantJoined
	lost := consume.Event{Event: rollcall.Event{Type: rollcall.WatchLost}}
	watch := &rollcall.WatchEvent{Tenant: "acme", Type: rollcall.WatchLost, Provenance: rollcall.ProvenanceObserved}
	for name, c := range map[string]struct {
		match              Match
		kick, joined, lost bool
	}{
		"nothing said":      {Match{}, true, false, true},
		"everything":        {Match{Types: []string{"*"}}, true, true, true},
		"an entity":         {Match{Types: []string{"participant.*"}}, true, true, false},
		"a verb":            {Match{Types: []string{"*.kicked_out"}}, true, false, false},
		"as CloudEvents":    {Match{Types: []string{"rollcall.participant.joined"}}, false, true, false},
		"tenant":            {Match{Types: []string{"*"}, Tenants: []string{"acme", "x"}}, true, true, true},
		"other tenant":      {Match{Types: []string{"*"}, Tenants: []string{"x"}}, false, false, false},
		"title":             {Match{Titles: []string{"weekly*周?"}}, true, false, false},
		"other title":       {Match{Titles: []string{"weekly", "?"}}, false, false, false},
		"label":             {Match{Labels: rollcall.Labels{"team": "blue"}}, true, false, false},
		"empty label":       {Match{Labels: rollcall.Labels{"floor": ""}}, true, false, false},
		"no label":          {Match{Labels: rollcall.Labels{"none": ""}}, false, false, false},
		"user":              {Match{Users: []string{"u1"}}, true, false, false},
		"other user":        {Match{Users: []string{"u2"}}, false, false, false},
		"provenance":        {Match{Provenances: []rollcall.Provenance{"observed"}}, true, false, true},
		"other provenance":  {Match{Provenances: []rollcall.Provenance{"baseline"}}, false, false, false},
		"one does not fit":  {Match{Tenants: []string{"acme"}, Users: []string{"u1"}, Titles: []string{"x"}}, false, false, false},
		"a type not listed": {Match{Types: []string{"meeting.ended"}}, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.match.Wants(&kick, nil); got != c.kick {
				t.Errorf("a kick: %v", got)
			}
			if got := c.match.Wants(&joined, nil); got != c.joined {
				t.Errorf("a joining: %v", got)
			}
			if got := c.match.Wants(&lost, watch); got != c.lost {
				t.Errorf("a loss: %v", got)
			}
		})
	}
}

// However fast messages are sent, and however late each arrives, no window of the
// service's holds more than it takes.
func TestNoWindowHoldsMoreThanTheServiceTakes(t *testing.T) {
	rates := map[target.Rate]bool{}
	for _, kind := range target.Kinds() {
		for _, rate := range kind.Limit.Rates {
			rates[rate] = true
		}
	}
	for rate := range rates {
		rapid.Check(t, func(t *rapid.T) {
			now, late := time.Unix(0, 0), min(sendTimeout, rate.Window/2)
			var s robotState
			var arrived []time.Time
			for range rapid.IntRange(2, 100).Draw(t, "messages") {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(rate.Window)/8).Draw(t, "pause")))
				if next := s.next([]target.Rate{rate}); next.After(now) {
					now = next
				}
				if s.free([]target.Rate{rate}, now) < 1 {
					t.Fatalf("none is free at the time said")
				}
				s.take([]target.Rate{rate}, now)
				arrived = append(arrived, now.Add(time.Duration(rapid.Int64Range(0, int64(late)).Draw(t, "late"))))
			}
			for _, from := range arrived {
				in := 0
				for _, at := range arrived {
					if !at.Before(from) && at.Sub(from) < rate.Window {
						in++
					}
				}
				if in > rate.Messages {
					t.Fatalf("%d messages in %s, which takes %d", in, rate.Window, rate.Messages)
				}
			}
		})
	}
}

// A meeting that is found is one line, what undoes itself is not told, and a second
// message about a meeting waits for the interval, unless somebody waits for it.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory(t), newChat()
		stop := begin(t, m, "a", []Route{everything("team")}, c.team("team", 1))
		defer stop()
		m.event("m1", rollcall.MeetingStarted, "", 1, 13, rollcall.ProvenanceBaseline)
		for i := range 12 {
			m.event("m1", rollcall.ParticipantJoined, string(rune('a'+i)), i+2, 13, rollcall.ProvenanceBaseline)
		}
		m.happen("m2", rollcall.ParticipantMicOpened)
		time.Sleep(time.Second)
		m.happen("m2", rollcall.ParticipantMicClosed)
		time.Sleep(5 * time.Second)
		if got := c.messages(); len(got) != 1 {
			t.Fatalf("told is %+v", got)
		}
		m.event("m1", rollcall.ParticipantJoined, "late", 1, 1, rollcall.ProvenanceObserved)
		time.Sleep(50 * time.Second)
		if got := c.messages(); len(got) != 1 {
			t.Errorf("the interval was not waited for: %+v", got)
		}
		m.event("m1", rollcall.ParticipantKickedOut, "a", 1, 1, rollcall.ProvenanceObserved)
		time.Sleep(6 * time.Second)
		if got := c.messages(); len(got) != 2 {
			t.Errorf("a kick was waited with: %+v", got)
		}
	})
}
