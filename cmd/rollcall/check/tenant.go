package check

import (
	"net/url"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller/dingtalk"
)

// tenant is the checks of one organization of DingTalk.
type tenant struct {
	check  *Check
	cfg    config.Tenant
	url    *url.URL         // the endpoint
	client *dingtalk.Client // nil before the token's check
}

func newTenant(c *Check, cfg config.Tenant) *tenant {
	parsed, err := url.Parse(cfg.Endpoint)
	if err != nil { // what the configuration's own check refuses
		parsed = &url.URL{}
	}
	return &tenant{check: c, cfg: cfg, url: parsed}
}

func (t *tenant) table() table {
	steps := []step{
		{"secret", "", "read the credentials", t.secret},
		{"name", "", "look up " + t.url.Hostname(), t.name},
		{"connect", "name", "connect to " + t.endpoint(), t.connect},
		{"token", "secret connect", "ask " + t.url.Host + " for a token", t.token},
		{"permission", "token", "ask about one meeting", t.permission},
	}
	steps = append(steps, t.lists()...)
	if t.cfg.Push.Enabled {
		steps = append(steps, step{"push", "token", "open the gateway of pushes", t.push})
	}
	steps = append(steps, step{"budget", "", "count the calls of a month", t.budget})
	return table{part: "dingtalk", tenant: t.cfg.Name, steps: steps}
}

// endpoint is where DingTalk is: scheme and host, which hold no secret.
func (t *tenant) endpoint() string { return t.url.Scheme + "://" + t.url.Host }

func (t *tenant) close() {
	if t.client != nil {
		t.client.Close()
	}
}
