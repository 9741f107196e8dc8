package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall/cmd/rollcall/cost"
	"rollcall/wire"
)

// What may be lost, in words that several findings share.
const (
	lostBlind = "what happens meanwhile is told late, as one change; who comes and goes in between is never seen"
	lostStore = "nothing new is told; workers go on asking, and keep what they learn in memory and in the journal of data_dir until it is full"
)

// Judge says what is wrong.
func Judge(f Facts) Report {
	r := Report{At: f.At, Findings: []Finding{}, Tenants: []Tenant{}, Workers: len(f.Workers), Versions: versions(f.Workers), Stream: f.Stream}
	if f.Unreachable != nil {
		r.find(Finding{
			What: "NATS cannot be reached: " + f.Unreachable.Error(), Lost: lostStore,
			Do: "run rollcall check --config FILE --no-call, which finds the reason; start NATS, or correct nats.url",
		})
		return r
	}
	r.Tenants = tenants(f)
	r.stream(f.Stream)
	r.workers(f)
	for _, t := range r.Tenants {
		r.tenant(f, t)
	}
	for _, b := range f.Budgets {
		r.budget(f.At, b)
	}
	r.forwarding(f)
	r.OK = len(r.Findings) == 0
	return r
}

func (r *Report) find(f Finding) { r.Findings = append(r.Findings, f) }

func (r *Report) stream(s Stream) {
	switch {
	case s.Missing:
		r.find(Finding{
			What: "the stream " + s.Name + " is missing", Lost: "all events and records that it held; " + lostStore,
			Do: "a running worker creates it within seconds: see its log; restore it from a backup while no worker runs (nats stream restore), or start rollcall run",
		})
	case s.MaxBytes > 0 && s.Bytes > s.MaxBytes/10*9:
		r.find(Finding{
			What: fmt.Sprintf("the stream %s is nearly full: %s of %s bytes", s.Name, cost.Grouped(s.Bytes), cost.Grouped(s.MaxBytes)),
			Lost: "nothing yet; once it is full " + lostStore,
			Do:   "raise stream.max_bytes, and with it max_bytes of the stream (nats stream edit), or shorten stream.retention",
		})
	}
}

func (r *Report) workers(f Facts) {
	if len(f.Workers) == 0 {
		var last time.Time
		for _, s := range f.Statuses {
			if s.At.After(last) {
				last = s.At
			}
		}
		r.find(Finding{What: "no worker lives", Since: last, Lost: lostBlind, Do: "start rollcall run; on Kubernetes: kubectl get pods -l app.kubernetes.io/name=rollcall, and kubectl logs --previous"})
	}
	for _, w := range f.Workers {
		if w.Err != nil {
			r.find(Finding{What: "what worker " + w.ID + " says of itself cannot be read: " + w.Err.Error(), Lost: "nothing", Do: "see whether its version is a newer one than this program's"})
		}
	}
	if len(r.Versions) > 1 {
		r.find(Finding{
			What: "workers of several versions run: " + strings.Join(r.Versions, ", "), Lost: "nothing, as in any rolling update",
			Do: "if no update is under way, see why one got stuck: kubectl rollout status, or rollcall workers --json",
		})
	}
}

