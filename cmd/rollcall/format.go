package main

import (
	"fmt"
	"time"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

// How many columns a title, a source and a trouble take at most. The sources
// user:ID have room for the usual ids.
const (
	titleWidth   = 32
	sourceWidth  = 40
	troubleWidth = 100
)

// titleOf names a meeting as people know it; "-" where it has no title.
func titleOf(m control.State) string {
	if m.Record == nil || m.Record.Meeting.Title == "" {
		return "-"
	}
	return m.Record.Meeting.Title
}

// statusOf says in a word or two where a meeting stands.
func statusOf(m control.State) string {
	switch {
	case m.Record == nil:
		return "not seen"
	case !m.Tracked && m.Record.Meeting.Status != "ended":
		return "untracked"
	}
	return safetext.Field(m.Record.Meeting.Status, 16)
}

// presentOf counts the people who are there; "-" where that is not known.
func presentOf(m control.State) string {
	if m.Record == nil || statusOf(m) == "untracked" {
		return "-"
	}
	return fmt.Sprint(m.Record.Meeting.Present)
}

// standing says all of it in one line, with what is wrong.
func standing(m control.State) string {
	text := statusOf(m)
	switch {
	case m.Tracked && m.Record != nil:
		text += fmt.Sprintf(", %d present", m.Record.Meeting.Present)
	case text == "ended":
		text += ", not tracked"
	}
	if m.Trouble != "" {
		text += "; " + safetext.Field(m.Trouble, troubleWidth)
	}
	return text
}

// ago says how long ago it was, in one unit; "-" where it never was.
func ago(t wire.Time, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := max(now.Sub(t.Time), 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}

// local shows a time as the clock on the wall has it; "-" for none.
func local(t wire.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}
