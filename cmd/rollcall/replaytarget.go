package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/embedded"
	"rollcall/internal/natsconn"
)

// errRoom is what keeps the events from being heard.
var errRoom = errors.New("the NATS inside \"rollcall run\" keeps those who connect apart: nobody would hear what is published there; " +
	"name the NATS of your consumer's test with --to-nats")

// target is where the events are published, from or the NATS of --to-nats, and whether
// a stream captures them there.
func (wanted replayFlags) target(p *program, cmd *cobra.Command, from *session) (to *session, captured bool, err error) {
	if err := wanted.checkPrefix(from); err != nil {
		return nil, false, err
	}
	to = from
	switch {
	case wanted.toNATS != "":
		if to, err = wanted.elsewhere(p, cmd, from.cfg); err != nil {
			return nil, false, err
		}
	case from.conn.ConnectedServerName() == embedded.Name:
		return nil, false, errRoom
	}
	if captured, err = wanted.captured(cmd.Context(), to); err != nil && to != from {
		to.conn.Close()
	}
	return to, captured, err
}

// checkPrefix refuses a prefix that cannot be one, or that is Rollcall's own. On
// another NATS that of the stream may be free.
func (wanted replayFlags) checkPrefix(from *session) error {
	if err := (config.Stream{Name: from.cfg.Stream.Name, Prefix: wanted.toPrefix}).Check(); err != nil {
		return usageErrorf("--to-prefix: %w", err)
	}
	if target := wanted.toPrefix + ".>"; wanted.toNATS == "" && overlap(target, from.cfg.Stream.Names().All()) || overlap(target, "rollcall.>") {
		return wanted.overlaps(from)
	}
	return nil
}

func (wanted replayFlags) overlaps(from *session) error {
	names := from.cfg.Stream.Names()
	return usageErrorf("--to-prefix %s overlaps the subjects of stream %s (%s, %s): its consumers would take these events for real ones; choose another prefix",
		wanted.toPrefix, names.Stream, names.All(), names.Commits())
}

// elsewhere connects to the NATS of --to-nats.
func (wanted replayFlags) elsewhere(p *program, cmd *cobra.Command, cfg config.Config) (*session, error) {
	cfg.NATS = config.Defaults().NATS
	if err := config.CheckURL(wanted.toNATS); err != nil {
		return nil, usageErrorf("--to-nats %w", err)
	}
	cfg.NATS.URL = wanted.toNATS
	conn, err := p.connect(cmd.Context(), cfg)
	if err != nil {
		return nil, fmt.Errorf("--to-nats: %w", err)
	}
	js, err := natsconn.JetStream(conn, "", "")
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &session{cfg, conn, js}, nil
}

// captured reports whether a stream captures the events, and refuses a prefix below
// which a stream publishes: somebody would take them for real ones. Who may not list
// the streams has none that captures.
func (wanted replayFlags) captured(ctx context.Context, to *session) (captured bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	streams := to.js.ListStreams(ctx)
	for info := range streams.Info() {
		if r := info.Config.RePublish; r != nil && overlap(wanted.toPrefix+".>", r.Destination) {
			return false, usageErrorf("--to-prefix %s overlaps %s, below which stream %s publishes; choose another prefix", wanted.toPrefix, r.Destination, info.Config.Name)
		}
		for _, subject := range info.Config.Subjects {
			captured = captured || overlap(wanted.toPrefix+".event.>", subject)
		}
	}
	if streams.Err() != nil && overlap(wanted.toPrefix+".>", to.cfg.Stream.Names().All()) {
		return false, wanted.overlaps(to) // it may be the same NATS
	}
	return captured, nil
}

// overlap reports whether some subject matches both.
func overlap(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if as[i] == ">" || bs[i] == ">" {
			return true
		}
		if as[i] != bs[i] && as[i] != "*" && bs[i] != "*" {
			return false
		}
	}
	return len(as) == len(bs)
}
