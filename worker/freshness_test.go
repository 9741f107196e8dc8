package worker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/poller"
	"rollcall/worker"
	"rollcall/worker/freshness"
	"rollcall/worker/membership"
)

// gauge is a worker whose freshness is looked at.
type gauge struct {
	*process
	t        *testing.T
	ledger   *ledgertest.Memory
	registry *prometheus.Registry
}

// gauged starts a worker that asks at the instants of the schedule.
func gauged(t *testing.T, l ledgers, m *ledgertest.Memory, w *world, schedule string, ids ...string) *gauge {
	t.Helper()
	parsed, err := poller.ParseSchedule(schedule, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	g := &gauge{t: t, ledger: m, registry: prometheus.NewRegistry()}
	g.process = start(t, "one", l, w, func(cfg *worker.Config) {
		cfg.Registry, cfg.Tenants[0].Schedule, cfg.Tenants[0].Conferences = g.registry, parsed, ids
	})
	return g
}

// bins gives the histogram of ages: how many samples were at most so old, by
// the bound as it stands in the metric, and all of them ("+Inf").
func (g *gauge) bins() map[string]int {
	g.t.Helper()
	page := httptest.NewRecorder()
	promhttp.HandlerFor(g.registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	bins := map[string]int{}
	line := regexp.MustCompile(`rollcall_freshness_seconds_bucket{tenant="acme",le="([^"]+)"} (\d+)`)
	for _, found := range line.FindAllStringSubmatch(page.Body.String(), -1) {
		n, err := strconv.Atoi(found[2])
		if err != nil {
			g.t.Fatal(err)
		}
		bins[found[1]] = n
	}
	if len(bins) == 0 {
		g.t.Fatal("the metric is not shown")
	}
	return bins
}

// told gives what the worker tells of the ages, and two of their percentiles.
func (g *gauge) told() (ages []freshness.Bucket, median, far time.Duration) {
	g.t.Helper()
	members, err := g.ledger.Members(g.t.Context())
	if err != nil || len(members) != 1 {
		g.t.Fatalf("the members are %v, %v", members, err)
	}
	info, err := membership.ParseInfo(members[0].Info)
	if err != nil || !info.Tenants["acme"].Unlimited {
		g.t.Fatalf("the worker says %s, %v", members[0].Info, err)
	}
	ages = info.Tenants["acme"].Ages
	median, _ = freshness.Quantile(0.5, ages)
	far, _ = freshness.Quantile(0.95, ages)
	return ages, median, far
}

func within(t *testing.T, what string, got, low, high time.Duration) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s is %s, want %s to %s", what, got, low, high)
	}
}

func TestFreshnessIsTheAgeOfWhatIsKnownDuringMeetings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("a", "ann")
		w.set("b", "bob")
		w.put("later", &meeting{Status: rollcall.StatusInitialized})
		g := gauged(t, m, m, w, "@every 15s", "a", "b", "later", "unknown")
		for n := range 240 { // of the one every answer brings news, of the other none
			w.set("b", "bob", fmt.Sprint("guest", n%2))
			elapse(15 * time.Second)
		}
		bins := g.bins()
		// Two meetings that go on for an hour, looked at about every 5 s.
		if n := bins["+Inf"]; n < 1200 || n > 1700 {
			t.Errorf("%d samples were taken", n)
		}
		if bins["15"] != bins["+Inf"] {
			t.Errorf("%d samples of %d are within the pace", bins["15"], bins["+Inf"])
		}
		ages, median, far := g.told()
		within(t, "the median", median, 6500*time.Millisecond, 8500*time.Millisecond)
		within(t, "the 95th percentile", far, 13500*time.Millisecond, 15*time.Second)
		if n := total(ages); n != bins["+Inf"] {
			t.Errorf("the worker tells of %d samples of %d", n, bins["+Inf"])
		}
		w.status("a", rollcall.StatusEnded)
		if _, err := g.worker.Untrack(t.Context(), "acme", "b"); err != nil {
			t.Fatal(err)
		}
		elapse(15 * time.Second)
		over := g.bins()["+Inf"]
		elapse(time.Hour)
		if now := g.bins()["+Inf"]; now != over {
			t.Errorf("%d samples were taken when no meeting went on", now-over)
		}
		if again, _, _ := g.told(); total(again) < total(ages)*9/10 {
			t.Errorf("an hour without meetings left %d samples of %d", total(again), total(ages))
		}
		g.stop(t)
	})
}

func total(ages []freshness.Bucket) (n int) {
	for _, a := range ages {
		n += int(a.Samples)
	}
	return n
}

