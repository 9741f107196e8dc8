package check

import (
	"context"
	"fmt"
	"slices"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/forward"
)

// forwarded are the checks of whom the forwarder tells, one for each target. No
// message is sent.
func (c *Check) forwarded() table {
	t := table{part: "forward"}
	for _, cfg := range c.Config.Forward.Targets {
		try := func(context.Context) Result { return c.target(cfg) }
		t.steps = append(t.steps, step{cfg.Name, "", "read the secrets and try the templates of target " + cfg.Name, try})
	}
	return t
}

// target reads a target's secrets, and writes samples of every kind of message.
func (c *Check) target(cfg config.ForwardTarget) Result {
	tried := "read the secrets and try the templates of target " + cfg.Name + " (" + cfg.Kind + ")"
	made, err := forward.Targets(config.Forward{Targets: []config.ForwardTarget{cfg}}, nil)
	if err != nil {
		return fail(tried, err.Error(), "correct the templates; docs/forwarding.md says what there is in them")
	}
	robots, err := made[0].Open()
	if err != nil {
		return fail(tried, err.Error(), "correct the file that url_file, urls or secret_file names")
	}
	if err := made[0].Try(); err != nil {
		return fail(tried, err.Error(), "correct the templates; docs/forwarding.md says what there is in them")
	}
	routed := slices.ContainsFunc(c.Config.Forward.Routes, func(r config.ForwardRoute) bool { return slices.Contains(r.Targets, cfg.Name) })
	helps := slices.ContainsFunc(c.Config.Forward.Targets, func(t config.ForwardTarget) bool { return t.OnFailure == cfg.Name })
	if !routed && !helps {
		return warn(tried, "nobody tells it anything", fmt.Sprintf("name it in the targets of a route: {targets: [%s]}", cfg.Name))
	}
	return ok(tried, "fine, %d robots; \"rollcall forward test %s\" sends a sample", len(robots), cfg.Name)
}
