package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// column is a figure of a case.
type column struct {
	title string
	cell  func(*row) string
}

// number is a column of a number, with its spread.
func number(title, format string, of func(*sample) float64) column {
	return column{title, func(r *row) string { return r.spread(format, of) }}
}

// only leaves a column's cell empty where it says nothing.
func (c column) only(where func(*row) bool) column {
	return column{c.title, func(r *row) string {
		if !where(r) {
			return ""
		}
		return c.cell(r)
	}}
}

func ofRollcall(r *row) bool { return r.client == rollcall }
func changing(r *row) bool   { return ofRollcall(r) && r.rate != hold }
func idle(r *row) bool       { return ofRollcall(r) && r.rate == hold }

// names are the columns that say which case it is.
func names() []column {
	return []column{
		{"meetings", func(r *row) string { return grouped(r.world.Meetings) }},
		{"change", func(r *row) string { return fmt.Sprintf("%g %%", r.rate) }},
		{"sync", func(r *row) string { return r.sync }},
		{"client", func(r *row) string { return string(r.client) }},
	}
}

// costs are the columns of what a case takes.
func (rs rows) costs() []column {
	const megabyte = 1 << 20
	cpu := func(m *sample) float64 { return m.perPoll(m.from.client, m.to.client) }
	return append(names(),
		number("CPU µs", "%.1f", cpu),
		column{"of plain's", func(r *row) string { return rs.ofPlain(r, cpu) }},
		number("broker's CPU µs", "%.1f", func(m *sample) float64 { return m.perPoll(m.from.broker, m.to.broker) }),
		number("allocations", "%.1f", func(m *sample) float64 { return m.mallocs / m.polls() }).only(ofRollcall),
		number("peak MB", "%.0f", func(m *sample) float64 { return float64(m.peak) / megabyte }),
		number("broker's peak MB", "%.0f", func(m *sample) float64 { return float64(m.brokerPeak) / megabyte }),
		number("heap KB", "%.2f", func(m *sample) float64 { return m.heap / 1024 / float64(m.meetings) }).only(idle),
	)
}

// flows are the columns of how fast a case goes.
func flows() []column {
	return append(names(),
		number("meetings/s", "%.0f", func(m *sample) float64 { return m.perSecond(m.polls()) }),
		number("events/s", "%.0f", func(m *sample) float64 { return m.perSecond(float64(m.stored)) }),
		number("stored after ms", "%.1f", func(m *sample) float64 { return milliseconds(m.quantile(0.5)) }).only(changing),
		number("99th ms", "%.1f", func(m *sample) float64 { return milliseconds(m.quantile(0.99)) }).only(changing),
	)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// printRows prints what was measured in two tables.
func (b *bench) printRows(rs rows) {
	fmt.Fprint(b.out, "\nWhat a meeting and poll takes (heap: a tracked meeting of which nothing changes)\n\n")
	table(b.out, b.markdown, rs.costs(), rs)
	fmt.Fprint(b.out, "\nHow fast it goes (from an answer's arrival until its events are stored)\n\n")
	table(b.out, b.markdown, flows(), rs)
}

// table writes columns as text or as Markdown.
func table(w io.Writer, markdown bool, columns []column, rs rows) {
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	lines := [][]string{titles}
	for _, r := range rs {
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.cell(r))
		}
		lines = append(lines, cells)
	}
	if markdown {
		asMarkdown(w, lines)
		return
	}
	text := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		fmt.Fprintln(text, strings.Join(cells, "\t"))
	}
	_ = text.Flush() // to the terminal, whose loss could not be reported
}

func asMarkdown(w io.Writer, lines [][]string) {
	rule := slices.Repeat([]string{"---"}, len(lines[0]))
	for _, cells := range slices.Insert(lines, 1, rule) {
		fmt.Fprintln(w, "| "+strings.Join(cells, " | ")+" |")
	}
}

// printLimits prints what cannot be undercut, and where the plain script stands.
func (b *bench) printLimits(all []limits) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(b.out, "\nThe limits, in µs of CPU a meeting\n\n")
	for _, l := range []struct {
		what string
		of   func(limits) float64
	}{
		{"read the answer and compare its bytes", func(l limits) float64 { return l.read }},
		{"split it into meetings", func(l limits) float64 { return l.split }},
		{"json.Unmarshal of a meeting", func(l limits) float64 { return l.decode }},
	} {
		var values []float64
		for _, each := range all {
			values = append(values, l.of(each))
		}
		if b.markdown {
			fmt.Fprintf(b.out, "| %s | %s |\n", l.what, spread("%.1f", values))
			continue
		}
		fmt.Fprintf(b.out, "%-40s %s\n", l.what, spread("%.1f", values))
	}
}

// grouped writes a number with commas between its thousands.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
