package store_test

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
)

// BenchmarkLoadAll reads 100,000 records of meetings with three people.
func BenchmarkLoadAll(b *testing.B) {
	const n = 100_000
	js := natstest.Start(b).JetStream(b)
	s, err := store.Open(b.Context(), js, names(), store.StreamConfig{}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	p := &publisher.Publisher{Conn: js.Conn(), Names: names(), Timeout: time.Minute}
	r := golden()
	var msgs []ledger.Message
	for i := range n {
		r.ConferenceID = fmt.Sprintf("conference-%d", i)
		r.Roster = append([]rollcall.Participant(nil), golden().Roster...)
		m, err := store.RecordMessage(names(), r, 0, true)
		if err != nil {
			b.Fatal(err)
		}
		if msgs = append(msgs, m); len(msgs) == 1000 {
			if _, err := p.Commit(b.Context(), msgs); err != nil {
				b.Fatal(err)
			}
			msgs = msgs[:0]
		}
	}
	for b.Loop() {
		all, err := s.LoadAll(b.Context(), "acme")
		if err != nil || len(all) != n {
			b.Fatalf("%d records, %v", len(all), err)
		}
	}
}
