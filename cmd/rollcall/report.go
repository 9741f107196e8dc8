package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/attendance"
	"rollcall/cmd/rollcall/printer"
	"rollcall/consume"
	"rollcall/internal/safetext"
)

const reportHelp = `Report tells the attendance of a meeting, going on or over, from its events: who
was there, from when to when, for how long, and for how long with the microphone
and the camera open.

Rollcall looks every now and then, so that a time is one between two looks
(14:05:03–14:05:18) and a duration has a least and a most (44m30s–45m16s). "by
14:05:03" is somebody who was there at the first look. What opens and closes again
between two looks, or before the first, nobody sees. MIC and CAMERA are of all
visits of a person, and stand in the first one. After the end meeting.summarized
tells DingTalk's own times; once it is there, these are told.

A meeting has another epoch each time that it is tracked anew; the newest is told
unless --epoch names another, or all of them as one meeting. --csv is for
spreadsheets: UTF-8 that they recognise, a row a visit, durations in seconds, and
no cell that is a formula. Times are those of this machine's zone (TZ=UTC for
another), in --json of UTC. Without --tenant any tenant's meeting is found.`

// reportFlags are which attendance is told, and how.
type reportFlags struct {
	remoteFlags
	csv   bool
	epoch string
}

func reportCommand(p *program) *cobra.Command {
	var wanted reportFlags
	cmd := &cobra.Command{
		Use:   "report ID",
		Short: "Tell who was in a meeting, when, and for how long",
		Long:  reportHelp,
		Example: `  rollcall report 6f1a2b
  rollcall report 6f1a2b --csv > attendance.csv
  rollcall report 6f1a2b --epoch all --json | jq '.participants[].stayMs'`,
		Args: oneMeeting,
		RunE: func(cmd *cobra.Command, ids []string) error { return wanted.report(p, cmd, ids[0]) },
	}
	wanted.addToReader(cmd, "one JSON object: startedAt, endedAt, participants with their visits, stayMs, micOpenMs, cameraOpenMs")
	flags := cmd.Flags()
	flags.Lookup("tenant").Usage = "the `name` of the meeting's tenant (default: the one that has it)"
	flags.BoolVar(&wanted.csv, "csv", false, "for a spreadsheet")
	flags.StringVar(&wanted.epoch, "epoch", "", "an earlier `EPOCH` of the meeting, as event ids have it, or all (default: the newest)")
	return cmd
}

// oneMeeting takes the id of one meeting.
func oneMeeting(cmd *cobra.Command, ids []string) error {
	return errors.Join(cobra.MaximumNArgs(1)(cmd, ids), checkIDs(cmd, ids))
}

