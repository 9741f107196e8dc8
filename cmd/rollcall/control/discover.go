package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"rollcall"
	"rollcall/wire"
)

const (
	discovery = 2 * time.Second        // the longest wait for the first worker
	quiet     = 250 * time.Millisecond // after an answer, how long others are waited for
)

// Tenants asks NATS's discovery for which tenants workers with this stream
// answer, sorted. None is no error.
func Tenants(ctx context.Context, conn *nats.Conn, names wire.Names) ([]string, error) {
	to, err := micro.ControlSubject(micro.InfoVerb, ServiceName, "")
	if err != nil {
		return nil, err
	}
	inbox := conn.NewRespInbox()
	sub, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("find tenants: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // where that fails the connection is gone
	if err := conn.PublishRequest(to, inbox, nil); err != nil {
		return nil, fmt.Errorf("find tenants: %w", err)
	}
	var tenants []string
	for wait := discovery; ; wait = quiet {
		m, err := next(ctx, sub, wait)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("find tenants: %w", context.Cause(ctx))
		}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) {
			slices.Sort(tenants)
			return slices.Compact(tenants), nil
		}
		if err != nil {
			return nil, fmt.Errorf("find tenants: %w", err)
		}
		tenants = append(tenants, tenantsOf(m.Data, names)...)
	}
}

func next(ctx context.Context, sub *nats.Subscription, wait time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// tenantsOf reads the tenants from what one worker says of itself. What is
// not ours, or of another stream, has none.
func tenantsOf(data []byte, names wire.Names) []string {
	var info micro.Info
	if json.Unmarshal(data, &info) != nil {
		return nil
	}
	var tenants []string
	for _, e := range info.Endpoints {
		if tenant := e.Metadata["tenant"]; rollcall.ValidTenant(tenant) && e.Subject == names.API(tenant, verbList) {
			tenants = append(tenants, tenant)
		}
	}
	return tenants
}
