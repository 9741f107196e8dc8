package ledgertest

import (
	"strings"
	"testing"
	"time"

	"rollcall/wire"
)

func memberIDs(t *testing.T, l Ledger) string {
	t.Helper()
	found, err := l.Members(context1m(t))
	if err != nil {
		t.Fatalf("members: %v", err)
	}
	var ids []string
	for _, member := range found {
		ids = append(ids, member.ID+"="+string(member.Info))
	}
	return strings.Join(ids, " ")
}

func members(t *testing.T, l Ledger, _ wire.Names) {
	ctx := context1m(t)
	beat := func(id, info string, ttl time.Duration) {
		t.Helper()
		if err := l.Heartbeat(ctx, id, []byte(info), ttl); err != nil {
			t.Fatalf("heartbeat of %s: %v", id, err)
		}
	}
	if got := memberIDs(t, l); got != "" {
		t.Fatalf("members are %q", got)
	}
	beat("w.2 *", "{}", time.Minute)
	beat("w1", "{}", 1500*time.Millisecond)
	beat("w3", "{}", time.Minute)
	beat("w3", `{"v":2}`, time.Minute)
	if got := memberIDs(t, l); got != `w.2 *={} w1={} w3={"v":2}` {
		t.Fatalf("members are %q", got)
	}
	if err := l.Leave(ctx, "w3"); err != nil {
		t.Fatal(err)
	}
	if got := memberIDs(t, l); strings.Contains(got, "w3") {
		t.Fatalf("members are %q after w3 left", got)
	}
	eventually(t, "the silent worker expires", func() bool {
		got := memberIDs(t, l)
		if got != "w.2 *={} w1={}" && got != "w.2 *={}" {
			t.Fatalf("members are %q", got)
		}
		return got == "w.2 *={}"
	})
	beat("w1", "again", time.Minute)
	if got := memberIDs(t, l); got != "w.2 *={} w1=again" {
		t.Fatalf("members are %q", got)
	}
}
