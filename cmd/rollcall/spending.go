package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall/cmd/rollcall/cost"
	"rollcall/cmd/rollcall/printer"
	"rollcall/poller/budget"
	"rollcall/worker/freshness"
	"rollcall/worker/membership"
)

// spending is how a tenant's month stands, as it is shown.
type spending struct {
	Tenant    string       `json:"tenant"`
	Month     budget.Month `json:"month"`
	Unlimited bool         `json:"unlimited"`
	Account   *account     `json:"account"`          // null: unlimited, or not known
	Freshness *ageFigures  `json:"freshness"`        // null: no meeting went on lately
	Pushes    *pushes      `json:"pushes,omitempty"` // none: none were heard
	Trouble   string       `json:"trouble,omitempty"`
}

// pushes is how many of the month's pushes are used.
type pushes struct {
	Monthly int64 `json:"monthlyPushes"` // 0: unlimited
	Used    int64 `json:"used"`
}

// account is where the calls of the month go.
type account struct {
	MonthlyCalls int64            `json:"monthlyCalls"`
	Spent        int64            `json:"spent"`
	Reserved     int64            `json:"reserved"`
	Left         int64            `json:"left"`
	Operations   map[string]int64 `json:"operations"`  // what is spent
	PaceSeconds  float64          `json:"paceSeconds"` // between two calls about meetings; 0: none is allowed
}

// ageFigures are how old what was known of meetings was while they went on.
type ageFigures struct {
	MedianSeconds float64 `json:"medianSeconds"`
	P95Seconds    float64 `json:"p95Seconds"`
}

// standings are what all workers together say of the tenants.
func (b *books) standings() map[string]membership.TenantReport {
	all := make(map[string]membership.TenantReport)
	for _, m := range b.members {
		info, err := membership.ParseInfo(m.Info)
		if err != nil {
			continue // "rollcall workers" says so
		}
		for tenant, said := range info.Tenants {
			before, twice := all[tenant]
			said.Unlimited = said.Unlimited && (before.Unlimited || !twice)
			said.Ages = freshness.Merge(before.Ages, said.Ages)
			all[tenant] = said
		}
	}
	return all
}

// spendings returns every tenant that is known, by name; tenant "" means all.
func (b *books) spendings(m budget.Month, tenant string, now time.Time) []spending {
	standings := b.standings()
	names := slices.Concat(slices.Collect(maps.Keys(b.accounts)), slices.Collect(maps.Keys(b.pushes)), slices.Collect(maps.Keys(standings)), slices.Collect(maps.Keys(b.configured)))
	slices.Sort(names)
	all := []spending{}
	for _, name := range slices.Compact(names) {
		if tenant != "" && name != tenant {
			continue
		}
		said, works := standings[name]
		s := spending{Tenant: name, Month: m, Unlimited: works && said.Unlimited || !works && b.unlimited(name)}
		if !s.Unlimited {
			b.fill(&s, now)
		}
		b.countPushes(&s)
		if m == budget.MonthOf(now) {
			s.Freshness = freshnessOf(said.Ages)
		}
		all = append(all, s)
	}
	return all
}

// unlimited reports whether only the configuration knows the tenant, and says
// that it is.
func (b *books) unlimited(tenant string) bool {
	calls, configured := b.configured[tenant]
	return configured && calls == 0
}

// fill reads the tenant's account. What nobody has begun is all left.
func (b *books) fill(s *spending, now time.Time) {
	stored, begun := b.accounts[s.Tenant]
	read, err := budget.ReadStatement(s.Month, stored, b.hours[s.Tenant], now)
	switch calls := b.configured[s.Tenant]; {
	case err != nil:
		s.Trouble = err.Error()
	case begun:
		s.Account = &account{read.Limit, read.Total(), read.Reserved, read.Left, read.Spent, read.Pace.Seconds()}
	case calls > 0:
		s.Account = &account{MonthlyCalls: calls, Left: calls, Operations: map[string]int64{}}
	}
}

// countPushes reads how many pushes are used, where any were heard.
func (b *books) countPushes(s *spending) {
	stored, heard := b.pushes[s.Tenant]
	if !heard {
		return
	}
	read, err := budget.ReadPushes(s.Month, stored)
	if err != nil {
		s.Trouble = cmp.Or(s.Trouble, err.Error())
		return
	}
	s.Pushes = &pushes{read.Limit, read.Used}
}

func freshnessOf(ages []freshness.Bucket) *ageFigures {
	median, ok := freshness.Quantile(0.5, ages)
	if !ok {
		return nil
	}
	far, _ := freshness.Quantile(0.95, ages)
	return &ageFigures{median.Seconds(), far.Seconds()}
}

// spendingRows is the table; it has a column for pushes where any were heard.
func spendingRows(all []spending) [][]string {
	rows := [][]string{{"TENANT", "MONTH", "CALLS", "SPENT", "RESERVED", "LEFT", "A CALL EACH", "MEDIAN", "95%", "SPENT ON"}}
	pushed := slices.ContainsFunc(all, func(s spending) bool { return s.Pushes != nil })
	if pushed {
		rows[0] = slices.Insert(rows[0], len(rows[0])-1, "PUSHES")
	}
	for _, s := range all {
		row := append([]string{s.Tenant, string(s.Month)}, s.figures()...)
		row = append(row, s.ages()...)
		if pushed {
			row = append(row, s.Pushes.words())
		}
		rows = append(rows, append(row, s.remark()))
	}
	return rows
}

func (p *pushes) words() string {
	switch {
	case p == nil:
		return "-"
	case p.Monthly == 0:
		return cost.Grouped(p.Used)
	}
	return cost.Grouped(p.Used) + " of " + cost.Grouped(p.Monthly)
}

func (s *spending) figures() []string {
	switch a := s.Account; {
	case s.Unlimited:
		return []string{"unlimited", "-", "-", "-", "-"}
	case a == nil:
		return []string{"-", "-", "-", "-", "-"}
	default:
		return []string{cost.Grouped(a.MonthlyCalls), cost.Grouped(a.Spent), cost.Grouped(a.Reserved), cost.Grouped(a.Left), inSeconds(a.PaceSeconds)}
	}
}

func (s *spending) ages() []string {
	if s.Freshness == nil {
		return []string{"-", "-"}
	}
	return []string{inSeconds(s.Freshness.MedianSeconds), inSeconds(s.Freshness.P95Seconds)}
}

// remark says what the calls were spent on, and what is to be known beside.
func (s *spending) remark() string {
	switch {
	case s.Trouble != "":
		return s.Trouble
	case s.Unlimited:
		return "not counted: see rollcall_calls_total in /metrics"
	case s.Account == nil || s.Account.Spent == 0:
		return "nothing yet"
	}
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(s.Account.Operations)) {
		parts = append(parts, op+" "+cost.Grouped(s.Account.Operations[op]))
	}
	text := strings.Join(parts, ", ")
	if s.Account.Left+s.Account.Reserved == 0 {
		text += fmt.Sprintf("; used up until %s (UTC+8)", s.Month.End().Format("2006-01-02 15:04"))
	}
	return text
}

// inSeconds writes how many seconds last; "-" for none.
func inSeconds(seconds float64) string {
	if seconds <= 0 {
		return "-"
	}
	return printer.Lasting(time.Duration(seconds * float64(time.Second)))
}
