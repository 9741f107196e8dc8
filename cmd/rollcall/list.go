package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/safetext"
)

const listHelp = `List shows the meetings that are watched, one line each: title, status, people
present, when DingTalk was last asked, why it is tracked (config, api,
organization, user:ID), its id, and what is wrong with it.`

func listCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show the meetings that are watched",
		Long:    listHelp + remoteHelp,
		Example: "  rollcall list\n  rollcall list --tenant acme --json | jq '.meetings[].conferenceId'",
		Args:    cobra.NoArgs,
	}
	flags.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.askWorkers(cmd, flags, func(c *control.Client) error {
			list, err := c.List(cmd.Context())
			if err != nil {
				return err
			}
			return p.tellList(list, flags.asJSON)
		})
	}
	return cmd
}

// tellList writes the list, and fails when some of it may be missing.
func (p *program) tellList(list control.List, asJSON bool) error {
	var err error
	switch {
	case asJSON:
		err = writeJSON(p.stdout, list)
	case len(list.Meetings) == 0:
		_, err = fmt.Fprintf(p.stdout, "tenant %s watches no meeting; \"rollcall track ID\" adds one\n", list.Tenant)
	default:
		err = writeTable(p.stdout, listRows(list.Meetings, time.Now()))
	}
	if err == nil && list.Incomplete {
		err = errors.New("some workers did not answer in time: meetings may be missing; ask again")
	}
	return err
}

func listRows(meetings []control.State, now time.Time) [][]string {
	rows := [][]string{{"TITLE", "STATUS", "PRESENT", "ASKED", "SOURCE", "ID", "TROUBLE"}}
	for _, m := range meetings {
		rows = append(rows, []string{
			safetext.Field(titleOf(m), titleWidth), statusOf(m), presentOf(m), ago(m.AskedAt, now),
			safetext.Field(cmp.Or(m.Source, "-"), sourceWidth), m.ConferenceID, safetext.Field(m.Trouble, troubleWidth),
		})
	}
	return rows
}
