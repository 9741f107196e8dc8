//go:build unix

package dingtalk_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
)

// How the vendor of the benchmark is told what to serve, in its environment.
const (
	servesChanged = "ROLLCALL_BENCH_CHANGED" // of a hundred meetings, at each query
	pollMeetings  = 1000
	pollBatch     = 100
	pollPeople    = 20
)

// BenchmarkPoll asks another process about 1,000 meetings of 20 people, in
// batches of 100, one pass right after the other. cpu-ns/meeting is what this
// process spends, its part of the kernel included; heap-B/meeting what it
// remembers of a meeting of 2.8 KB.
func BenchmarkPoll(b *testing.B) {
	for _, changed := range []int{0, 18, 100} {
		b.Run(fmt.Sprintf("%d_percent_changed", changed), func(b *testing.B) { benchmarkPoll(b, changed) })
	}
}

func benchmarkPoll(b *testing.B, changed int) {
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: vendor(b, changed),
		Auth:     dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: "key", ClientSecret: held("the app's")},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	ask := poller.Ask{
		Next: func() rollcall.Number { return rollcall.Number{} },
		Emit: func(context.Context, rollcall.Observation) error { return nil },
	}
	for m := range pollMeetings {
		ask.IDs = append(ask.IDs, pollID(m))
	}
	p := &poller.Poller{Source: client}
	before := heap()
	p.Pass(b.Context(), ask)
	remembered := heap() - before
	b.ReportAllocs()
	began := spent(b)
	for b.Loop() {
		report := p.Pass(b.Context(), ask)
		if report.Answered != pollMeetings || report.Unchanged != pollMeetings*(100-changed)/100 {
			b.Fatalf("%+v", report)
		}
	}
	b.ReportMetric(float64(spent(b)-began)/float64(b.N*pollMeetings), "cpu-ns/meeting")
	b.ReportMetric(float64(remembered)/pollMeetings, "heap-B/meeting")
}

// heap is how many bytes live on the heap.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what waits in pools goes with the second one
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// spent is the processor time that this process has used.
func spent(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func pollID(m int) string { return fmt.Sprintf("63c5fa2e9bbd6a2f9d%06x", m) }

// vendor starts a process that answers, and gives its address.
func vendor(b *testing.B, changed int) (endpoint string) {
	command := exec.Command(os.Args[0], "-test.run", "^TestVendorOfTheBenchmark$")
	command.Env = append(os.Environ(), servesChanged+"="+strconv.Itoa(changed))
	stop, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	said, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stop.Close()
		_ = command.Wait()
	})
	endpoint, err = bufio.NewReader(said).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(endpoint)
}

// TestVendorOfTheBenchmark serves answers that were written beforehand.
func TestVendorOfTheBenchmark(t *testing.T) {
	changed, err := strconv.Atoi(os.Getenv(servesChanged))
	if err != nil {
		t.Skip("it is started by BenchmarkPoll")
	}
	answers := map[string]*[2][]byte{}
	for m := 0; m < pollMeetings; m += pollBatch {
		answers[pollID(m)] = &[2][]byte{written(m, 0), written(m, changed)}
	}
	turn := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		fields := strings.SplitN(string(asked), `"`, 5)
		answer := []byte(`{"accessToken":"t","expireIn":7200}`)
		if both := answers[fields[3]]; both != nil {
			answer = both[turn/(pollMeetings/pollBatch)%2]
			turn++
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// written is the answer about a batch of which so many meetings changed.
func written(first, changed int) []byte {
	type object map[string]any
	infos := []object{}
	for m := range pollBatch {
		users := []object{}
		for p := range pollPeople {
			mic := 1
			if p == 7 && m < changed {
				mic = 2
			}
			users = append(users, object{
				"userId": fmt.Sprintf("iiPiPqe9dAk2iPiiPi%04d", p), "nick": fmt.Sprintf("张三 %d", p),
				"attendStatus": 3, "cameraStatus": 1 + p%2, "micStatus": mic, "rejectDescription": "",
			})
		}
		infos = append(infos, object{
			"conferenceId": pollID(first + m), "title": "Weekly planning 周会", "startTime": 1_785_000_000_000,
			"status": 2, "mediaStatus": 0, "userList": users,
		})
	}
	body, err := json.Marshal(object{"infos": infos})
	if err != nil {
		panic(err)
	}
	return body
}
