package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/internal/natstest"
	"rollcall/store"
	"rollcall/wire"
)

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

func minute(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func config(t *testing.T, js jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()
	stream, err := js.Stream(minute(t), names().Stream)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().Config
}

func TestOpenCreatesTheStreamOfTheDesign(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	open(t, js, names(), store.StreamConfig{MaxBytes: 1 << 20, Retention: 24 * time.Hour})
	got := config(t, js)
	want := jetstream.StreamConfig{
		Subjects:         []string{"rollcall.MEETINGS.commit.>"},
		SubjectTransform: &jetstream.SubjectTransformConfig{Source: "rollcall.MEETINGS.commit.>", Destination: "meetings.>"},
		RePublish:        &jetstream.RePublish{Source: "meetings.>", Destination: "meetings.>"},
		Discard:          jetstream.DiscardNew, MaxAge: 24 * time.Hour, MaxBytes: 1 << 20, Storage: jetstream.FileStorage, Replicas: 1,
		AllowAtomicPublish: true, AllowMsgTTL: true, AllowRollup: true, AllowDirect: true,
	}
	chosen := jetstream.StreamConfig{
		Subjects: got.Subjects, SubjectTransform: got.SubjectTransform, RePublish: got.RePublish, Discard: got.Discard,
		MaxAge: got.MaxAge, MaxBytes: got.MaxBytes, Storage: got.Storage, Replicas: got.Replicas,
		AllowAtomicPublish: got.AllowAtomicPublish, AllowMsgTTL: got.AllowMsgTTL, AllowRollup: got.AllowRollup, AllowDirect: got.AllowDirect,
	}
	if diff := cmp.Diff(want, chosen); diff != "" {
		t.Errorf("the stream:\n%s", diff)
	}
	open(t, js, names(), store.StreamConfig{MaxBytes: 1 << 20, Retention: 24 * time.Hour})
	if diff := cmp.Diff(got, config(t, js)); diff != "" {
		t.Errorf("opening it again changed it:\n%s", diff)
	}
}

func TestManyWorkersOpenAtOnce(t *testing.T) {
	s := natstest.Start(t)
	var wg sync.WaitGroup
	for range 6 {
		js := s.JetStream(t)
		wg.Go(func() {
			if _, err := store.Open(minute(t), js, names(), store.StreamConfig{}, zap.NewNop()); err != nil {
				t.Errorf("open: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestOpenRefusesAnotherStreamAndNamesTheFix(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	for _, c := range []struct {
		spoil func(*jetstream.StreamConfig)
		want  []string
	}{
		{func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false }, []string{"allow_atomic false", "wanted is true", "nats stream edit MEETINGS --config"}},
		{func(c *jetstream.StreamConfig) { c.AllowMsgTTL = false }, []string{"allow_msg_ttl false"}},
		{func(c *jetstream.StreamConfig) { c.AllowRollup = false }, []string{"allow_rollup_hdrs false"}},
		{func(c *jetstream.StreamConfig) { c.AllowDirect = false }, []string{"allow_direct false"}},
		{func(c *jetstream.StreamConfig) { c.Subjects = []string{"x.>"} }, []string{"subjects [x.>]", "[rollcall.MEETINGS.commit.>]"}},
		{func(c *jetstream.StreamConfig) { c.SubjectTransform = nil }, []string{"subject_transform none"}},
		{func(c *jetstream.StreamConfig) { c.RePublish = nil }, []string{"republish none", "meetings.> to meetings.>"}},
		{func(c *jetstream.StreamConfig) { c.RePublish.HeadersOnly = true }, []string{"republish", "without payloads"}},
		{func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, []string{"discard DiscardOld"}},
		{func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 }, []string{"max_msgs 10"}},
		{func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 }, []string{"max_msgs_per_subject 1"}},
		{func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 }, []string{"max_msg_size 1000"}},
		{func(c *jetstream.StreamConfig) { c.SubjectDeleteMarkerTTL = time.Minute }, []string{"subject_delete_marker_ttl 1m0s"}},
		{func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, []string{"storage Memory", "cannot change", "nats stream rm MEETINGS"}},
		{func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy }, []string{"retention Interest", "cannot change"}},
		{func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, []string{"max_age 1h0m0s", "wanted is 168h0m0s", "set stream.retention to 1h0m0s"}},
		{func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 }, []string{"max_bytes 1048576", "set stream.max_bytes to 1048576"}},
		{func(c *jetstream.StreamConfig) { c.MaxAge, c.AllowDirect = time.Hour, false }, []string{"max_age", "allow_direct"}},
	} {
		open(t, js, names(), store.StreamConfig{})
		cfg := config(t, js)
		if err := js.DeleteStream(minute(t), names().Stream); err != nil {
			t.Fatal(err)
		}
		c.spoil(&cfg)
		if _, err := js.CreateStream(minute(t), cfg); err != nil {
			t.Fatalf("%s: %v", c.want, err)
		}
		_, err := store.Open(minute(t), js, names(), store.StreamConfig{}, zaptest.NewLogger(t))
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		if err := js.DeleteStream(minute(t), names().Stream); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenRefusesADifferentWish(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	open(t, js, names(), store.StreamConfig{})
	for want, cfg := range map[string]store.StreamConfig{
		"stream.replicas to 1":         {Replicas: 3},
		"stream.retention to 168h0m0s": {Retention: time.Hour},
		"stream.max_bytes to 0":        {MaxBytes: 1 << 30},
	} {
		_, err := store.Open(minute(t), js, names(), cfg, zap.NewNop())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOpenRefusesABucketWithoutTTLs(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	if _, err := js.CreateKeyValue(minute(t), jetstream.KeyValueConfig{Bucket: "MEETINGS_WORKERS"}); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(minute(t), js, names(), store.StreamConfig{}, zap.NewNop())
	if err == nil || !strings.Contains(err.Error(), "MEETINGS_WORKERS") || !strings.Contains(err.Error(), "nats kv del") {
		t.Errorf("got %v", err)
	}
}

func TestOpenWithoutAServer(t *testing.T) {
	s := natstest.Start(t)
	lost := make(chan struct{}, 1)
	js := s.JetStream(t, nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }))
	s.Stop()
	<-lost
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := store.Open(ctx, js, names(), store.StreamConfig{}, zap.NewNop()); err == nil {
		t.Error("a ledger without a server was opened")
	}
}

func TestReadsFailWhileTheServerIsAway(t *testing.T) {
	s := natstest.Start(t)
	lost := make(chan struct{}, 1)
	js := s.JetStream(t, nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }))
	l := open(t, js, names(), store.StreamConfig{})
	s.Stop()
	<-lost
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, loadErr := l.Load(ctx, "acme", []string{"c"})
	_, allErr := l.LoadAll(ctx, "acme")
	_, trackedErr := l.Tracked(ctx, "acme")
	_, holderErr := l.Holder(ctx, "acme", 0)
	_, claimErr := l.Claim(ctx, "acme", 0, "w")
	_, membersErr := l.Members(ctx)
	errs := []error{loadErr, allErr, trackedErr, holderErr, claimErr, membersErr, l.Heartbeat(ctx, "w", nil, time.Second), l.Leave(ctx, "w")}
	if i := slices.Index(errs, nil); i >= 0 {
		t.Errorf("read %d of %v succeeded without a server", i, errs)
	}
	if !errors.Is(claimErr, ledger.ErrBusy) && !errors.Is(claimErr, ledger.ErrUnknown) {
		t.Errorf("claim: %v", claimErr)
	}
}

