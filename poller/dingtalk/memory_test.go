package dingtalk

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/poller"
)

// mostTimes is by how much an answer may exceed its own size in memory.
const mostTimes = 4

// peak gives how much the heap grew at most while do ran.
func peak(t *testing.T, do func()) uint64 {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, most := make(chan struct{}), uint64(0)
	var watching sync.WaitGroup
	watching.Go(func() {
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			case <-stop:
				tick.Stop()
				return
			}
		}
	})
	do()
	close(stop)
	watching.Wait()
	return most - min(most, before.HeapAlloc)
}

// TestLargeAnswersTakeLittleMoreLong measures what the largest answers take, and
// those that are larger: each a small multiple of the limit, also several at a
// time.
func TestLargeAnswersTakeLittleMoreLong(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	people := strings.Repeat(`{"userId":"u-0123456789","nick":"Somebody or other","attendStatus":3,"micStatus":1,"cameraStatus":2},`, 6000)
	one := func(i int) string {
		return fmt.Sprintf(`{"conferenceId":"m%03d","status":2,"userList":[%s]}`, i, strings.TrimSuffix(people, ","))
	}
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("m%03d", i))
	}
	meetings := maxAnswer/len(one(0)) - 1
	for name, c := range map[string]struct {
		write  func(w io.Writer)
		zipped bool
		want   poller.Class
		calls  int
	}{
		"the largest": {func(w io.Writer) {
			_, _ = io.WriteString(w, `{"infos":[`+one(0))
			for i := range meetings {
				_, _ = io.WriteString(w, ","+one(i+1))
			}
			_, _ = io.WriteString(w, `]}`)
		}, false, poller.ClassNone, 1},
		"too large": {func(w io.Writer) {
			piece := bytes.Repeat([]byte(" "), 1<<20)
			for range 2 * maxAnswer / len(piece) {
				_, _ = w.Write(piece)
			}
		}, true, poller.ClassMalformed, 4},
		"too many people": {func(w io.Writer) {
			_, _ = io.WriteString(w, `{"infos":[{}`)
			for i := range 20 {
				_, _ = fmt.Fprintf(w, `,{"conferenceId":"m%03d","userList":[{}%s]}`, i, strings.Repeat(",{}", 90_000))
			}
			_, _ = io.WriteString(w, `]}`)
		}, false, poller.ClassMalformed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if !c.zipped {
					c.write(w)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				c.write(z)
				_ = z.Close()
			})
			var asking sync.WaitGroup
			took := peak(t, func() {
				for range c.calls {
					asking.Go(func() {
						if _, err := client.Query(t.Context(), ids); poller.ClassOf(err) != c.want {
							t.Errorf("got %.300v", err)
						}
					})
				}
				asking.Wait()
			})
			t.Logf("%d MiB for a limit of %d", took>>20, maxAnswer>>20)
			if took > mostTimes*maxAnswer {
				t.Errorf("it takes %d MiB", took>>20)
			}
		})
	}
}

// TestSmallQuestionsGetSmallAnswers bounds what is read about one thing, and lists.
func TestSmallQuestionsGetSmallAnswers(t *testing.T) {
	client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		piece := bytes.Repeat([]byte(" "), 1<<20)
		for range 16 {
			_, _ = w.Write(piece)
		}
	})
	errs := everyCall(t, client)
	for op, want := range map[string]string{"lookup": "larger than 1 MiB", "ongoing": "larger than 8 MiB", "user": "larger than 8 MiB"} {
		if err := errs[op]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", op, err)
		}
	}
}
