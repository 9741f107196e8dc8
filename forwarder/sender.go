package forwarder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

// Target is whom to tell.
type Target struct {
	Name string
	Kind target.Kind
	// Open returns the robots of the target, which are taken in turn. It is called
	// before every message: a secret that has changed counts at once.
	Open func() ([]Robot, error)
	// Writer writes notes with the times of a zone.
	Writer  func(*time.Location) (*note.Writer, error)
	Mention []string
	// Monthly is how many messages may be sent in a calendar month (UTC+8), by all
	// processes together; [Unlimited]: any number.
	Monthly int
	// OnFailure names the target that is told when this one cannot be.
	OnFailure string
}

// Try writes samples of every kind of message; the error says that a template of
// one's own cannot.
func (t *Target) Try() error {
	if t.Kind.Markup == nil {
		return nil
	}
	d := sender{Target: t}
	for _, kind := range note.Kinds() {
		for _, n := range note.Samples(kind) {
			if _, err := d.render(n, time.UTC); err != nil {
				return err
			}
		}
	}
	return nil
}

// Robot is one address of a target.
type Robot struct {
	Key string // [target.Address.Key]
	// Version changes with what it signs with, and can be shown; "": nobody knows.
	Version string
	target.Target
}

// errMonth says that the messages of the month are used up.
var errMonth = errors.New("the messages of the month are used up (monthly_messages)")

// sender sends to one target, within its limits.
type sender struct {
	*Target
	ledger Ledger
	robots []robot // as last read
	sent   int     // messages of the month, as last read
}

// robot is an address, and what all processes know of it.
type robot struct {
	Robot
	state robotState
}

func (d *sender) key() string { return "target." + d.Name }

func robotKey(r *Robot) string { return "robot." + r.Key }

// look reads how the robots are doing.
func (d *sender) look(ctx context.Context) error {
	opened, err := d.Open()
	if err != nil {
		return fmt.Errorf("open target %s: %w", d.Name, err)
	}
	d.robots = make([]robot, len(opened))
	for i := range opened {
		d.robots[i].Robot = opened[i]
		data, _, err := d.ledger.Read(ctx, robotKey(&opened[i]))
		if err == nil && data != nil {
			err = json.Unmarshal(data, &d.robots[i].state)
		}
		if err != nil {
			return fmt.Errorf("read the state of a robot of target %s: %w", d.Name, err)
		}
		d.robots[i].state.trust(opened[i].Version)
	}
	return nil
}

// free returns how many messages may be sent at once, and otherwise when the next.
func (d *sender) free(now time.Time) (free int, next time.Time) {
	states := make([]robotState, len(d.robots))
	for i := range d.robots {
		states[i] = d.robots[i].state
	}
	return freeOf(states, d.Kind.Limit.Rates, now)
}

// silent returns until when no robot may send, though the rates allow it.
func (d *sender) silent() (until time.Time, worst *robotState) {
	for i := range d.robots {
		if s := &d.robots[i].state; worst == nil || s.Until.Before(worst.Until) {
			worst = s
		}
	}
	if worst == nil {
		return time.Time{}, &robotState{}
	}
	return worst.Until, worst
}

// reserve takes a robot that may send a message now, the next in turn, and counts
// the message; nil: none may. last: it is the last message of the month. The error
// of a month that is used up is errMonth.
func (d *sender) reserve(ctx context.Context, turn int, now time.Time) (chosen *robot, last bool, err error) {
	for i := range d.robots {
		r := &d.robots[(turn+i)%len(d.robots)]
		if took, err := d.take(ctx, r, now); err != nil {
			return nil, false, err
		} else if took {
			last, err := d.spend(ctx, now)
			return r, last, err
		}
	}
	return nil, false, nil
}

func (d *sender) take(ctx context.Context, r *robot, now time.Time) (took bool, err error) {
	r.state, err = change(ctx, d.ledger, robotKey(&r.Robot), func(s *robotState) bool {
		s.trust(r.Version)
		if took = s.free(d.Kind.Limit.Rates, now) > 0; took {
			s.take(d.Kind.Limit.Rates, now)
		}
		return took && len(d.Kind.Limit.Rates) > 0
	})
	return took, err
}

// spend counts a message of the month.
func (d *sender) spend(ctx context.Context, now time.Time) (last bool, err error) {
	if d.Monthly == Unlimited {
		return false, nil
	}
	paid := false
	state, err := change(ctx, d.ledger, d.key(), func(s *targetState) bool {
		paid = s.spend(d.Monthly, now)
		return paid
	})
	if err == nil && !paid {
		err = errMonth
	}
	d.sent = state.Sent
	return state.Sent == d.Monthly, err
}

// refund gives back what was counted for a message that surely has not arrived.
func (d *sender) refund(ctx context.Context, now time.Time) error {
	if d.Monthly == Unlimited {
		return nil
	}
	_, err := change(ctx, d.ledger, d.key(), func(s *targetState) bool {
		if s.spent(now) == 0 {
			return false
		}
		s.Sent--
		return true
	})
	return err
}

// note notes what became of a message for the robot that has sent it.
func (d *sender) note(ctx context.Context, r *robot, out target.Outcome, now time.Time) error {
	if out.Class == target.Delivered && r.state.Class == "" && out.Requests <= 1 || out.Class == target.ClientError {
		return nil
	}
	state, err := change(ctx, d.ledger, robotKey(&r.Robot), func(s *robotState) bool {
		for range out.Requests - 1 {
			s.take(d.Kind.Limit.Rates, now)
		}
		s.outcome(out, d.Kind.Limit.Silence, now)
		s.Version = r.Version
		return true
	})
	r.state = state
	return err
}

// render writes a note for the target. With the error, of templates of one's own,
// comes the message as the default ones have it.
func (d *sender) render(n note.Note, zone *time.Location) (target.Message, error) {
	writer, err := d.Writer(zone)
	if err != nil {
		return target.Message{}, err
	}
	digest := n.Kind == note.Digest || n.Kind == note.CatchUp
	title, body, err := writer.Write(n, d.Kind.Markup(digest))
	_, plain, _ := writer.Write(n, note.Plain{})
	if err != nil {
		err = fmt.Errorf("write a message for target %s: %w", d.Name, err)
	}
	return target.Message{ID: n.ID, Title: title, Body: body, Plain: plain, Digest: digest, Mention: d.Mention}, err
}

// send sends a note that is of no lane, if that may be now.
func (d *sender) send(ctx context.Context, n note.Note, zone *time.Location) (sent bool, err error) {
	if err := d.look(ctx); err != nil {
		return false, err
	}
	now := time.Now()
	r, last, err := d.reserve(ctx, int(now.Unix()), now)
	if err != nil || r == nil {
		return false, err
	}
	n.LastOfMonth = last
	m, _ := d.render(n, zone) // what a lane sends shows a mistake in a template
	out := d.attempt(ctx, r, m)
	ctx, done := outlive(ctx)
	defer done()
	return out.Class == target.Delivered, d.note(ctx, r, out, time.Now())
}
