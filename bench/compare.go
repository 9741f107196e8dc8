package main

import (
	"context"
	"fmt"
	"slices"
)

// compare measures the worker and the plain script in turn, and prints what
// each takes.
func (b *bench) compare(ctx context.Context) error {
	sessions := b.sessions()
	rows := newRows(sessions)
	var limits []limits
	if err := b.measureEmpty(ctx); err != nil {
		return err
	}
	for run := range b.runs {
		if err := b.run(ctx, run, sessions, rows); err != nil {
			return err
		}
		if b.plain {
			l, err := b.limits(ctx)
			if err != nil {
				return err
			}
			limits = append(limits, l)
		}
	}
	b.say("done")
	b.printRows(rows)
	b.printLimits(limits)
	return nil
}

// run measures the sessions once, one after the other.
func (b *bench) run(ctx context.Context, run int, sessions []session, rs rows) error {
	for _, d := range sessions {
		b.say("run %d of %d: %s", run+1, b.runs, d)
		samples, err := b.play(ctx, d, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
		rs.add(d, samples)
	}
	return nil
}

// sessions are those of one run. Those of the worker and of the script take
// turns, so that whatever else the machine does falls on both.
func (b *bench) sessions() (all []session) {
	for _, n := range b.meetings {
		d := session{client: rollcall, world: world{Meetings: n, People: b.people}, tenants: 1, rates: b.rates, sync: b.sync}
		if b.sync == "" {
			d.sync = "interval"
		}
		all = append(all, d)
		if b.plain {
			d.client = plain
			all = append(all, d)
		}
	}
	if b.sync == "" {
		d := all[0]
		d.sync, d.rates = "always", []float64{slices.Max(b.rates)}
		all = append(all, d)
	}
	return all
}

// measureEmpty measures the heap of a worker that tracks one meeting, to be
// taken off that of one that tracks many.
func (b *bench) measureEmpty(ctx context.Context) error {
	d := session{client: rollcall, world: world{Meetings: 1, People: b.people}, tenants: 1, rates: []float64{hold}, sync: "interval"}
	samples, err := b.play(ctx, d, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	b.empty = samples[0].heap
	return nil
}
