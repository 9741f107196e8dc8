package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/internal/natstest"
	"rollcall/simulator"
)

// pushed changes a configuration to hear pushes, and to ask without them in an
// hour at the earliest.
func pushed(cfg *config.Config) {
	tenant := &cfg.Tenants[0]
	tenant.Poll.Schedule, tenant.Track.Conferences = "@every 1h", nil
	tenant.Push.Enabled = true
	tenant.Track.Organization.Exclude = config.Patterns{Titles: []string{"secret*"}}
	tenant.Track.Organization.Labels = rollcall.Labels{"from": "push"}
}

// TestPushesSayWhomToAskAbout has nobody ask by schedule or list: a meeting is
// tracked, and told of, because of what is pushed.
func TestPushesSayWhomToAskAbout(t *testing.T) {
	sim, cfg := simulatedWith(t, simulator.Config{Meetings: -1})
	pushed(&cfg)
	l := run(t, cfg)
	eventually(t, "it hears pushes", func() bool { return sim.Listening() == 1 })
	secret := act(t, sim, simulator.Act{Verb: "create", Title: "Secret plan"}).ConferenceID
	id := act(t, sim, simulator.Act{Verb: "create", Title: "The plan"}).ConferenceID
	eventually(t, "the meeting is tracked", func() bool { return l.source(id) == "push" })
	if got := l.source(secret); got != "" {
		t.Errorf("what the organization's filter excludes is tracked because of %q", got)
	}
	told := func(verb string, kind rollcall.Type) {
		t.Helper()
		act(t, sim, simulator.Act{Verb: verb, ConferenceID: id, UserID: "u1"})
		e := await(t, l.events, func(e rollcall.Event) bool { return e.Type == kind })
		if e.ConferenceID != id || e.Labels["from"] != "push" {
			t.Errorf("%s tells %s of %s, labels %v", verb, e.Type, e.ConferenceID, e.Labels)
		}
	}
	told("join", rollcall.ParticipantJoined)
	told("kick", rollcall.ParticipantKickedOut)
	act(t, sim, simulator.Act{Verb: "end", ConferenceID: id})
	await(t, l.events, func(e rollcall.Event) bool { return e.Type == rollcall.MeetingEnded && e.ConferenceID == id })
	for _, want := range []string{
		`rollcall_push_connected{tenant="acme"} 1`, `rollcall_pushes_total{outcome="taken",tenant="acme"} 5`,
		`rollcall_push_month_pushes{tenant="acme"} 5`, `rollcall_push_monthly_pushes{tenant="acme"} 3000`,
	} {
		eventually(t, "the metrics show "+want, func() bool {
			return strings.Contains(page(t, "http://"+l.HTTP().String()+"/metrics"), want)
		})
	}
}

// hears reports whether a service holds the connection for pushes.
func hears(l *live) bool {
	return strings.Contains(page(l.t, "http://"+l.HTTP().String()+"/metrics"), `rollcall_push_connected{tenant="acme"} 1`)
}

// TestOneOfSeveralWorkersHears has two workers share the shards: one is connected,
// and both ask about theirs when it hears of them.
func TestOneOfSeveralWorkersHears(t *testing.T) {
	sim, cfg := simulatedWith(t, simulator.Config{Meetings: -1})
	pushed(&cfg)
	cfg.NATS.URL, cfg.Tenants[0].Poll.Shards = natstest.Start(t).URL(), 8
	one := run(t, cfg)
	cfg.DataDir += "-two"
	two := run(t, cfg)
	eventually(t, "both hold shards, and the one with the first hears", func() bool {
		_, here, err := one.Worker().List(t.Context(), "acme")
		_, there, err2 := two.Worker().List(t.Context(), "acme")
		return err == nil && err2 == nil && len(here) > 0 && len(there) > 0 && len(here)+len(there) == 8 && sim.Listening() == 1 &&
			hears(one) == slices.Contains(here, 0) && hears(two) == slices.Contains(there, 0)
	})
	wanted := map[string]bool{}
	for n := range 16 {
		id := fmt.Sprint("m", n)
		act(t, sim, simulator.Act{Verb: "create", ConferenceID: id})
		eventually(t, "the meeting is tracked", func() bool { return one.source(id) == "push" || two.source(id) == "push" })
		act(t, sim, simulator.Act{Verb: "join", ConferenceID: id, UserID: "u1"})
		wanted[id] = true
	}
	for len(wanted) > 0 {
		e := await(t, one.events, func(e rollcall.Event) bool { return e.Type == rollcall.ParticipantJoined })
		delete(wanted, e.ConferenceID)
	}
	if n := sim.Listening(); n != 1 {
		t.Errorf("%d are connected", n)
	}
}
