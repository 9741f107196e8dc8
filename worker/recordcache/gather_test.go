package recordcache

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/differ"
	"rollcall/poller/dingtalk"
)

func TestGatheredRecordsAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		before, got := gather(r), gather(r)
		if !reflect.DeepEqual(r, got) {
			t.Fatalf("not the same:\n%s", cmp.Diff(r, got))
		}
		eachPerson(got, func(p *rollcall.Participant) { p.Nick += "x" })
		if !reflect.DeepEqual(r, before) {
			t.Fatal("the record itself has changed")
		}
	})
}

// crowd is an answer about so many people.
func crowd(people int) []byte {
	raw := []byte(`{"conferenceId":"c1","title":"Weekly","startTime":1700000000000,"status":2,"mediaStatus":0,"userList":[`)
	for i := range people {
		raw = fmt.Appendf(raw, `{"userId":"person-of-some-length-%04d","nick":"Somebody with a name %d","attendStatus":3,"micStatus":1,"cameraStatus":0},`, i, i)
	}
	return append(bytes.TrimSuffix(raw, []byte(",")), "]}"...)
}

func alive() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLivelyMeetingsStaySmall lets hundreds of people come one by one, with and
// without answers in between that tell nothing new: what is kept of the meeting
// must not hold the texts of all the answers that its people came with.
func TestLivelyMeetingsStaySmall(t *testing.T) {
	const people, bound = 500, 512 << 10
	at := time.UnixMilli(1700000000000).UTC()
	for _, still := range []int{0, 1, packAfter - 1} {
		var f cell
		before := alive()
		for i := range people {
			raw := crowd(i + 1)
			at = at.Add(time.Second)
			result := differ.Diff(f.Whole(), differ.Look{
				Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: (*dingtalk.Client)(nil).Decode(raw),
				Number: rollcall.Number{Term: 1, Poll: uint64(i + 1)}, AskedAt: at, AnsweredAt: at,
			}, differ.Rules{})
			f.put(result.Record)
			for range still {
				f.markUnchanged(raw)
			}
		}
		if grown := alive() - before; grown > bound {
			t.Errorf("%d unchanged answers between two who come: it takes %d KB, want at most %d", still, grown>>10, bound>>10)
		}
		if n := len(f.Whole().Roster); n != people {
			t.Errorf("%d people are there, want %d", n, people)
		}
	}
}
