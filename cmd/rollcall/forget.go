package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rollcall/cmd/rollcall/control"
)

const forgetHelp = `Forget takes a person out of what Rollcall stores of a tenant, as GDPR and PIPL give
them the right to. In each meeting of which anything about them is stored

  - the record goes on under a pseudonym, without their name and id, so that the meeting
    is told on without a break, also while they are in it;
  - the event participant.forgotten is published, by which consumers do the same;
  - the events about them are erased from the stream and overwritten.

Then, with the embedded server, what NATS had deleted before is overwritten in its files.

--dry-run lists what would be touched and changes nothing. Otherwise it asks on a
terminal, and wants --yes without one: what is erased does not come back. It may be run
again whenever it was interrupted, and then does the rest. Meetings that begin later
are watched as ever: for those who never want names or ids there is privacy in the
configuration.`

const forgetExample = `  rollcall forget --tenant acme --user manager4220 --dry-run
  rollcall forget --tenant acme --user manager4220 --yes`

// forgetFlags are those of the command.
type forgetFlags struct {
	remoteFlags
	user        string
	yes, dryRun bool
}

func forgetCommand(p *program) *cobra.Command {
	var flags forgetFlags
	cmd := &cobra.Command{
		Use:     "forget --user ID",
		Short:   "Erase what is stored about a person",
		Long:    forgetHelp + remoteHelp,
		Example: forgetExample,
		Args:    cobra.NoArgs,
	}
	flags.addTo(cmd)
	cmd.Flags().StringVar(&flags.user, "user", "", "the `ID` of the person, the userId of events")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "erase without asking")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "list what would be touched, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := control.CheckUser(flags.user); err != nil {
			return usageErrorf("--user: %w", err)
		}
		if !flags.yes && !flags.dryRun && !interactive(p.stdin) {
			return usageErrorf("what is erased does not come back: give --yes, or look first with --dry-run")
		}
		return p.askWorkers(cmd, flags.remoteFlags, func(c *control.Client) error {
			f := forgetting{p: p, client: c, flags: &flags, report: forgetReport{Schema: control.Schema, Tenant: c.Tenant, DryRun: flags.dryRun, Meetings: []control.Trace{}}}
			return f.run(cmd.Context())
		})
	}
	return cmd
}

// forgetReport is what was done, or would be.
type forgetReport struct {
	Schema      int             `json:"schema"`
	Tenant      string          `json:"tenant"`
	DryRun      bool            `json:"dryRun"`
	Complete    bool            `json:"complete"`    // nothing is left that can be reached
	Meetings    []control.Trace `json:"meetings"`    // as they were before
	Events      int             `json:"events"`      // of all of them
	Overwritten *int            `json:"overwritten"` // messages deleted before, in NATS's files; null: these are out of reach
	Beyond      []string        `json:"beyond"`
}

// beyond is what is out of reach, whatever was done.
func beyond(files bool) []string {
	all := []string{
		"what services that read the events have stored: participant.forgotten tells them",
		"backups, and streams that copy this one",
		"messages in chat groups, and those that wait undelivered (rollcall forward)",
		"titles of meetings that hold the name, and people who came without a user id",
		"logs of others, and DingTalk itself",
	}
	if !files {
		all = append(all, "what NATS has deleted and not yet overwritten in its files: it reuses the room at the latest when stream.retention is over; "+
			"a replica that is made anew has none of it")
	}
	return all
}

// forgetting is one call of the command.
type forgetting struct {
	p      *program
	client *control.Client
	flags  *forgetFlags
	report forgetReport
}

func (f *forgetting) run(ctx context.Context) error {
	found, err := f.client.Traces(ctx, f.flags.user)
	if err != nil {
		return err
	}
	if f.flags.dryRun {
		f.report.add(found.Meetings...)
		return f.tell(found.More)
	}
	if !f.flags.yes && !f.confirms(fmt.Sprintf("This erases what is stored of a person in %s of tenant %s, for good.", meetingCount(found.Meetings), f.client.Tenant)) {
		return errors.New("nothing was erased")
	}
	err = f.eraseAll(ctx, found)
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted after %s: run it again to do the rest", meetingCount(f.report.Meetings))
	}
	if err != nil {
		return fmt.Errorf("%w\nforgotten so far in %s: run it again to do the rest", err, meetingCount(f.report.Meetings))
	}
	return f.tell(false)
}