func (wanted reportFlags) report(p *program, cmd *cobra.Command, id string) error {
	if wanted.csv && wanted.asJSON {
		return usageErrorf("--csv or --json? Give one of them")
	}
	if n, err := strconv.ParseInt(wanted.epoch, 10, 64); wanted.epoch != "" && wanted.epoch != "all" && (err != nil || n <= 0) {
		return usageErrorf("--epoch %.40q: give the number before the last dash of an event's id, or all", wanted.epoch)
	}
	s, err := p.open(cmd, wanted.remoteFlags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	events, err := s.eventsOf(cmd.Context(), wanted.tenant, id, p.complain)
	if err != nil {
		return err
	}
	told, others, err := chosen(events, wanted.epoch)
	if err != nil {
		return err
	}
	meeting, err := attendance.Of(told, time.Now())
	if missing, ok := errors.AsType[*attendance.MissingError](err); ok {
		return fmt.Errorf("meeting %s: %w; %s", safetext.Field(id, 60), missing, s.keeps(cmd.Context()))
	}
	if err != nil {
		return err
	}
	return wanted.tell(p.stdout, meeting, others)
}

// tell writes the attendance; others are the epochs of which it does not tell.
func (wanted reportFlags) tell(out io.Writer, m attendance.Meeting, others []string) error {
	switch {
	case wanted.asJSON:
		return writeJSON(out, m)
	case wanted.csv:
		return m.WriteCSV(out, time.Local)
	}
	head := m.Head(time.Local)
	if len(others) > 0 {
		head = append(head, []string{"earlier", strings.Join(others, ", ") + " (--epoch)"})
	}
	if err := writeTable(out, head); err != nil {
		return err
	}
	if len(m.People) == 0 {
		_, err := fmt.Fprintln(out, "\nnobody was there when Rollcall looked")
		return err
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return err
	}
	return writeTable(out, m.Table(time.Local))
}

// eventsOf reads the stored events of a meeting, of which one tenant at most has
// any. Where there are none the error says why.
func (s *session) eventsOf(ctx context.Context, tenant, id string, complain func(string)) ([]consume.Event, error) {
	if err := s.found(ctx); err != nil {
		return nil, err
	}
	feed := consume.Feed{JetStream: s.js, Names: s.names(), Tenant: tenant, ConferenceID: id}
	byTenant := map[string][]consume.Event{}
	err := consume.Read(ctx, s.conn, feed, func(m consume.Stored) error {
		e, err := consume.Parse(m.Data)
		if err != nil {
			complain("passed over a message that is no event: " + err.Error())
			return nil
		}
		byTenant[e.Tenant] = append(byTenant[e.Tenant], e)
		return nil
	})
	switch tenants := slices.Sorted(maps.Keys(byTenant)); {
	case err != nil:
		return nil, err
	case len(tenants) > 1:
		return nil, usageErrorf("several tenants have a meeting with this id: %s; name one with --tenant", strings.Join(tenants, ", "))
	case len(tenants) == 1:
		return byTenant[tenants[0]], nil
	}
	return nil, s.noEvents(ctx, tenant, id)
}

// noEvents says why there are no events of a meeting.
func (s *session) noEvents(ctx context.Context, tenant, id string) error {
	names, of := s.cfg.Stream.Names(), ""
	if tenant != "" {
		of = " of tenant " + tenant
	} else {
		tenant = "*"
	}
	stream, err := s.js.Stream(ctx, names.Stream)
	if err != nil {
		return fmt.Errorf("find stream %s: %w", names.Stream, err)
	}
	records, err := subjects(ctx, stream, names.State(tenant, id))
	if err != nil {
		return fmt.Errorf("look for the record of meeting %s: %w", safetext.Field(id, 60), err)
	}
	if len(records) > 0 {
		return fmt.Errorf("meeting %s%s is known, but the beginning is missing: its events are gone; %s", safetext.Field(id, 60), of, s.keeps(ctx))
	}
	return fmt.Errorf("stream %s holds nothing of a meeting %s%s: \"rollcall list\" shows the ids of those that are watched; %s",
		names.Stream, safetext.Field(id, 60), of, s.keeps(ctx))
}

// keeps says for how long the stream keeps events.
func (s *session) keeps(ctx context.Context) string {
	stream, err := s.js.Stream(ctx, s.cfg.Stream.Name)
	if err != nil || stream.CachedInfo().Config.MaxAge == 0 {
		return "what was removed from the stream is gone for good"
	}
	return fmt.Sprintf("events are kept for %s (stream.retention)", printer.Lasting(stream.CachedInfo().Config.MaxAge))
}

// chosen are the events of the epoch that is wanted: "" for the newest, or all. The
// others are the epochs that were left out.
func chosen(events []consume.Event, wanted string) (told []consume.Event, others []string, err error) {
	var epochs []string
	for i := range events {
		epoch := strconv.FormatInt(events[i].Epoch, 10)
		if len(epochs) == 0 || epochs[len(epochs)-1] != epoch {
			epochs = append(epochs, epoch)
		}
	}
	if wanted == "all" {
		return events, nil, nil
	}
	if wanted == "" {
		wanted = epochs[len(epochs)-1]
	}
	for i := range events {
		if strconv.FormatInt(events[i].Epoch, 10) == wanted {
			told = append(told, events[i])
		}
	}
	if len(told) == 0 {
		return nil, nil, fmt.Errorf("the meeting has no epoch %s; there are: %s, and --epoch all", wanted, strings.Join(epochs, ", "))
	}
	return told, slices.DeleteFunc(epochs, func(e string) bool { return e == wanted }), nil
}