func (r *Report) tenant(f Facts, t Tenant) {
	if len(f.Workers) == 0 || f.Stream.Missing {
		return // nobody looks, which is said of all
	}
	blind := func(what, do string) {
		r.find(Finding{What: what, Tenant: t.Name, Since: t.LastGood, Lost: lostBlind, Do: do})
	}
	old := f.At.Sub(t.LastGood) > 3*t.Pace+30*time.Second
	switch {
	case t.State == wire.StateAuth:
		blind("DingTalk refuses the credentials, or the app lacks a permission", "run rollcall check --config FILE, which names it; put the right secret into its file (it is read again by itself), or grant the permission, then send SIGHUP")
	case t.State == wire.StateQuota:
		blind("the month's calls at DingTalk are used up", "buy more calls, then send SIGHUP; otherwise it goes on with the next month (UTC+8)")
	case t.State == wire.StateThrottled && old:
		blind("DingTalk asks to go slower", "it passes by itself; if it comes again, lower poll.qps, or see what else calls with this app")
	case t.State == wire.StateAway && old:
		blind("DingTalk cannot be reached", "run rollcall check --config FILE; see the network, the proxy and https://status.dingtalk.com")
	case t.Held == 0:
		blind("no worker looks at this tenant", "see whether a worker is configured for it, and what the workers' logs say of claiming it")
	case t.Shards > t.Held:
		blind(fmt.Sprintf("only %d of %d shards are looked at", t.Held, t.Shards), "a worker takes them over within seconds; otherwise see the workers' logs")
	case t.Tracked > 0 && old:
		blind("nothing was answered lately", "see /readyz of its workers, and their logs")
	}
	if t.Waiting >= 50 {
		r.find(Finding{What: fmt.Sprintf("%d observations wait to be stored", t.Waiting), Tenant: t.Name, Lost: "nothing yet: they are told later; when the journal is full polling pauses", Do: "see whether NATS stores: nats server report jetstream, and the workers' logs"})
	}
	if t.setAside > 0 {
		r.find(Finding{What: fmt.Sprintf("%d meetings are set aside, whose records can be neither read nor stored", t.setAside), Tenant: t.Name, Lost: "what happens in them", Do: "the log of the worker says why of each; rollcall list --tenant " + t.Name + " shows them"})
	}
}

// budget says when the calls will not last.
func (r *Report) budget(now time.Time, b Budget) {
	left, total := b.MonthIsOver.Sub(now), b.MonthIsOver.Sub(b.MonthBegins)
	switch {
	case b.NotReadError != "":
		r.find(Finding{What: "the account of the calls cannot be read: " + b.NotReadError, Tenant: b.Tenant, Lost: "calls stop when the reserved ones are spent", Do: "see rollcall budget --tenant " + b.Tenant})
	case b.Left+b.Reserved == 0:
		r.find(Finding{What: "the calls of the month (poll.monthly_calls) are used up", Tenant: b.Tenant, Lost: lostBlind, Do: fmt.Sprintf("raise poll.monthly_calls if you have more; otherwise it goes on at %s", b.MonthIsOver.UTC().Format(time.RFC3339))})
	case float64(b.Left+b.Reserved)/float64(b.Calls) < 0.5*left.Seconds()/total.Seconds():
		r.find(Finding{What: fmt.Sprintf("%s of %s calls are left for the rest of the month", cost.Grouped(b.Left+b.Reserved), cost.Grouped(b.Calls)), Tenant: b.Tenant, Lost: "meetings are asked about ever less often, so that the calls last", Do: "see rollcall budget --tenant " + b.Tenant + "; raise poll.monthly_calls, or track fewer meetings"})
	}
}

// tenants are those that are configured, as far as is known, by name.
func tenants(f Facts) []Tenant {
	all := map[string]*Tenant{}
	of := func(name string) *Tenant {
		if all[name] == nil {
			all[name] = &Tenant{Name: name}
		}
		return all[name]
	}
	for _, name := range f.Configured {
		of(name)
	}
	for _, w := range f.Workers {
		for _, name := range w.Info.Knows {
			of(name)
		}
		for _, h := range w.Info.Shards {
			t := of(h.Tenant)
			t.Held, t.Shards, t.Waiting = t.Held+1, max(t.Shards, h.Of), t.Waiting+h.Waiting
		}
	}
	for name, s := range f.Statuses {
		if len(f.Configured)+len(f.Workers) == 0 && s.State != wire.StateAway {
			of(name) // nobody says what is configured
		}
		if t := all[name]; t != nil {
			t.State, t.LastGood, t.Pace, t.Tracked, t.setAside = s.State, s.LastGoodPoll, s.Pace, s.Tracked, s.SetAside
		}
	}
	sorted := []Tenant{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, *all[name])
	}
	return sorted
}

// versions are those of the workers' programs, each once.
func versions(workers []Worker) []string {
	all := []string{}
	for _, w := range workers {
		if w.Err == nil && w.Info.Version != "" {
			all = append(all, w.Info.Version)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