// TestLoadOfMoreThanOneAnswerHolds reads 60 MB, of which the server puts 16
// into one answer.
func TestLoadOfMoreThanOneAnswerHolds(t *testing.T) {
	l := open(t, natstest.Start(t).JetStream(t), names(), store.StreamConfig{})
	var ids []string
	data := []byte(`{"schema":2,"filler":"` + strings.Repeat("x", 900<<10) + `"}`)
	for i := range 66 {
		ids = append(ids, fmt.Sprintf("c%d", i))
		m := ledger.Message{Subject: names().State("acme", ids[i]), Data: data, Guarded: true, Rollup: true}
		if _, err := l.Commit(minute(t), []ledger.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := l.Load(minute(t), "acme", append(ids, "absent"))
	if err != nil || len(found) != len(ids) {
		t.Fatalf("loaded %d of %d, %v", len(found), len(ids), err)
	}
	for i, id := range ids {
		if found[id].Revision != uint64(i+1) || !errors.Is(found[id].Err, wire.ErrNewerSchema) {
			t.Fatalf("%s: %+v", id, found[id])
		}
	}
}

func TestAScanLeavesNoConsumerBehind(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	l := open(t, js, names(), store.StreamConfig{})
	if _, err := l.Tracked(minute(t), "acme"); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(minute(t), names().Stream)
	if err != nil || stream.CachedInfo().State.Consumers != 0 {
		t.Errorf("%d consumers, %v", stream.CachedInfo().State.Consumers, err)
	}
}

// TestRecordsDoNotPileUp looks at the stream itself: every read takes the last
// message of a subject, and would not notice.
func TestRecordsDoNotPileUp(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	l := open(t, js, names(), store.StreamConfig{})
	for i := range 5 {
		record, err := ledgertest.RecordMessage(names(), ofTen("acme", "c"), uint64(i*3), true)
		if err != nil {
			t.Fatal(err)
		}
		tracking, err := ledger.TrackMessage(names(), "acme", ledger.Tracking{ConferenceID: "c"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Commit(minute(t), []ledger.Message{tracking, {Subject: "meetings.event.x"}, record}); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := js.Stream(minute(t), names().Stream)
	if err != nil || stream.CachedInfo().State.Msgs != 5+2 {
		t.Errorf("%d messages are stored, %v; want 5 events, a record and a tracking", stream.CachedInfo().State.Msgs, err)
	}
}
