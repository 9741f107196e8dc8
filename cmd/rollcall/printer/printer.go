// Package printer shows events to people: one line an event, in columns, safe
// on a terminal whatever names strangers gave themselves.
package printer

import (
	"fmt"
	"io"
	"time"

	"rollcall"
	"rollcall/internal/safetext"
)

// The widths of the columns, in columns of a terminal.
const (
	titleWidth = 24
	whoWidth   = 16
	whatWidth  = 100
)

// Printer writes events to Out. It is not safe for concurrent use.
type Printer struct {
	Out      io.Writer
	Color    bool           // colour what happened by escape sequences
	Location *time.Location // of the times; nil: this machine's
}

// Print writes one line: time, meeting, who, what.
func (p Printer) Print(e rollcall.Event) error {
	_, err := fmt.Fprintf(p.Out, "%s  %s  %s  %s\n",
		p.time(e.Time), safetext.Pad(title(e), titleWidth), safetext.Pad(who(e), whoWidth), p.paint(e))
	return err
}

// Sentence says who did what, in words that are safe to show: Ada joined again (visit 2).
func (p Printer) Sentence(e rollcall.Event) string {
	text := safetext.Field(p.what(e), whatWidth)
	if e.Participant == nil {
		return text
	}
	return safetext.Field(who(e), 2*whoWidth) + " " + text
}

// PrintWatch writes one line: time, tenant, and whether somebody looks at its meetings.
func (p Printer) PrintWatch(e rollcall.WatchEvent) error {
	text := p.watch(e)
	if p.Color {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	_, err := fmt.Fprintf(p.Out, "%s  %s  %s  %s\n", p.time(e.Window.Before), safetext.Pad(e.Tenant, titleWidth), safetext.Pad("-", whoWidth), text)
	return err
}

func (p Printer) time(t time.Time) string {
	location := p.Location
	if location == nil {
		location = time.Local
	}
	return t.In(location).Format("01-02 15:04:05")
}

// title names the meeting, by its id where it has no title.
func title(e rollcall.Event) string {
	if e.Meeting.Title == "" {
		return e.ConferenceID
	}
	return e.Meeting.Title
}

// who names the person, by the key where names are not kept.
func who(e rollcall.Event) string {
	switch {
	case e.Participant == nil:
		return "-"
	case e.Participant.Nick == "":
		return e.Participant.Key
	}
	return e.Participant.Nick
}

// paint returns what happened, in the colour of its kind.
func (p Printer) paint(e rollcall.Event) string {
	text := safetext.Field(p.what(e), whatWidth)
	if !p.Color {
		return text
	}
	return "\x1b[" + colour(e.Type) + "m" + text + "\x1b[0m"
}

// colour is green for who comes, red for who goes, bold for the meeting.
func colour(t rollcall.Type) string {
	switch t {
	case rollcall.ParticipantJoined:
		return "32"
	case rollcall.ParticipantLeft, rollcall.ParticipantKickedOut:
		return "31"
	}
	if t.Entity() == "meeting" {
		return "1"
	}
	return "36"
}