// TestFreshnessIsMeasuredInTime asks after 10, 35 and 15 seconds in turn. As
// many answers come after the short gaps as after the long one, which takes
// most of the time.
func TestFreshnessIsMeasuredInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("a", "ann")
		g := gauged(t, m, m, w, "0,10,45 * * * * *", "a")
		elapse(4 * time.Hour)
		_, median, far := g.told() // of the last hour
		within(t, "the median", median, 8500*time.Millisecond, 11500*time.Millisecond)
		within(t, "the 95th percentile", far, 30*time.Second, 39*time.Second)
		bins := g.bins() // of all four
		for bound, part := range map[string]float64{"5": 0.25, "10": 0.5, "15": 40.0 / 60, "30": 55.0 / 60, "45": 1} {
			if got := float64(bins[bound]) / float64(bins["+Inf"]); got < part-0.04 || got > part+0.04 {
				t.Errorf("%.3f of the samples are at most %s s old, want about %.3f", got, bound, part)
			}
		}
		g.stop(t)
	})
}

func TestFreshnessShowsAStall(t *testing.T) {
	type stalled struct {
		world  *world
		ledger *wrapped
		g      *gauge
	}
	for name, stall := range map[string]func(s stalled){
		"DingTalk does not answer": func(s stalled) { s.world.fail(errors.New("scripted: no answer")) },
		"NATS is away":             func(s stalled) { s.ledger.fail(fmt.Errorf("scripted: %w", ledger.ErrUnknown)) },
		"commits are refused while somebody comes": func(s stalled) {
			s.ledger.intercept(func(context.Context, []ledger.Message) error { return fmt.Errorf("scripted: %w", ledger.ErrBusy) })
			s.world.set("a", "ann", "bob")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m := newWorld(), ledgertest.NewMemory(names)
				w.set("a", "ann")
				l := &wrapped{Memory: m}
				g := gauged(t, l, m, w, "@every 15s", "a")
				elapse(10 * time.Minute)
				before := g.bins()
				if before["15"] != before["+Inf"] || before["+Inf"] < 60 {
					t.Fatalf("before the stall the ages are %v", before)
				}
				stall(stalled{w, l, g})
				elapse(30 * time.Minute)
				during := g.bins()
				if n := during["+Inf"] - before["+Inf"]; n < 240 || n > 480 {
					t.Errorf("%d samples were taken in half an hour without news", n)
				}
				if old := during["1800"] - during["900"]; old < 100 {
					t.Errorf("%d samples are older than a quarter of an hour", old)
				}
				g.stopNow()
			})
		})
	}
}

// stopNow ends the worker, whatever it may still hold.
func (g *gauge) stopNow() {
	g.kill()
	<-g.ended
}

// TestFreshnessOfANewWorker lets one worker take over in a stall: it knows from
// the record how old is what is known.
func TestFreshnessOfANewWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("a", "ann")
		first := gauged(t, m, m, w, "@every 15s", "a")
		elapse(time.Minute)
		w.fail(errors.New("scripted: no answer"))
		first.stop(t)
		elapse(time.Hour)
		second := gauged(t, m, m, w, "@every 15s", "a")
		elapse(5 * time.Minute)
		if bins := second.bins(); bins["+Inf"] < 30 || bins["1800"] != 0 || bins["7200"] != bins["+Inf"] {
			t.Errorf("after an hour in which nobody looked the ages are %v", bins)
		}
		w.fail(nil)
		elapse(15 * time.Second)
		stale := second.bins()
		elapse(5 * time.Minute)
		if fresh := second.bins(); fresh["15"]-stale["15"] != fresh["+Inf"]-stale["+Inf"] || fresh["15"] == stale["15"] {
			t.Errorf("answers did not make it fresh: %v after %v", fresh, stale)
		}
		if _, _, far := second.told(); far < 30*time.Minute {
			t.Errorf("minutes after the stall the 95th percentile is told as %s", far)
		}
		elapse(time.Hour)
		if _, _, far := second.told(); far > 15*time.Second {
			t.Errorf("an hour after the stall the 95th percentile is told as %s", far)
		}
		second.stop(t)
	})
}

// TestManyMeetingsAreSampled demands that a sample of many counts for all.
func TestManyMeetingsAreSampled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		var ids []string
		for i := range 2500 {
			ids = append(ids, fmt.Sprint("m", i))
			w.set(ids[i], "ann")
		}
		g := gauged(t, m, m, w, "@every 30s", ids...)
		elapse(10 * time.Minute)
		if n := g.bins()["+Inf"]; n < 90*2500 || n > 150*2500 {
			t.Errorf("%d samples were taken of 2500 meetings in 10 minutes", n)
		}
		g.stop(t)
	})
}
