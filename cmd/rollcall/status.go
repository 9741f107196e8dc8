package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"rollcall/cmd/rollcall/cost"
	"rollcall/cmd/rollcall/forward"
	"rollcall/cmd/rollcall/status"
	"rollcall/forwarder"
	"rollcall/internal/safetext"
	"rollcall/poller/budget"
	"rollcall/wire"
	"rollcall/worker/membership"
)

const statusHelp = `Status is for the one who was woken: it says what is wrong, since when, what is
lost meanwhile and what to do, from what NATS holds: the tenants' statuses, the
workers that live, the calls of the month, and the stream. It asks neither DingTalk
nor the workers. With --config it also knows the tenants that nobody looks at, and
says of the targets of forward which cannot be told, if its user may read that.

Exit codes: 0 nothing is wrong, 1 something is, 2 misused.`

func statusCommand(p *program) *cobra.Command {
	var flags remoteFlags
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Say what is wrong, since when, what is lost meanwhile, and what to do",
		Long:    statusHelp,
		Example: "  rollcall status\n  rollcall status --config rollcall.yaml --json",
		Args:    cobra.NoArgs,
	}
	flags.addTo(cmd)
	cmd.Flags().Lookup("tenant").Usage = "the `name` of one tenant (default: all)"
	cmd.Flags().Lookup("json").Usage = "one JSON object: ok, at, findings (what, tenant, since, lost, do), tenants, workers, versions, stream, targets"
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		facts, err := p.facts(cmd, flags)
		if err != nil {
			return err
		}
		report := status.Judge(facts)
		if flags.asJSON {
			err = writeJSON(p.stdout, report)
		} else {
			err = p.writeStatus(report)
		}
		if err == nil && !report.OK {
			err = errUnwell
		}
		return err
	}
	return cmd
}

// errUnwell makes the exit code 1; what is wrong is said already.
var errUnwell = errors.New("something is wrong")

// facts reads what there is. What a command was told wrongly is an error; that NATS
// does not answer is a fact.
func (p *program) facts(cmd *cobra.Command, flags remoteFlags) (status.Facts, error) {
	facts := status.Facts{At: time.Now()}
	s, err := p.open(cmd, flags)
	if errors.Is(err, errUsage) || cmd.Context().Err() != nil {
		return facts, err
	}
	if err != nil {
		facts.Unreachable = err
		return facts, nil
	}
	defer s.conn.Close()
	for _, t := range s.cfg.Tenants {
		facts.Configured = append(facts.Configured, t.Name)
	}
	for _, read := range []func(context.Context, *status.Facts) error{s.readStream, s.readStatuses, s.readWorkers} {
		if err := retryRead(cmd.Context(), func(ctx context.Context) error { return read(ctx, &facts) }); err != nil {
			facts.Unreachable = err
			return facts, cmd.Context().Err()
		}
	}
	if err := p.readBudgets(cmd, flags, &facts); err != nil {
		facts.Unreachable = err
	}
	facts.Targets, facts.TargetsUnread = s.readTargets(cmd.Context())
	if flags.tenant != "" {
		only(&facts, flags.tenant)
	}
	return facts, cmd.Context().Err()
}

func (s *session) readStream(ctx context.Context, facts *status.Facts) error {
	facts.Stream = status.Stream{Name: s.cfg.Stream.Names().Stream}
	stream, err := s.js.Stream(ctx, facts.Stream.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		facts.Stream.Missing = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at stream %s: %w", facts.Stream.Name, err)
	}
	info := stream.CachedInfo()
	facts.Stream.Messages, facts.Stream.Bytes, facts.Stream.MaxBytes = info.State.Msgs, int64(info.State.Bytes), max(0, info.Config.MaxBytes)
	return nil
}

func (s *session) readStatuses(ctx context.Context, facts *status.Facts) (err error) {
	if facts.Stream.Missing {
		return nil
	}
	facts.Statuses, err = s.ledger().Statuses(ctx)
	return err
}

