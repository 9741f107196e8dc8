package main

import (
	"cmp"
	"fmt"
	"slices"
)

// row is one case: all samples of it, in the order of the runs.
type row struct {
	session
	rate    float64
	samples []*sample
}

// rows are the cases, the two clients of one beside each other.
type rows []*row

func newRows(sessions []session) (all rows) {
	for _, d := range sessions {
		for _, rate := range d.rates {
			all = append(all, &row{session: d, rate: rate})
		}
	}
	slices.SortStableFunc(all, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.world.Meetings, b.world.Meetings), cmp.Compare(b.sync, a.sync), cmp.Compare(a.rate, b.rate))
	})
	return all
}

// find returns the row of a case; nil where there is none.
func (rs rows) find(c client, d session, rate float64) *row {
	for _, r := range rs {
		if r.client == c && r.name == d.name && r.world == d.world && r.sync == d.sync && r.rate == rate {
			return r
		}
	}
	return nil
}

func (rs rows) add(d session, samples []*sample) {
	for i, m := range samples {
		r := rs.find(d.client, d, d.rates[i])
		r.samples = append(r.samples, m)
	}
}

// spread writes the median of something over the runs, with the least and the
// most where there are several.
func (r *row) spread(format string, of func(*sample) float64) string {
	var all []float64
	for _, m := range r.samples {
		all = append(all, of(m))
	}
	return spread(format, all)
}

func spread(format string, all []float64) string {
	slices.Sort(all)
	text := fmt.Sprintf(format, median(all))
	if len(all) == 1 {
		return text
	}
	return fmt.Sprintf("%s ("+format+"–"+format+")", text, all[0], all[len(all)-1])
}

// median is that of sorted numbers.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// ofPlain is what part of the plain script's something a client takes, run by run.
func (rs rows) ofPlain(r *row, of func(*sample) float64) string {
	script := rs.find(plain, r.session, r.rate)
	if r.client == plain || script == nil {
		return ""
	}
	var parts []float64
	for i, m := range r.samples[:min(len(r.samples), len(script.samples))] {
		parts = append(parts, of(m)/of(script.samples[i]))
	}
	if len(parts) == 0 {
		return ""
	}
	return spread("%.2f", parts)
}
