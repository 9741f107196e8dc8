package ledger_test

import (
	"fmt"
	"testing"

	"rollcall/internal/ledger"
)

// BenchmarkCheckBatch checks a full batch: 47 meetings with 20 events and a record.
func BenchmarkCheckBatch(b *testing.B) {
	var msgs []ledger.Message
	for m := range 47 {
		for e := range 20 {
			verb := []string{"mic_opened", "camera_closed", "left"}[e%3]
			msgs = append(msgs, ledger.Message{
				Subject: fmt.Sprintf("meetings.event.acme.conference-%06d.participant.%s", m, verb),
				Data:    make([]byte, 900), ContentType: "application/cloudevents+json",
			})
		}
		msgs = append(msgs, ledger.Message{
			Subject: fmt.Sprintf("meetings.state.acme.conference-%06d", m),
			Data:    make([]byte, 3500), ContentType: "application/json", Guarded: true, Rollup: true, TTL: "never",
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := ledger.CheckBatch(names, msgs, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(msgs)), "ns/message")
}