func (s *session) readWorkers(ctx context.Context, facts *status.Facts) error {
	members, err := s.ledger().Members(ctx)
	if err != nil && facts.Stream.Missing {
		return nil // the bucket is gone as well
	}
	facts.Workers = nil
	for _, m := range members {
		info, bad := membership.ParseInfo(m.Info)
		facts.Workers = append(facts.Workers, status.Worker{ID: m.ID, Info: info, Err: bad})
	}
	return err
}

// readTargets reads how those do that are to be told. Whoever asks need not have the
// right to.
func (s *session) readTargets(ctx context.Context) ([]forwarder.TargetStatus, error) {
	if len(s.cfg.Forward.Targets) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	f := forward.Forwarding{Config: s.cfg, Conn: s.conn, Log: zap.NewNop()}
	if err := f.Prepare(); err != nil {
		return nil, err
	}
	return f.Status(ctx)
}

func (p *program) readBudgets(cmd *cobra.Command, flags remoteFlags, facts *status.Facts) error {
	month := budget.MonthOf(facts.At)
	books, err := p.readBooks(cmd, flags, month)
	if err != nil {
		return err
	}
	for _, s := range books.spendings(month, flags.tenant, facts.At) {
		b := status.Budget{Tenant: s.Tenant, MonthBegins: month.Start(), MonthIsOver: month.End(), NotReadError: s.Trouble}
		if s.Account != nil {
			b.Calls, b.Left, b.Reserved = s.Account.MonthlyCalls, s.Account.Left, s.Account.Reserved
		}
		if s.Account != nil || s.Trouble != "" {
			facts.Budgets = append(facts.Budgets, b)
		}
	}
	return nil
}

// only leaves one tenant in the facts.
func only(facts *status.Facts, tenant string) {
	facts.Configured = []string{tenant}
	facts.Statuses = map[string]wire.Status{tenant: facts.Statuses[tenant]}
	for i := range facts.Workers {
		info := &facts.Workers[i].Info
		info.Knows = nil
		var shards []membership.Held
		for _, h := range info.Shards {
			if h.Tenant == tenant {
				shards = append(shards, h)
			}
		}
		info.Shards = shards
	}
}

// writeStatus writes one screen.
func (p *program) writeStatus(r status.Report) error {
	var b strings.Builder
	switch len(r.Findings) {
	case 0:
		b.WriteString("nothing is wrong\n")
	case 1:
		b.WriteString("1 thing is wrong\n")
	default:
		fmt.Fprintf(&b, "%d things are wrong\n", len(r.Findings))
	}
	for _, f := range r.Findings {
		what := f.What
		if f.Tenant != "" {
			what = f.Tenant + ": " + what
		}
		fmt.Fprintf(&b, "\n%s\n", safetext.Line(what))
		if !f.Since.IsZero() {
			fmt.Fprintf(&b, "  since  %s (%s)\n", f.Since.Local().Format(time.DateTime), ago(wire.Time{Time: f.Since}, r.At))
		}
		fmt.Fprintf(&b, "  lost   %s\n  do     %s\n", safetext.Line(f.Lost), safetext.Line(f.Do))
	}
	fmt.Fprintf(&b, "\n%d workers (%s); stream %s: %s messages, %s bytes\n", r.Workers,
		safetext.Line(strings.Join(r.Versions, ", ")), r.Stream.Name, cost.Grouped(int64(r.Stream.Messages)), cost.Grouped(r.Stream.Bytes))
	if r.Unread != "" {
		fmt.Fprintf(&b, "how the targets of forward do is not known: %s\n", safetext.Line(r.Unread))
	}
	if _, err := fmt.Fprint(p.stdout, b.String()); err != nil || len(r.Tenants) == 0 {
		return err
	}
	rows := [][]string{{"TENANT", "STATE", "ANSWERED", "A PASS EACH", "TRACKED", "WAITING", "SHARDS"}}
	for _, t := range r.Tenants {
		rows = append(rows, []string{t.Name, t.State, ago(wire.Time{Time: t.LastGood}, r.At), inSeconds(t.Pace.Seconds()), fmt.Sprint(t.Tracked), fmt.Sprint(t.Waiting), fmt.Sprintf("%d of %d", t.Held, t.Shards)})
	}
	return writeTable(p.stdout, rows)
}
