package check

import (
	"slices"

	"rollcall/wire"
)

// broker is the checks of NATS.
type broker struct {
	check   *Check
	machine *machine
	names   wire.Names
	link    *link
	probe   *probe
	missing absent // what the ledger lacks; set by its check
}

func newBroker(c *Check, m *machine) *broker {
	l := &link{check: c}
	p := &probe{check: c, link: l}
	l.violated = p.violated
	return &broker{check: c, machine: m, names: c.Config.Stream.Names(), link: l, probe: p}
}

// table is all that a worker needs of a NATS elsewhere. What runs inside a
// rollcall is looked at as a reader does, if it runs; its worker may do everything.
func (b *broker) table() table {
	steps := []step{
		{"name", "", "look up the hosts of nats.url", b.link.name},
		{"connect", "name", "connect to NATS", b.link.connect},
		{"tls", "connect", "encrypt the connection", b.link.tls},
		{"login", "tls", "log in", b.link.login},
		{"version", "login", "read the version of nats-server", b.version},
		{"jetstream", "login version", "ask JetStream for the account", b.jetstream},
		{"look", "jetstream", "look at the stream and the bucket", b.look},
		{"stream", "look", "compare the stream's settings with the configuration", b.stream},
		{"limits", "stream", "hold what is needed against the limits of the account", b.limits},
		{"create", "stream", "create what is absent", b.create},
		{"read", "jetstream", "read records", b.read},
		{"publish", "jetstream", "publish commits that are refused", b.publish},
		{"workers", "jetstream", "register a worker, refused", b.workers},
		{"budget", "jetstream", "write down what is spent, refused", b.budget},
		{"api", "jetstream", "listen for orders", b.api},
		{"erase", "jetstream", "erase an event, refused", b.erase},
		{"consumers", "look", "count the consumers of the stream", b.consumers},
		{"downstream", "jetstream", "look for streams that capture what is republished", b.downstream},
	}
	wanted := func(name string) bool { return name != "budget" || b.counts() }
	if b.check.Config.NATS.URL == "" {
		reading := []string{"connect", "tls", "login", "version", "jetstream", "look", "stream", "consumers", "downstream"}
		wanted = func(name string) bool { return b.machine.running && slices.Contains(reading, name) }
		steps[1].needs = "" // it is at an address, which has no name to look up
	}
	return table{part: "nats", steps: slices.DeleteFunc(steps, func(s step) bool { return !wanted(s.name) })}
}
