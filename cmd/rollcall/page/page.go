// Package page makes the live page of a configuration: for a worker, which shows
// it beside its health, and for whoever only reads.
package page

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/forward"
	"rollcall/console/live"
	"rollcall/consume"
	"rollcall/internal/ledger"
	"rollcall/internal/natsconn"
	"rollcall/internal/secret"
	"rollcall/poller/budget"
	"rollcall/store"
	"rollcall/worker/membership"
)

// New makes the page that shows what can be read by the connection. Always: it
// reads all the time, and not only while somebody looks.
func New(cfg config.Config, conn *nats.Conn, always bool, log *zap.Logger) (*live.Page, error) {
	js, err := natsconn.JetStream(conn, cfg.NATS.Domain, cfg.NATS.JSPrefix)
	if err != nil {
		return nil, err
	}
	proxies, err := cfg.HTTP.Page.Networks()
	if err != nil {
		return nil, fmt.Errorf("http.page.%w", err)
	}
	names := cfg.Stream.Names()
	ledger := store.Attach(js, names)
	c := live.Config{
		Conn: conn, JetStream: js, Names: consume.Names{Stream: names.Stream, Prefix: names.Prefix}, Proxies: proxies, Hosts: cfg.HTTP.Hosts,
		HideNames: cfg.HTTP.Page.Names == "hide", Always: always, Logger: log,
		Books: func(ctx context.Context) ([]live.Book, error) { return books(ctx, ledger, time.Now()) },
	}
	if len(cfg.Forward.Targets) > 0 {
		c.Targets = func(ctx context.Context) ([]live.Target, error) { return targets(ctx, cfg, conn) }
	}
	if file := cfg.HTTP.Page.TokenFile; file != "" {
		c.Token = func() (secret.String, error) { return secret.ReadFile(file) }
		if _, err := c.Token(); err != nil {
			return nil, fmt.Errorf("http.page.token_file: %w", err)
		}
	}
	return live.New(c)
}

// targets are how those are doing whom the forwarder tells.
func targets(ctx context.Context, cfg config.Config, conn *nats.Conn) ([]live.Target, error) {
	f := forward.Forwarding{Config: cfg, Conn: conn, Log: zap.NewNop()}
	if err := f.Prepare(); err != nil {
		return nil, err
	}
	all, err := f.Status(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]live.Target, len(all))
	for i, s := range all {
		t := live.Target{Name: s.Target, Kind: s.Kind, Sent: s.Sent, Monthly: s.Monthly, Trouble: s.Trouble, Reason: s.Reason, Since: millis(s.Since)}
		for _, r := range s.Routes {
			t.Waiting += r.Waiting
			t.LastSent = max(t.LastSent, millis(r.LastSent))
			if oldest := millis(r.Oldest); oldest > 0 && (t.Oldest == 0 || oldest < t.Oldest) {
				t.Oldest = oldest
			}
		}
		shown[i] = t
	}
	return shown, nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// books are how the tenants' months stand, and who works for them.
func books(ctx context.Context, from *store.JetStream, now time.Time) ([]live.Book, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	members, err := from.Members(ctx)
	if err != nil {
		return nil, err
	}
	month := budget.MonthOf(now)
	accounts, err := from.Budgets(ctx, string(month))
	if err != nil {
		return nil, err
	}
	all := worked(members)
	for tenant, stored := range accounts {
		// What the hours say is only about the pace, which the status tells.
		read, err := budget.ReadStatement(month, stored, nil, now)
		if err != nil {
			continue // "rollcall budget" says so
		}
		b := of(all, tenant)
		b.Limit, b.Spent, b.Reserved, b.Left = read.Limit, read.Total(), read.Reserved, read.Left
	}
	var list []live.Book
	for _, tenant := range slices.Sorted(maps.Keys(all)) {
		b := all[tenant]
		b.From, b.Until = month.Start().UnixMilli(), month.End().UnixMilli()
		list = append(list, *b)
	}
	return list, nil
}

// worked are the tenants by what their workers say.
func worked(members []ledger.Member) map[string]*live.Book {
	all := map[string]*live.Book{}
	for _, m := range members {
		info, err := membership.ParseInfo(m.Info)
		if err != nil {
			continue // "rollcall workers" says so
		}
		shards := map[string][]int{}
		for _, held := range info.Shards {
			shards[held.Tenant] = append(shards[held.Tenant], held.Shard)
			b := of(all, held.Tenant)
			b.Shards = max(b.Shards, held.Of)
			b.Unlimited = b.Unlimited || info.Tenants[held.Tenant].Unlimited
		}
		for tenant, held := range shards {
			slices.Sort(held)
			b := of(all, tenant)
			b.Workers = append(b.Workers, live.Worker{ID: m.ID, Shards: held})
		}
	}
	return all
}

func of(all map[string]*live.Book, tenant string) *live.Book {
	b := all[tenant]
	if b == nil {
		b = &live.Book{Tenant: tenant, Workers: []live.Worker{}}
		all[tenant] = b
	}
	return b
}
