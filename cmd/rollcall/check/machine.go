package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"rollcall/internal/address"
)

// embeddedName is what the server inside a rollcall calls itself.
const embeddedName = "rollcall-embedded"

// machine is the checks of what a worker takes of this machine.
type machine struct {
	check   *Check
	running bool // a rollcall serves NATS at the address of the embedded one
}

func (m *machine) table() table {
	steps := []step{
		{"http", "", "listen for health and metrics", m.http},
	}
	if m.check.Config.NATS.URL == "" {
		steps = append(steps, step{"embedded", "", "listen for the embedded NATS", m.embedded})
	}
	// data_dir comes last: who has it depends on who is found to run.
	return table{part: "local", steps: append(steps, step{"data_dir", "", "write in data_dir", m.dataDir})}
}

// first is what comes before everything else.
func (m *machine) first() table {
	steps := []step{{"config", "", "read the configuration", m.config}}
	if len(m.check.Config.Remarks()) > 0 {
		steps = append(steps, step{"settings", "", "look at the settings and their files", m.settings})
	}
	return table{part: "local", steps: steps}
}

// settings says what works and may not be what was meant.
func (m *machine) settings(context.Context) Result {
	var all []Result
	for _, r := range m.check.Config.Remarks() {
		all = append(all, warn(r.Key, r.Found, r.Key+": "+r.Fix))
	}
	return together(Warn, all)
}

// config comes to be only when the configuration holds no mistake.
func (m *machine) config(context.Context) Result {
	const tried = "read the configuration"
	switch n := len(m.check.Config.Tenants); n {
	case 0:
		if n := len(m.check.Config.Forward.Targets); n > 0 {
			return ok(tried, "no mistakes; nobody is asked, and %d targets are told: it is for \"rollcall forward\"", n)
		}
		return warn(tried, "no mistakes, but no tenant either: nothing will be asked", "name an organization of DingTalk below tenants")
	case 1:
		return ok(tried, "no mistakes; 1 tenant")
	default:
		return ok(tried, "no mistakes; %d tenants", n)
	}
}

// takeable reports whether an address can be listened on; taken is an error
// that means that something else does.
func takeable(ctx context.Context, listen string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	return listener.Close()
}

func taken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// embedded finds out who has the address of the embedded NATS.
func (m *machine) embedded(ctx context.Context) Result {
	listen := m.check.Config.NATS.Embedded.Listen
	tried := "listen on " + listen + " for the embedded NATS"
	err := takeable(ctx, listen)
	if err == nil {
		return ok(tried, "it is free; no rollcall runs there")
	}
	if !taken(err) {
		return fail(tried, err.Error(), "set nats.embedded.listen to an address of this machine")
	}
	const fix = "stop it, or set nats.embedded.listen to another port; to use that NATS, set nats.url"
	info, err := greet(ctx, address.Dialable(listen))
	switch {
	case err != nil:
		return fail(tried, "it is taken by something that is no NATS", fix)
	case info.Name != embeddedName:
		return fail(tried, fmt.Sprintf("it is taken by another NATS server, %s of version %s", info.Name, info.Version), fix)
	}
	m.running = true
	return ok(tried, "it is taken by a running rollcall, whose NATS is of version %s", info.Version)
}

// http finds out who has the address of the console.
func (m *machine) http(ctx context.Context) Result {
	listen := m.check.Config.HTTP.Listen
	tried := "listen on " + listen + " for health and metrics"
	err := takeable(ctx, listen)
	if err == nil {
		return ok(tried, "it is free")
	}
	if !taken(err) {
		return fail(tried, err.Error(), "set http.listen to an address of this machine")
	}
	health, err := askHealth(ctx, address.Dialable(listen))
	switch {
	case err != nil:
		return fail(tried, "it is taken by something that is no rollcall", "stop it, or set http.listen to another port")
	case !health.Ready:
		return warn(tried, "it is taken by a running rollcall, which is not ready: "+strings.Join(health.Reasons, "; "), "see its log")
	}
	return ok(tried, "it is taken by a running rollcall, which is ready")
}
