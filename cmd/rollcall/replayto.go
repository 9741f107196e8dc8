package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"rollcall/consume"
	"rollcall/internal/safetext"
	"rollcall/internal/wait"
	"rollcall/wire"
)

// atOnce is how many events are read before they are published: a consumer must
// not wait while nothing happens for hours.
const atOnce = 500

// replayed is what was published.
type replayed struct {
	Schema int       `json:"schema"`
	Prefix string    `json:"prefix"`
	Events int       `json:"events"`
	From   wire.Time `json:"from"` // when the first and the last one were stored
	To     wire.Time `json:"to"`
}

// replayer publishes events again.
type replayer struct {
	*session          // that is read from
	to       *session // that is published to
	feed     consume.Feed
	wanted   replayFlags
	until    time.Time
	captured bool // by a stream, which acknowledges
	done     replayed
	pace     pace
	progress progress
	warn     func(string)
}

// publish publishes the events again.
func (wanted replayFlags) publish(p *program, cmd *cobra.Command, now time.Time) error {
	feed, until, err := wanted.span(now)
	if err != nil {
		return err
	}
	s, err := openStream(p, cmd, wanted.remoteFlags)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	feed.JetStream, feed.Names = s.js, s.names()
	to, captured, err := wanted.target(p, cmd, s)
	if err != nil {
		return err
	}
	if to != s {
		defer to.conn.Close()
	}
	r := &replayer{
		session: s, to: to, feed: feed, wanted: wanted, until: until, captured: captured, warn: p.complain,
		done: replayed{Schema: 1, Prefix: wanted.toPrefix}, pace: pace{speed: wanted.speed},
		progress: progress{out: p.stderr, redraw: isTerminal(p.stderr), next: now.Add(patience)},
	}
	err = r.run(cmd.Context())
	if err != nil && cmd.Context().Err() == nil {
		return fmt.Errorf("%w; %d events were published before", err, r.done.Events)
	}
	if wanted.asJSON {
		return writeJSON(p.stdout, r.done)
	}
	return r.done.write(p.stdout, err != nil)
}

func (done *replayed) write(out io.Writer, stopped bool) error {
	text := "published "
	if stopped {
		text = "stopped; published "
	}
	text += counted(int64(done.Events), "event") + " below " + done.Prefix
	if done.Events > 0 {
		text += fmt.Sprintf(", stored from %s to %s", local(done.From), local(done.To))
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// span reads which events are to be published; its errors are usage errors.
func (f *replayFlags) span(now time.Time) (feed consume.Feed, until time.Time, err error) {
	if feed, err = f.feed(); err != nil {
		return feed, until, err
	}
	if until = now; f.until != "" {
		if until, err = parseWhen(f.until, now); err != nil {
			return feed, until, usageErrorf("--until: %w", err)
		}
	}
	if f.since != "" {
		if feed.Since, err = parseWhen(f.since, now); err != nil {
			return feed, until, usageErrorf("--since: %w", err)
		}
	}
	switch {
	case feed.Since.After(until):
		return feed, until, usageErrorf("--since is later than --until")
	case !(f.speed >= 0 && f.speed <= 1e6):
		return feed, until, usageErrorf("--speed %v: give 1 for as fast as then, 10 for ten times as fast, or 0 for no pauses", f.speed)
	}
	return feed, until, nil
}

// run reads some and publishes these, until all are published or ctx ends.
func (r *replayer) run(ctx context.Context) error {
	defer r.progress.end()
	for {
		some, err := r.read(ctx)
		if err != nil {
			return err
		}
		for i := range some {
			if err := r.publish(ctx, &some[i]); err != nil {
				return err
			}
		}
		if len(some) < atOnce {
			return r.flush(ctx)
		}
	}
}

// read reads the next events of the range.
func (r *replayer) read(ctx context.Context) (some []consume.Stored, err error) {
	err = consume.Read(ctx, r.conn, r.feed, func(m consume.Stored) error {
		if m.At.After(r.until) {
			return consume.ErrEnough
		}
		r.feed.From = m.Sequence + 1
		if r.titled(m) {
			some = append(some, m)
		}
		if len(some) == atOnce {
			return consume.ErrEnough
		}
		return nil
	})
	return some, err
}

func (r *replayer) titled(m consume.Stored) bool {
	if r.wanted.title == "" {
		return true
	}
	e, err := consume.Parse(m.Data)
	if err != nil {
		r.warn("passed over a message that is no event: " + err.Error())
		return false
	}
	return r.wanted.titled(&e)
}

// publish waits until it is time, and publishes.
func (r *replayer) publish(ctx context.Context, m *consume.Stored) error {
	due := r.pace.due(m.At, time.Now())
	for {
		r.progress.show(time.Now(), r.done)
		rest := time.Until(due)
		if rest <= 0 {
			break
		}
		if !wait.For(ctx, min(rest, patience)) {
			return context.Cause(ctx)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	again := &nats.Msg{Subject: r.wanted.toPrefix + strings.TrimPrefix(m.Subject, r.cfg.Stream.Prefix), Header: kept(m.Header), Data: m.Data}
	if err := r.send(ctx, again); err != nil {
		return fmt.Errorf("publish to %s: %w", safetext.Field(again.Subject, 200), err)
	}
	if r.done.Events++; r.done.Events == 1 {
		r.done.From.Time = m.At
	}
	r.done.To.Time = m.At
	return nil
}

func (r *replayer) send(ctx context.Context, m *nats.Msg) error {
	if r.captured {
		_, err := r.to.js.PublishMsg(ctx, m)
		return err
	}
	if err := r.to.conn.PublishMsg(m); err != nil {
		return err
	}
	if r.done.Events%100 == 0 { // a subscriber that is slower would lose some
		return r.flush(ctx)
	}
	return nil
}

// flush waits until the server has all that was published, and says what it refused.
func (r *replayer) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachable)
	defer cancel()
	if err := r.to.conn.FlushWithContext(ctx); err != nil {
		return err
	}
	err := r.to.conn.LastError() // maybe of something else
	if errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `Publish to "`+r.wanted.toPrefix+".") {
		return fmt.Errorf("%w: choose a prefix that the user of the configuration may publish to", err)
	}
	return nil
}

// kept are the headers of an event but those for the server: a stream that captures
// the event would take it for a part of a batch, and store nothing.
func kept(header nats.Header) nats.Header {
	h := nats.Header{}
	for name, values := range header {
		if !strings.HasPrefix(name, "Nats-") {
			h[name] = values
		}
	}
	return h
}
