package explain

import (
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/printer"
	"rollcall/wire"
	"rollcall/worker/membership"
)

// soon is how long it may take to ask and to store without a word about it.
const soon = 2 * time.Second

// known says how late it was known, and why.
func (f *Facts) known(at *time.Location) Known {
	w := f.window()
	earliest, latest := w.After, w.Before
	if f.Event != nil && f.Event.Exact {
		earliest, latest = f.Event.Time, f.Event.Time
	}
	waited := max(0, f.StoredAt.Sub(w.Before))
	if f.clipped() {
		waited = 0 // when the answer came is not recorded
	}
	k := Known{StoredAt: wire.Time{Time: f.StoredAt}, Waited: waited.Milliseconds(), Causes: f.causes(waited, at)}
	least := max(0, f.StoredAt.Sub(latest))
	k.Least = least.Milliseconds()
	late := "at least " + printer.Lasting(least)
	if !earliest.IsZero() {
		most := max(least, f.StoredAt.Sub(earliest))
		ms := most.Milliseconds()
		k.Most, late = &ms, "between "+printer.Lasting(least)+" and "+printer.Lasting(most)
		if most == least {
			late = printer.Lasting(most)
		}
	}
	var why []string
	for _, c := range k.Causes {
		why = append(why, c.Text)
	}
	k.Text = fmt.Sprintf("at %s, %s after it happened: %s", clock(f.StoredAt, at), late, strings.Join(why, "; "))
	return k
}

// causes say why it was not known sooner.
func (f *Facts) causes(waited time.Duration, at *time.Location) (all []Cause) {
	switch {
	case f.Watch != nil:
		all = []Cause{{Cause: CauseBlind, Reason: string(f.Watch.Reason), Text: printer.WhyBlind(f.Watch.Reason)}}
	case f.ordered():
		all = []Cause{{Cause: CauseOperator, Text: "an operator asked for it"}}
	case f.Event.Type == rollcall.MeetingSummarized, f.Event.Type == rollcall.ParticipantRoleChanged:
		all = []Cause{{Cause: CauseMembers, Text: "DingTalk's list of members is not read at each poll"}}
	default:
		all = f.looking(at)
	}
	if waited >= soon {
		all = append(all, Cause{Cause: CauseStorage, Text: "the answer waited " + printer.Lasting(waited) + " to be stored; why is not recorded"})
	}
	return all
}

// looking says why nobody looked sooner.
func (f *Facts) looking(at *time.Location) []Cause {
	w := f.window()
	if w.After.IsZero() {
		text := "it was found so at the first look"
		if !f.Event.Exact {
			text += ", and may have been so before"
		}
		return []Cause{{Cause: CauseFirstLook, Text: text}}
	}
	var all []Cause
	for _, b := range f.blind() {
		from, to := b.Window.After, "on, until when is not recorded"
		one := Cause{Cause: CauseBlind, Reason: string(b.Reason), From: wire.Time{Time: from}}
		if b.Type == rollcall.WatchResumed {
			one.To.Time, to = b.Window.Before, "to "+clock(b.Window.Before, at)
		}
		one.Text = fmt.Sprintf("nobody looked from %s %s (%s)", clock(from, at), to, printer.WhyBlind(b.Reason))
		all = append(all, one)
	}
	switch gap := w.Before.Sub(w.After); {
	case len(all) > 0:
	case f.Pace > 0 && gap <= 2*f.Pace+soon:
		all = []Cause{{Cause: CauseSchedule, Text: "the schedule: a pass every " + printer.Lasting(f.Pace) + " (as of now)"}}
	case f.Budgeted:
		all = []Cause{{Cause: CauseBudget, Text: "the polls are " + printer.Lasting(gap) + " apart; the tenant keeps to a budget of calls, and what else delayed them is not recorded"}}
	default:
		all = []Cause{{Cause: CauseUnrecorded, Text: "the polls are " + printer.Lasting(gap) + " apart; why is not recorded"}}
	}
	return all
}

// blind are the times without looks that reach into the event's window, of its shard:
// those that are over, and one that is not.
func (f *Facts) blind() (all []rollcall.WatchEvent) {
	w := f.window()
	var lost *rollcall.WatchEvent
	for i := range f.Blind {
		b := &f.Blind[i]
		if membership.ShardOf(f.Event.ConferenceID, b.Shards) != b.Shard {
			continue
		}
		if b.Type == rollcall.WatchLost {
			lost = b
			continue
		}
		lost = nil
		if b.Window.After.Before(w.Before) && b.Window.Before.After(w.After) {
			all = append(all, *b)
		}
	}
	if lost != nil && lost.Window.After.Before(w.Before) {
		all = append(all, *lost)
	}
	return all
}
