package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// situations are those in which a system is, rather than a worker at full speed,
// with the rivals that each is measured beside.
func situations() []situation {
	const paced = "@every 1s"
	thousand := world{Meetings: 1000, People: 20}
	all := []situation{
		{session{name: "paced", world: thousand, tenants: 1, rates: []float64{hold, 1, 10}, schedule: paced}, []client{plain, bytesFirst}},
		{session{name: "50 tenants", world: thousand, tenants: 50, rates: []float64{hold, 1, 10}, schedule: paced}, []client{plain, bytesFirst}},
		{session{name: "embedded", world: thousand, tenants: 1, rates: []float64{hold, 1, 10}, schedule: paced, embedded: true, sync: "always"}, []client{plain}},
		{session{name: "over TLS", world: thousand, tenants: 1, rates: []float64{hold, 1}, schedule: paced, tls: true}, []client{plain}},
		{session{name: "constant staleness", world: thousand, tenants: 1, rates: []float64{1}, schedule: paced, stale: 50 * time.Millisecond}, nil},
		{session{name: "three servers", world: thousand, tenants: 1, rates: []float64{1, 10}, schedule: paced, servers: 3}, nil},
		{session{name: "three of both", world: thousand, tenants: 50, rates: []float64{1}, schedule: paced, servers: 3, workers: 3}, nil},
		{session{name: "30 × 100 at once", world: world{Meetings: 3000, People: 20}, tenants: 30, rates: []float64{1}}, nil},
		{session{name: "200 × 2", world: world{Meetings: 400, People: 20}, tenants: 200, rates: []float64{10}, schedule: "@every 15s"}, nil},
		{session{name: "150 ms away", world: world{Meetings: 10_000, People: 20}, tenants: 1, rates: []float64{1}, schedule: "@every 5s", qps: 20, roundTrip: 150 * time.Millisecond}, nil},
		{session{name: "100,000", world: world{Meetings: 100_000, People: 10}, tenants: 50, rates: []float64{hold, 1}, schedule: "@every 15s"}, nil},
	}
	for i := range all {
		all[i].client = rollcall
		if all[i].sync == "" {
			all[i].sync = "interval"
		}
	}
	return all
}

type situation struct {
	session
	rivals []client
}

// sessions are that of the worker and those of its rivals.
func (s situation) sessions() []session {
	all := []session{s.session}
	for _, c := range s.rivals {
		d := s.session
		d.client, d.embedded = c, false
		all = append(all, d)
	}
	return all
}

// measureSituations measures those whose names were asked for, or all.
func (b *bench) measureSituations(ctx context.Context) error {
	var sessions []session
	for _, s := range b.chosen() {
		sessions = append(sessions, s.sessions()...)
	}
	var rs rows
	for _, s := range b.chosen() {
		for _, rate := range s.rates {
			for _, d := range s.sessions() {
				rs = append(rs, &row{session: d, rate: rate})
			}
		}
	}
	var err error
	for run := 0; run < b.runs && err == nil; run++ {
		err = b.run(ctx, run, sessions, rs)
	}
	b.say("done")
	fmt.Fprint(b.out, "\nWhat the whole takes, in µs of CPU a meeting and poll, and how soon it knows\n\n")
	rs = slices.DeleteFunc(rs, func(r *row) bool { return len(r.samples) == 0 })
	table(b.out, b.markdown, rs.whole(), rs)
	return err
}

// chosen are the situations whose names hold one of those that were asked for.
func (b *bench) chosen() []situation {
	return slices.DeleteFunc(situations(), func(s situation) bool {
		return b.situations != "all" && !slices.ContainsFunc(strings.Split(b.situations, ","), func(part string) bool {
			return strings.Contains(s.name, part)
		})
	})
}

// whole are the columns of what the client and the broker take together.
func (rs rows) whole() []column {
	const megabyte = 1 << 20
	together := func(m *sample) float64 {
		return m.perPoll(m.from.client+m.from.broker, m.to.client+m.to.broker)
	}
	return []column{
		{"situation", func(r *row) string { return r.name }},
		{"change", func(r *row) string { return fmt.Sprintf("%g %%", r.rate) }},
		{"client", func(r *row) string { return string(r.client) }},
		number("client", "%.1f", func(m *sample) float64 { return m.perPoll(m.from.client, m.to.client) }),
		number("broker", "%.1f", func(m *sample) float64 { return m.perPoll(m.from.broker, m.to.broker) }),
		number("together", "%.1f", together),
		{"of plain's", func(r *row) string { return rs.ofPlain(r, together) }},
		number("calls/s", "%.1f", func(m *sample) float64 { return m.perSecond(float64(m.to.served.Calls - m.from.served.Calls)) }),
		number("known for s", "%.2f", func(m *sample) float64 { return m.age().Seconds() }),
		number("stored after ms", "%.1f", func(m *sample) float64 { return milliseconds(m.quantile(0.5)) }).only(changing),
		number("99th ms", "%.1f", func(m *sample) float64 { return milliseconds(m.quantile(0.99)) }).only(changing),
		number("peak MB", "%.0f", func(m *sample) float64 { return float64(m.peak) / megabyte }),
	}
}

// long is how long a measurement of the session takes: two polls of its schedule
// at least.
func (b *bench) longOf(d session) time.Duration {
	every, err := time.ParseDuration(strings.TrimPrefix(d.schedule, "@every "))
	if err != nil {
		return b.long
	}
	return max(b.long, 2*every)
}
