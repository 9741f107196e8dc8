package forward

import (
	"context"
	"time"

	"rollcall/forwarder"
	"rollcall/forwarder/target"
)

// Test sends one sample by each robot of a target.
func (f *Forwarding) Test(ctx context.Context, name string, tell func(robot, robots int, out target.Outcome)) error {
	t, err := f.target(name)
	if err == nil {
		err = f.attach()
	}
	if err != nil {
		return err
	}
	if err := f.tryOpen(ctx); err != nil {
		return err
	}
	return forwarder.Sample(ctx, f.settings.Ledger, t, f.zone(name), tell)
}

// zone is that of the target's first route.
func (f *Forwarding) zone(name string) *time.Location {
	for _, r := range f.settings.Routes {
		for _, to := range r.Targets {
			if to == name {
				return r.Zone
			}
		}
	}
	return time.UTC
}

// Status reads how the targets are doing.
func (f *Forwarding) Status(ctx context.Context) ([]forwarder.TargetStatus, error) {
	if err := f.attach(); err != nil {
		return nil, err
	}
	return forwarder.ReadStatus(ctx, f.settings.Ledger, f.settings.Routes, f.settings.Targets)
}

// Resend tells a target again what has happened since then.
func (f *Forwarding) Resend(ctx context.Context, name string, since time.Time, tell func(title string, out target.Outcome)) error {
	_, err := f.target(name)
	if err == nil {
		err = f.attach()
	}
	if err == nil {
		err = f.tryOpen(ctx)
	}
	if err != nil {
		return err
	}
	return forwarder.Resend(ctx, f.settings, name, since, tell)
}

// Preview passes on what would have been told since then.
func (f *Forwarding) Preview(ctx context.Context, since time.Time, each func(forwarder.Previewed) error) error {
	if err := f.attach(); err != nil {
		return err
	}
	return forwarder.Preview(ctx, f.settings, since, each)
}
