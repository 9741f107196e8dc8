package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"rollcall/cmd/rollcall/cost"
)

// forecast is a month to come, as it is shown.
type forecast struct {
	Tenant       string   `json:"tenant,omitempty"`
	Schedule     string   `json:"schedule"`
	Meetings     int      `json:"meetings"` // at a time
	BatchSize    int      `json:"batchSize"`
	CallsPerTick int64    `json:"callsPerTick"`
	ListCalls    int64    `json:"listCalls"`   // a month, to find meetings
	LookupCalls  int64    `json:"lookupCalls"` // a month, about single meetings
	MemberCalls  int64    `json:"memberCalls"` // a month, for lists of members
	HoursPerDay  float64  `json:"hoursPerDay"`
	Days         int      `json:"days"`
	MonthlyCalls int64    `json:"monthlyCalls"`   // 0: unlimited
	Fits         bool     `json:"fits"`           // they suffice for the schedule around the clock
	Fix          string   `json:"mend,omitempty"` // which schedules they suffice for
	Cases        []chance `json:"cases"`
}

// chance is one case of a forecast.
type chance struct {
	By            string  `json:"by"`    // what sets the pace: schedule, calls
	Hours         string  `json:"hours"` // in which meetings go on: all, planned
	Calls         int64   `json:"calls"` // a month
	EverySeconds  float64 `json:"everySeconds"`
	MedianSeconds float64 `json:"medianSeconds"`
	WorstSeconds  float64 `json:"worstSeconds"`
}

// The words of a [chance].
const (
	bySchedule   = "schedule"
	byCalls      = "calls"
	allHours     = "all"
	plannedHours = "planned"
)

func forecastOf(ctx context.Context, tenant string, p cost.Plan) (forecast, error) {
	c, err := p.Costs(ctx, time.Now())
	if err != nil {
		return forecast{}, err
	}
	f := forecast{
		Tenant: tenant, Schedule: p.Schedule.String(), Meetings: p.Meetings, BatchSize: p.BatchSize,
		CallsPerTick: c.PerTick, ListCalls: c.Lists, LookupCalls: c.Lookups, MemberCalls: c.Members, HoursPerDay: p.Hours, Days: p.Days, MonthlyCalls: p.Calls, Fits: p.Fits(c),
	}
	f.Cases = []chance{
		caseOf(bySchedule, allHours, c.Clock, p.Kept()),
		caseOf(bySchedule, plannedHours, c.Hours, p.Kept()),
	}
	if p.Calls > 0 {
		_, always := p.Unlearned()
		_, planned := p.Paced()
		f.Cases = append(f.Cases, caseOf(byCalls, allHours, min(p.Calls, c.Clock), always), caseOf(byCalls, plannedHours, min(p.Calls, c.Hours), planned))
	}
	if !f.Fits {
		f.Fix = p.Fitting(c)
	}
	return f, nil
}

func caseOf(by, hours string, calls int64, fresh cost.Fresh) chance {
	return chance{by, hours, calls, fresh.Every.Seconds(), fresh.Median.Seconds(), fresh.Worst.Seconds()}
}

// write writes a forecast for people, an empty line before all but the first.
func (f *forecast) write(out io.Writer, first bool) error {
	text := ""
	if !first {
		text = "\n"
	}
	if f.Tenant != "" {
		text += f.Tenant + ": "
	}
	text += fmt.Sprintf("%s, in calls of up to %d: %s a tick", counted(int64(f.Meetings), "meeting")+" at a time", f.BatchSize, counted(f.CallsPerTick, "call"))
	if f.ListCalls > 0 {
		text += fmt.Sprintf(", and %s a month to find meetings", counted(f.ListCalls, "call"))
	}
	if f.LookupCalls > 0 {
		text += fmt.Sprintf(", and %s a month to look up single meetings", counted(f.LookupCalls, "call"))
	}
	if f.MemberCalls > 0 {
		text += fmt.Sprintf(", and %s a month for lists of members", counted(f.MemberCalls, "call"))
	}
	if _, err := fmt.Fprintln(out, text); err != nil {
		return err
	}
	if err := writeTable(out, f.rows()); err != nil {
		return err
	}
	return f.judge(out)
}

func (f *forecast) rows() [][]string {
	rows := [][]string{{"WHAT SETS THE PACE", "WHEN MEETINGS GO ON", "CALLS A MONTH", "ASKED EACH", "MEDIAN AGE", "WORST AGE"}}
	for _, c := range f.Cases {
		by, hours := f.Schedule, "around the clock"
		if c.By == byCalls {
			by = counted(f.MonthlyCalls, "call") + " a month"
		}
		if c.Hours == plannedHours {
			hours = fmt.Sprintf("%g hours on %d days", f.HoursPerDay, f.Days)
		}
		rows = append(rows, []string{by, hours, cost.Grouped(c.Calls), inSeconds(c.EverySeconds), inSeconds(c.MedianSeconds), inSeconds(c.WorstSeconds)})
	}
	return rows
}

// judge says in the end whether the calls suffice.
func (f *forecast) judge(out io.Writer) error {
	text := ""
	switch {
	case f.MonthlyCalls == 0:
		return nil
	case f.Fits:
		text = fmt.Sprintf("%s suffice for %s.", counted(f.MonthlyCalls, "call"), f.Schedule)
	default:
		text = fmt.Sprintf("%s do not suffice for %s around the clock: %s.", counted(f.MonthlyCalls, "call"), f.Schedule, f.Fix)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// counted writes a number of things: "1 call", "5,000 calls".
func counted(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return cost.Grouped(n) + " " + thing
}
