//go:build unix

package endtoend_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestLongTheStreamIsReplaced takes the stream away under two workers in each way there
// is: the server comes back with a backup, the stream is purged, the stream is deleted.
// What was told since the backup is gone with the stream; all that is told afterwards
// follows on what is left, and nothing of it is lost, twice or false.
func TestLongTheStreamIsReplaced(t *testing.T) {
	long(t)
	for name, replace := range map[string]func(*world){
		"by a backup": func(w *world) {
			backup := t.TempDir()
			w.broker.kill()
			w.must(os.CopyFS(backup, os.DirFS(w.broker.dir)))
			w.broker.start()
			w.rounds(8)
			w.broker.kill()
			w.must(os.RemoveAll(w.broker.dir))
			w.must(os.CopyFS(w.broker.dir, os.DirFS(backup)))
			w.broker.start()
		},
		"by an empty one": func(w *world) { w.must(stream(t, w.js, "MEETINGS").Purge(t.Context())) },
		"by a new one":    func(w *world) { w.must(w.js.DeleteStream(t.Context(), "MEETINGS")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "--meetings", "8", "--people", "12", "--rate", "30")
			for _, name := range []string{"a", "b"} {
				s := w.site(name, w.broker.url())
				s.config = edited(t, s.config, `schedule: "@every 1s"`, fmt.Sprintf(`schedule: "@every 1s", shards: %d`, replicaShards))
				s.config = edited(t, s.config, "level: debug", "level: info")
				s.start()
			}
			w.shared(t, 2)
			w.polled(10)
			written := map[*worker]int{}
			for _, p := range w.workers {
				written[p] = len(p.err.String())
			}
			replace(w)
			w.listen()
			for _, p := range w.workers {
				eventually(t, p.name+" has noticed, or has lost nothing", func() bool {
					since := p.err.String()[written[p]:]
					return strings.Contains(since, "the ledger was replaced") || strings.Contains(since, "membership works again")
				})
			}
			w.shared(t, 2)
			w.rounds(3)
			w.verdict().report(t)
		})
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
