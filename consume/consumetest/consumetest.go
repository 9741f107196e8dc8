// Package consumetest has events for the tests of programs that consume them:
// those of the written scenarios of deploy/scenarios, as Rollcall publishes
// them, and the faults that a consumer meets sooner or later.
//
// A [Sequence] is fed to a program's own function, or stored with [Sequence.Put]
// where the program reads NATS. [Sequence.Rosters] says who must be in the
// meetings afterwards, whatever fault there was.
package consumetest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/wire"
)

//go:embed testdata
var recorded embed.FS

// Message is what stands in the stream, under its subject.
type Message struct {
	Subject string
	Data    []byte
}

// Sequence is messages in the order of the stream. Faults return another one
// and leave theirs as it is.
type Sequence []Message

// Scenarios lists the names of the scenarios.
func Scenarios() []string {
	files, err := fs.Glob(recorded, "testdata/*.jsonl.gz")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".jsonl.gz")
	}
	return files
}

// Scenario returns the events of a scenario, polled as often as it says. The
// error is that of a name that is not in [Scenarios].
func Scenario(name string) (Sequence, error) {
	packed, err := recorded.ReadFile("testdata/" + name + ".jsonl.gz")
	if err != nil {
		return nil, fmt.Errorf("no scenario is called %.100q; there are %s", name, strings.Join(Scenarios(), ", "))
	}
	return Unpack(bytes.NewReader(packed))
}

// Unpack reads events, one a line, gzipped. They are written as this version of
// Rollcall writes them, whatever version recorded them.
func Unpack(packed io.Reader) (Sequence, error) {
	lines, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack events: %w", err)
	}
	var s Sequence
	for scanner := bufio.NewScanner(lines); ; {
		if !scanner.Scan() {
			return s, scanner.Err()
		}
		e, err := wire.DecodeEvent(scanner.Bytes())
		if err != nil {
			return nil, fmt.Errorf("unpack events: %w", err)
		}
		s = append(s, message(&e))
	}
}

// Pack writes the events as [Unpack] reads them.
func (s Sequence) Pack(to io.Writer) error {
	lines := gzip.NewWriter(to)
	for _, m := range s {
		if _, err := lines.Write(append(m.Data, '\n')); err != nil {
			return err
		}
	}
	return lines.Close()
}

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

func message(e *rollcall.Event) Message {
	return Message{names().Event(e.Tenant, e.ConferenceID, e.Type), wire.AppendEvent(nil, e)}
}

// Of makes a sequence of events.
func Of(events []rollcall.Event) (s Sequence) {
	for i := range events {
		s = append(s, message(&events[i]))
	}
	return s
}

// Events are those of the sequence that can be read.
func (s Sequence) Events() (events []rollcall.Event) {
	for _, m := range s {
		if e, _, err := wire.ParseEvent(m.Data); err == nil && strings.HasPrefix(m.Subject, names().Prefix+".event.") {
			events = append(events, e)
		}
	}
	return events
}

// Rosters are who is in each meeting, by its id, when all events have come, by
// key. Nobody is in one that is over.
func (s Sequence) Rosters() map[string][]rollcall.Participant {
	type state struct {
		epoch    int64
		sequence uint64
		roster   []rollcall.Participant
	}
	meetings := map[string]state{}
	events := s.Events()
	slices.SortStableFunc(events, func(a, b rollcall.Event) int {
		if a.Epoch != b.Epoch {
			return int(a.Epoch - b.Epoch)
		}
		return int(a.Sequence) - int(b.Sequence)
	})
	for _, e := range events {
		now := meetings[e.ConferenceID]
		if e.Epoch == now.epoch && e.Sequence <= now.sequence {
			continue
		}
		if e.Epoch != now.epoch {
			now = state{}
		}
		meetings[e.ConferenceID] = state{e.Epoch, e.Sequence, rollcall.Fold(now.roster, []rollcall.Event{e})}
	}
	rosters := make(map[string][]rollcall.Participant, len(meetings))
	for id, m := range meetings {
		rosters[id] = m.roster
	}
	return rosters
}

// Put stores the sequence in the stream MEETINGS, which it makes where it is
// not there: without the atomic batches of Rollcall's own, so that any user of
// a test's NATS may.
func (s Sequence) Put(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: names().Stream, Subjects: []string{names().All()}, AllowDirect: true, AllowRollup: true,
	})
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("create stream %s: %w", names().Stream, err)
	}
	for _, m := range s {
		if _, err := js.PublishAsync(m.Subject, m.Data, jetstream.WithStallWait(time.Minute)); err != nil {
			return fmt.Errorf("publish to %s: %w", m.Subject, err)
		}
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
