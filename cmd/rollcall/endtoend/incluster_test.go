//go:build unix

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// finding is what the judge says of all that happened so far.
type finding struct {
	Meetings, Polls, Events int
	Complaints              []string
}

// TestWitnessInACluster is no test of its own: deploy/cluster runs it in a pod, beside
// a simulator. Workers ask it for DingTalk, over TLS; whoever asks for /verdict has
// everything judged that was answered and stored until then. It ends with its pod.
func TestWitnessInACluster(t *testing.T) {
	upstream := os.Getenv("ROLLCALL_WITNESS")
	if upstream == "" {
		t.Skip("runs in a pod: make cluster-test")
	}
	w := &world{t: t, sim: &simulated{t: t, url: upstream}, witness: newWitness(t, upstream), apart: time.Second / 4}
	eventually(t, "the simulator has meetings", func() bool {
		w.sim.ids = w.sim.meetings()
		return len(w.sim.ids) > 0
	})
	questions := make(chan chan finding)
	w.open(questions)
	w.conn, w.js = connectInPod(t)
	for tick := time.Tick(time.Second); lastOf(w.js) == 0; <-tick { // images are loaded and volumes made meanwhile
	}
	w.listen()
	for answer := range questions {
		said := finding{Complaints: []string{"the world did not come to rest: see the witness's log"}}
		t.Run("verdict", func(t *testing.T) {
			now := *w
			now.t = t
			said = now.find()
		})
		answer <- said
	}
}

// find lets every meeting be asked about once more, and has what came of it judged.
func (w *world) find() finding {
	w.t.Helper()
	w.rounds(2)
	w.quiet()
	defer w.witness.resume()
	v, _ := w.judged()
	f := finding{Meetings: len(v.courses), Complaints: v.complaints}
	f.Polls, f.Events = v.counts()
	return f
}

// open serves DingTalk and the robots over TLS, and verdicts and the simulator's
// control without.
func (w *world) open(questions chan<- chan finding) {
	simulator, err := url.Parse(w.sim.url)
	if err != nil {
		w.t.Fatal(err)
	}
	straight := httputil.NewSingleHostReverseProxy(simulator)
	outside := http.NewServeMux()
	outside.Handle("/robot/", straight)
	outside.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) { w.witness.serve("cluster", rw, r) })
	control := http.NewServeMux()
	control.Handle("/", straight)
	control.HandleFunc("/verdict", func(rw http.ResponseWriter, _ *http.Request) {
		answer := make(chan finding)
		questions <- answer
		_ = json.NewEncoder(rw).Encode(<-answer) // whoever hung up asks again
	})
	certificate := os.Getenv("ROLLCALL_WITNESS_TLS")
	go func() {
		err := http.ListenAndServeTLS(":8443", filepath.Join(certificate, "tls.crt"), filepath.Join(certificate, "tls.key"), outside)
		panic(fmt.Sprint("serve DingTalk: ", err))
	}()
	go func() { panic(fmt.Sprint("serve verdicts: ", http.ListenAndServe(":8080", control))) }()
}

// connectInPod connects as a reader, and waits for NATS as long as it takes.
func connectInPod(t *testing.T) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	conn, err := nats.Connect(os.Getenv("ROLLCALL_WITNESS_NATS"), nats.CustomInboxPrefix("_INBOX.reader"),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if prefix := os.Getenv("ROLLCALL_WITNESS_JS_PREFIX"); prefix != "" {
		js, err = jetstream.NewWithAPIPrefix(conn, prefix)
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn, js
}

// meetings are the ids of what the simulator lists; none while it does not answer.
func (s *simulated) meetings() (ids []string) {
	response, err := http.Get(s.url + "/_sim/meetings")
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var all []simulatedMeeting
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		return nil
	}
	for _, m := range all {
		ids = append(ids, m.ConferenceID)
	}
	return ids
}
