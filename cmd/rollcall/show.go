package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

const showHelp = `Show prints what is known of one meeting and of the people who are invited, being
called or present. A meeting that is over is shown for as long as its record is
kept (stream.retention).`

func showCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one meeting and its people",
		Long:    showHelp + remoteHelp,
		Example: "  rollcall show 6f1a2b\n  rollcall show --json 6f1a2b | jq '.record.roster[].nick'",
		Args:    oneMeeting,
	}
	flags.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		return p.askWorkers(cmd, flags, func(c *control.Client) error {
			m, err := c.Show(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			if flags.asJSON {
				return writeJSON(p.stdout, m)
			}
			return showMeeting(p.stdout, m, time.Now())
		})
	}
	return cmd
}

// showMeeting writes a meeting, and below it its people.
func showMeeting(out io.Writer, m control.Meeting, now time.Time) error {
	rows := [][]string{
		{"title", safetext.Field(titleOf(m.State), 200)},
		{"id", m.ConferenceID},
		{"tenant", m.Tenant},
		{"status", standing(control.State{Tracked: m.Tracked, Record: m.Record})},
		{"tracked", trackedSince(m.State)},
		{"asked", ago(m.AskedAt, now)},
	}
	if len(m.Labels) > 0 {
		rows = append(rows, []string{"labels", safetext.Field(labelText(m.Labels), 200)})
	}
	if m.Record != nil {
		rows = append(rows, []string{"start", local(m.Record.Meeting.StartTime)})
		if media := mediaOf(m.Record.Meeting.Media); media != "" {
			rows = append(rows, []string{"media", media})
		}
	}
	if m.Trouble != "" {
		rows = append(rows, []string{"trouble", safetext.Field(m.Trouble, 4*troubleWidth)})
	}
	if err := writeTable(out, rows); err != nil || m.Record == nil || len(m.Record.Roster) == 0 {
		return err
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return err
	}
	return writeTable(out, peopleRows(m.Record.Roster))
}

// labelText is labels as they are written on the command line.
func labelText(labels rollcall.Labels) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		words = append(words, key+"="+labels[key])
	}
	return strings.Join(words, " ")
}

func trackedSince(m control.State) string {
	if !m.Tracked {
		return "no"
	}
	return fmt.Sprintf("since %s (%s)", local(m.Since), safetext.Field(m.Source, 4*sourceWidth))
}

// mediaOf says what is set for the meeting as a whole; "" when nothing is.
func mediaOf(m wire.Media) string {
	text := ""
	for _, bit := range []struct {
		set  bool
		name string
	}{{m.MuteAll, "everybody is muted"}, {m.MicMuted, "its microphone is muted"}, {m.CameraClosed, "its camera is closed"}} {
		if bit.set && text != "" {
			text += ", "
		}
		if bit.set {
			text += bit.name
		}
	}
	return text
}

func rolesText(p wire.Person) string { return cmp.Or(p.Facts().String(), "-") }

func peopleRows(people []wire.Person) [][]string {
	rows := [][]string{{"NAME", "ATTENDANCE", "MIC", "CAMERA", "VISIT", "ROLES", "KEY"}}
	for _, p := range people {
		rows = append(rows, []string{
			safetext.Field(cmp.Or(p.Nick, "-"), titleWidth), p.Attendance, p.Mic, p.Camera, fmt.Sprint(p.Session), rolesText(p), p.Key,
		})
	}
	return rows
}
