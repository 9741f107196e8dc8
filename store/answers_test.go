package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/wire"
)

func minute(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func answer(subject, sequence, last string) nats.Header {
	return nats.Header{"Nats-Subject": {subject}, "Nats-Sequence": {sequence}, "Nats-Last-Sequence": {last}}
}

func end(last, pending string) nats.Header {
	return nats.Header{"Status": {"204"}, "Nats-Last-Sequence": {last}, "Nats-Num-Pending": {pending}}
}

func TestAnswersOfABatchedRead(t *testing.T) {
	multi := getRequest{MultiLast: []string{"a", "b"}}
	for name, c := range map[string]struct {
		answers []nats.Header
		found   int
		whole   bool
		refusal string
	}{
		"all":               {[]nats.Header{answer("a", "3", "0"), answer("b", "5", "3"), end("5", "0")}, 2, true, ""},
		"cut by the server": {[]nats.Header{answer("a", "3", "0"), end("3", "7")}, 1, false, ""},
		"none":              {[]nats.Header{{"Status": {"404"}, "Description": {"No Results"}}}, 0, true, ""},
		"cannot be loaded":  {[]nats.Header{{"Status": {"404"}, "Description": {"Message Not Found"}}}, 0, false, "Not Found"},
		"the first is lost": {[]nats.Header{answer("b", "5", "3")}, 0, false, "lost"},
		"the last is lost":  {[]nats.Header{answer("a", "3", "0"), end("5", "0")}, 1, false, "lost"},
		"fails midway":      {[]nats.Header{answer("a", "3", "0"), {"Status": {"404"}, "Description": {"Message Not Found"}}}, 1, false, "Not Found"},
		"too many":          {[]nats.Header{{"Status": {"413"}, "Description": {"Too Many Results"}}}, 0, false, "413 Too Many"},
		"no stream":         {[]nats.Header{{"Status": {"503"}}}, 0, false, "no responders"},
		"no number":         {[]nats.Header{answer("a", "x", "0")}, 0, false, "sequence"},
	} {
		answers := make(chan *nats.Msg, len(c.answers))
		for _, header := range c.answers {
			answers <- &nats.Msg{Header: header, Data: []byte("x")}
		}
		found := make(map[string]got)
		answer, err := readAnswers(minute(t), answers, multi.none(), keepIn(found))
		if answer.whole != c.whole || len(found) != c.found || (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: whole %t, %d found, %v", name, answer.whole, len(found), err)
		}
	}
}

// TestNoAnswerIsDropped reads much with a connection that queues nothing for those
// who wait for messages.
func TestNoAnswerIsDropped(t *testing.T) {
	js := natstest.Start(t).JetStream(t, nats.SyncQueueLen(1))
	names := wire.Names{Stream: "S", Prefix: "s"}
	s, err := Open(minute(t), js, names, StreamConfig{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	const many = 3000
	for range many {
		if _, err := js.PublishAsync(names.Commit(names.Event("acme", "c1", "meeting.started")), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	if tail, err := s.Tail(minute(t), "acme", 0); err != nil || tail.Last != many {
		t.Errorf("read up to sequence %d of %d: %v", tail.Last, many, err)
	}
}

func TestAClaimThatComesTooLate(t *testing.T) {
	js, err := jetstream.New(natstest.Start(t).Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(minute(t), js, wire.Names{Stream: "S", Prefix: "s"}, StreamConfig{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Claim(minute(t), "acme", 0, "w1")
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []uint64{0, first.Term + 1} {
		if _, err := s.claimAfter(minute(t), "acme", 0, "w2", seen); !errors.Is(err, ledger.ErrStale) {
			t.Errorf("after term %d: %v, want ErrStale", seen, err)
		}
	}
	if now, err := s.Holder(minute(t), "acme", 0); err != nil || now != first {
		t.Errorf("the holder is %+v, %v", now, err)
	}
}
