package publisher_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
)

// ninetyNine are the events of a crowd, and its record.
func ninetyNine() []ledger.Message {
	var msgs []ledger.Message
	for i := range 99 {
		data := fmt.Sprintf(`{"sequence":%d}%s`, i+1, strings.Repeat(" ", 800))
		msgs = append(msgs, ledger.Message{Subject: "meetings.event.acme.c1.participant.joined", Data: []byte(data)})
	}
	return append(msgs, ledger.Message{Subject: "meetings.state.acme.c1", Data: []byte("{}"), Rollup: true, TTL: "never"})
}

// Batches stop before a limit that NATS tells of, whole, and say which one it is;
// where there is room again they go on.
func TestBatchesStopBeforeALimit(t *testing.T) {
	for name, c := range map[string]struct {
		conf     string
		maxBytes int64
		says     string
	}{
		"the account's":         {"accounts { A: { jetstream: { max_file: 3MB }, users: [ { user: a, password: a } ] } }\n", 0, "storage of the NATS account"},
		"a tier of the account": {"accounts { A: { jetstream: { tiers: { R1: { max_file: 3MB } } }, users: [ { user: a, password: a } ] } }\n", 0, "storage of the NATS account"},
		"the stream's":          {"", 2 << 20, "max_bytes of stream MEETINGS"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "nats.conf")
			if err := os.WriteFile(file, []byte("jetstream: { domain: hub }\n"+c.conf), 0o600); err != nil {
				t.Fatal(err)
			}
			options, err := server.ProcessConfigFile(file)
			if err != nil {
				t.Skip(err) // this server knows no tiers outside of JWTs
			}
			js, err := jetstream.NewWithAPIPrefix(natstest.StartWith(t, *options).Connect(t, nats.UserInfo("a", "a")), "$JS.hub.API")
			if err != nil {
				t.Fatal(err)
			}
			var asked []string // in the domain
			opened, err := store.Open(minute(t), js, names(), store.StreamConfig{MaxBytes: c.maxBytes}, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			p := &publisher.Publisher{Conn: js.Conn(), Names: names(), Timeout: time.Minute, API: func(request string) string {
				asked = append(asked, opened.API(request))
				return asked[len(asked)-1]
			}}
			stored := 0
			for ; err == nil && stored < 100; stored++ {
				_, err = p.Commit(minute(t), ninetyNine())
			}
			if !errors.Is(err, ledger.ErrFull) || !strings.Contains(err.Error(), c.says) || stored < 5 {
				t.Errorf("after %d batches: %v", stored, err)
			}
			if len(asked) < 2 || asked[0] != "$JS.hub.API.INFO" || asked[1] != "$JS.hub.API.STREAM.INFO.MEETINGS" {
				t.Errorf("asked is %q", asked)
			}
			if last := lastSequence(t, js); last%100 != 0 {
				t.Errorf("%d messages are stored: a part of a batch is", last)
			}
			stream, err := js.Stream(minute(t), "MEETINGS")
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Purge(minute(t), jetstream.WithPurgeSubject("meetings.event.>")); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Commit(minute(t), ninetyNine()); err != nil {
				t.Errorf("there is room again: %v", err)
			}
		})
	}
}

// A disk that is nearly full takes no batch, and one message all the same.
func TestBatchesStopBeforeTheDiskIsFull(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	p := real(t, js, store.StreamConfig{})
	free := int64(60 << 20)
	p.Disk = func() (int64, int64, error) { return free, 100 << 30, nil }
	if _, err := p.Commit(minute(t), ninetyNine()); !errors.Is(err, ledger.ErrFull) || !strings.Contains(err.Error(), "disk") {
		t.Errorf("the disk is nearly full: %v", err)
	}
	if _, err := p.Commit(minute(t), ninetyNine()[99:]); err != nil {
		t.Errorf("one message: %v", err)
	}
	free = 1 << 30
	if _, err := p.Commit(minute(t), ninetyNine()); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}
