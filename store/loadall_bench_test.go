package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall"

	"go.uber.org/zap"

	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/internal/natstest"
	"rollcall/publisher"
	"rollcall/store"
)

// ofTen is the record of a meeting of ten people.
func ofTen(tenant, id string) *rollcall.Record {
	r := &rollcall.Record{
		Tenant: tenant, ConferenceID: id, Epoch: 1700000000000, Sequence: 11, ObservedAt: time.UnixMilli(1700000100123).UTC(),
		Number:  rollcall.Number{Term: 7, Poll: 19},
		Meeting: rollcall.Conference{Title: "Weekly", Status: rollcall.StatusStarted, Present: 10},
	}
	for i := range 10 {
		key := fmt.Sprintf("%s-user-%02d", id, i)
		r.Roster = append(r.Roster, rollcall.Participant{
			Key: key, UserID: key, Nick: fmt.Sprintf("Person %d of many", i), Attendance: rollcall.AttendancePresent,
			Mic: rollcall.DeviceOpen, Camera: rollcall.DeviceClosed, Session: 1,
		})
	}
	return r
}

// fill stores as many records of ten people, and entries of the tracked set.
func fill(b *testing.B, p *publisher.Publisher, tenant string, n int) {
	b.Helper()
	commit := func(msgs []ledger.Message) {
		for part := range slices.Chunk(msgs, ledger.MaxBatchMessages) {
			if _, err := p.Commit(b.Context(), part); err != nil {
				b.Fatal(err)
			}
		}
	}
	var records, tracked []ledger.Message
	for i := range n {
		r := ofTen(tenant, fmt.Sprintf("conference-%06d", i))
		m, err := ledgertest.RecordMessage(names(), r, 0, true)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, m)
		m, err = ledger.TrackMessage(names(), tenant, ledger.Tracking{ConferenceID: r.ConferenceID, Source: "api", Since: r.ObservedAt})
		if err != nil {
			b.Fatal(err)
		}
		tracked = append(tracked, m)
	}
	commit(records)
	commit(tracked)
}

// BenchmarkLoadAll reads 100,000 records of meetings with ten people, and the
// tracked sets they stand in: of one tenant, and of 50 at once.
func BenchmarkLoadAll(b *testing.B) {
	const n = 100_000
	for _, tenants := range []int{1, 50} {
		b.Run(fmt.Sprintf("tenants=%d", tenants), func(b *testing.B) {
			js := natstest.Start(b).JetStream(b)
			s, err := store.Open(b.Context(), js, names(), store.StreamConfig{}, zap.NewNop())
			if err != nil {
				b.Fatal(err)
			}
			p := &publisher.Publisher{Conn: js.Conn(), Names: names(), Timeout: time.Minute}
			for i := range tenants {
				fill(b, p, fmt.Sprintf("tenant-%02d", i), n/tenants)
			}
			b.ReportAllocs()
			for b.Loop() {
				var all sync.WaitGroup
				for i := range tenants {
					all.Go(func() {
						if err := read(b, s, fmt.Sprintf("tenant-%02d", i), n/tenants); err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
		})
	}
}

func read(b *testing.B, s *store.JetStream, tenant string, n int) error {
	tracked, err := s.Tracked(b.Context(), tenant)
	if err == nil && len(tracked) != n {
		err = fmt.Errorf("%d of %d are tracked", len(tracked), n)
	}
	if err != nil {
		return err
	}
	stored, err := s.LoadAll(b.Context(), tenant)
	if err == nil && len(stored) != n {
		err = fmt.Errorf("%d of %d records", len(stored), n)
	}
	return err
}