// eraseAll erases what was found, and what is found then, until nothing is.
func (f *forgetting) eraseAll(ctx context.Context, found control.Forgotten) error {
	for len(found.Meetings) > 0 {
		if err := f.erase(ctx, found.Meetings); err != nil {
			return err
		}
		left, err := f.client.Traces(ctx, f.flags.user)
		if err != nil {
			return err
		}
		if len(left.Meetings) > 0 && !found.More && left.Meetings[0].ConferenceID == found.Meetings[0].ConferenceID {
			return fmt.Errorf("something of the person is still stored in %s", meetingCount(left.Meetings))
		}
		found = left
	}
	files, err := f.client.OverwriteFiles(ctx, f.flags.user)
	f.report.Overwritten, f.report.Complete = files.Overwritten, err == nil
	return err
}

func (f *forgetting) erase(ctx context.Context, meetings []control.Trace) error {
	said := time.Now()
	for i, m := range meetings {
		done, err := f.client.Forget(ctx, f.flags.user, m.ConferenceID)
		if err != nil {
			return err
		}
		if f.report.add(done.Meetings...); time.Since(said) > 2*time.Second && isTerminal(f.p.stderr) {
			said = time.Now()
			_, _ = fmt.Fprintf(f.p.stderr, "%d of %s done\n", i+1, meetingCount(meetings))
		}
	}
	return nil
}

func meetingCount(meetings []control.Trace) string { return counted(int64(len(meetings)), "meeting") }

func (r *forgetReport) add(done ...control.Trace) {
	for _, m := range done {
		r.Meetings = append(r.Meetings, m)
		r.Events += m.Events
	}
}

func (f *forgetting) tell(more bool) error {
	r := &f.report
	r.Beyond = beyond(r.Overwritten != nil || r.DryRun)
	if f.flags.asJSON {
		return writeJSON(f.p.stdout, r)
	}
	var b strings.Builder
	if len(r.Meetings) > 0 {
		rows := [][]string{{"MEETING", "EVENTS", "RECORD"}}
		for _, m := range r.Meetings {
			rows = append(rows, []string{m.ConferenceID, fmt.Sprint(m.Events), map[bool]string{true: "shows the person", false: "-"}[m.Recorded]})
		}
		if err := writeTable(&b, rows); err != nil {
			return err
		}
	}
	b.WriteString(r.summary(more))
	_, err := io.WriteString(f.p.stdout, b.String())
	return err
}

func (r *forgetReport) summary(more bool) string {
	events, meetings := counted(int64(r.Events), "event"), meetingCount(r.Meetings)
	switch {
	case len(r.Meetings) == 0 && r.DryRun:
		return fmt.Sprintf("tenant %s stores nothing of this person\n", r.Tenant)
	case r.DryRun && more:
		return fmt.Sprintf("%s in the first %s of tenant %s; nothing was changed\n", events, meetings, r.Tenant)
	case r.DryRun:
		return fmt.Sprintf("%s in %s of tenant %s; nothing was changed\n", events, meetings, r.Tenant)
	}
	text := fmt.Sprintf("forgotten in %s of tenant %s: %s erased\n", meetings, r.Tenant, events)
	if r.Overwritten != nil {
		text += fmt.Sprintf("overwritten in NATS's files: %s deleted before\n", counted(int64(*r.Overwritten), "message"))
	}
	return text + "not reached:\n  " + strings.Join(r.Beyond, "\n  ") + "\n"
}

// interactive reports whether somebody can be asked.
func interactive(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// confirms asks whether to go on.
func (f *forgetting) confirms(what string) bool {
	_, _ = fmt.Fprintf(f.p.stderr, "%s\nType yes to go on: ", what)
	line, _ := bufio.NewReader(f.p.stdin).ReadString('\n')
	return strings.TrimSpace(line) == "yes"
}
