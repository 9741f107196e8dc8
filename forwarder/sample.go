package forwarder

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// Sample sends one sample by each robot of a target, within its limits, and passes
// on what became of each. The error says that one could not be sent.
func Sample(ctx context.Context, ledger Ledger, t *Target, zone *time.Location, tell func(robot, robots int, out target.Outcome)) error {
	d := sender{Target: t, ledger: ledger}
	if err := d.look(ctx); err != nil {
		return err
	}
	all := d.robots
	for i := range all {
		d.robots = all[i : i+1]
		all[i].state.Until = time.Time{} // it is tried, whatever it said before
		now := time.Now()
		r, _, err := d.reserve(ctx, 0, now)
		if err != nil {
			return fmt.Errorf("send a sample to target %s: %w", d.Name, err)
		}
		if r == nil {
			return fmt.Errorf("send a sample to target %s: the limits of the service allow no message before %s", d.Name, all[i].state.next(d.Kind.Limit.Rates).Format(time.RFC3339))
		}
		m, err := d.sample(zone, now)
		if err != nil {
			return err
		}
		out := d.attempt(ctx, r, m)
		if err := d.note(ctx, r, out, time.Now()); err != nil {
			return err
		}
		tell(i+1, len(all), out)
	}
	return nil
}

// attempt makes one attempt to send.
func (d *sender) attempt(ctx context.Context, r *robot, m target.Message) target.Outcome {
	ctx, done := outlive(ctx)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return r.Send(ctx, m)
}

// lastWords is for how long a message under way is waited for when its process
// stops, and what became of it is written.
const lastWords = time.Second

// outlive returns a context that ends that much later than ctx.
func outlive(ctx context.Context) (later context.Context, done func()) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cancel) })
	return later, func() { stop(); cancel() }
}

func (d *sender) sample(zone *time.Location, now time.Time) (target.Message, error) {
	id := "sample-" + strings.ToLower(rand.Text()[:12])
	if d.takesEvents() {
		event, err := json.Marshal(map[string]any{
			"specversion": "1.0", "id": id, "source": "/rollcall/forward", "type": "rollcall.forward.sample", "time": now.UTC().Format(time.RFC3339),
			"datacontenttype": "application/json", "data": map[string]string{"text": "A sample of rollcall forward test: nothing has happened."},
		})
		return target.Message{ID: id, Event: event}, err
	}
	n := note.Samples(note.Sample)[0]
	n.ID = id
	return d.render(n, zone)
}
