package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"rollcall/internal/ledger"
	"rollcall/worker/freshness"
	"rollcall/worker/membership"
)

// member is a worker that says this of its tenants.
func member(t *testing.T, id string, tenants map[string]membership.TenantReport) ledger.Member {
	t.Helper()
	info, err := json.Marshal(membership.Info{Schema: membership.InfoSchema, Tenants: tenants})
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Member{ID: id, Info: info}
}

// TestWhatIsKnownOfBudgetsIsShown has tenants in every state that there is.
func TestWhatIsKnownOfBudgetsIsShown(t *testing.T) {
	now := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	ages := func(n uint64) []freshness.Bucket {
		return []freshness.Bucket{{From: 0, To: 60, Samples: n}, {From: 60, To: 120, Samples: 10 * n}}
	}
	b := books{
		accounts: map[string][]byte{
			// Of 1,204 calls that are granted one worker that is gone has spent
			// 1,000, and one that works 190; another has told of none yet.
			"acme": []byte(`{"schema":1,"limit":5000,"granted":1204,"credit":-14,"at":"2026-11-20T01:59:00.000Z","spent":{"query":900,"lookup":100},
				"leases":{"a":{"reserved":194,"spent":{"query":190},"at":"2026-11-20T01:59:00.000Z"},"b":{"reserved":10,"at":"2026-11-20T01:59:00.000Z"}}}`),
			"all-gone": []byte(`{"schema":1,"limit":7,"granted":7,"spent":{"query":7}}`),
			"freed":    []byte(`{"schema":1,"limit":5000,"granted":7,"spent":{"query":7}}`),
			"newer":    []byte(`{"schema":2}`),
		},
		members: []ledger.Member{
			member(t, "w1", map[string]membership.TenantReport{"acme": {Ages: ages(1)}, "free": {Unlimited: true}, "freed": {Unlimited: true}}),
			member(t, "w2", map[string]membership.TenantReport{"acme": {Ages: ages(9)}, "begun": {}}),
			{ID: "odd", Info: []byte("{")},
		},
		configured: map[string]int64{"planned": 300, "unbound": 0, "begun": 0},
	}
	all := b.spendings("2026-11", "", now)
	var out strings.Builder
	if err := writeTable(&out, spendingRows(all)); err != nil {
		t.Fatal(err)
	}
	table := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		"TENANT MONTH CALLS SPENT RESERVED LEFT A CALL EACH MEDIAN 95% SPENT ON",
		"acme 2026-11 5,000 1,190 14 3,796 4m19s 1m27s 1m57s lookup 100, query 1,090",
		"all-gone 2026-11 7 7 0 0 - - - query 7; used up until 2026-12-01 00:00 (UTC+8)",
		"begun 2026-11 - - - - - - - nothing yet",
		"free 2026-11 unlimited - - - - - - not counted: see rollcall_calls_total in /metrics",
		"freed 2026-11 unlimited - - - - - - not counted: see rollcall_calls_total in /metrics",
		"newer 2026-11 - - - - - - - decode the account of the month: stored by a newer version of rollcall: schema 2, this version reads 1; upgrade this worker",
		"planned 2026-11 300 0 0 300 - - - nothing yet",
		"unbound 2026-11 unlimited - - - - - - not counted: see rollcall_calls_total in /metrics",
	} {
		if got := strings.Join(strings.Fields(table[i]), " "); got != want {
			t.Errorf("line %d is\n%s, want\n%s", i, got, want)
		}
	}
	if one := b.spendings("2026-11", "free", now); len(one) != 1 || one[0].Tenant != "free" {
		t.Errorf("of one tenant it is shown: %+v", one)
	}
	past := b.spendings("2026-10", "acme", now)
	if past[0].Freshness != nil || past[0].Account.PaceSeconds != 0 {
		t.Errorf("a month that is over is shown as %+v", past[0])
	}
}

func TestTimesAreShownInSeconds(t *testing.T) {
	for seconds, want := range map[float64]string{0: "-", 0.04: "40ms", 7.46: "7.5s", 59.94: "59.9s", 87.4: "1m27s", 600: "10m", 3600: "1h"} {
		if got := inSeconds(seconds); got != want {
			t.Errorf("%g: %q, want %q", seconds, got, want)
		}
	}
}

func TestThingsAreCounted(t *testing.T) {
	for n, want := range map[int64]string{0: "0 calls", 1: "1 call", 5000: "5,000 calls"} {
		if got := counted(n, "call"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// TestPushesAreShownWhereAnyWereHeard has a column of their own, and none without.
func TestPushesAreShownWhereAnyWereHeard(t *testing.T) {
	b := books{
		pushes: map[string][]byte{
			"acme": []byte(`{"schema":1,"limit":3000,"used":1204}`), "free": []byte(`{"schema":1,"used":7}`), "newer": []byte(`{"schema":2}`),
		},
		configured: map[string]int64{"acme": 0, "free": 0, "newer": 0, "other": 0},
	}
	rows := spendingRows(b.spendings("2026-11", "", time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)))
	for i, want := range []string{"PUSHES", "1,204 of 3,000", "7", "-", "-"} {
		if got := rows[i][len(rows[i])-2]; got != want {
			t.Errorf("row %v: %q, want %q", rows[i], got, want)
		}
	}
	if !strings.Contains(rows[3][len(rows[3])-1], "schema 2") {
		t.Errorf("row %v does not say what is wrong", rows[3])
	}
}
