//go:build linux

package endtoend_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
)

// TestLongThePowerFails takes everything away in one instant, again and again, from all
// servers and workers: their processes, and what the kernel had not written through. With
// `sync: always` all that anybody has read is there afterwards; without it the end of the
// stream may be gone, and what is told then follows on what is left.
func TestLongThePowerFails(t *testing.T) {
	long(t)
	for name, c := range map[string]struct {
		servers func(testing.TB) []*broker
		sync    string
	}{
		"one server, sync always":    {oneBroker, "always"},
		"one server, sync interval":  {oneBroker, ""},
		"three servers, sync always": {newCluster, "always"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			servers := c.servers(t)
			for i, b := range servers {
				b.dir, b.sync = filepath.Join(d.dir, strconv.Itoa(i)), c.sync
			}
			w, urls := worldOf(t, servers, "--meetings", "10", "--people", "15", "--rate", "40")
			sites := []*site{w.site("a", urls), w.site("b", urls)}
			for _, s := range sites {
				s.storeIn(filepath.Join(d.dir, s.name))
				s.config = edited(t, s.config, `schedule: "@every 1s"`, fmt.Sprintf(`schedule: "@every 1s", shards: %d`, replicaShards))
				s.config = edited(t, s.config, "tenants:", "stream: {replicas: "+strconv.Itoa(len(servers))+"}\ntenants:")
				s.start()
			}
			w.listen()
			w.shared(t, 2)
			for n := range 3 {
				w.polled(5 + 3*n)
				for _, b := range servers {
					b.kill()
				}
				for _, p := range w.workers {
					p.kill()
				}
				d.fail()
				for _, b := range servers {
					b.start()
				}
				for _, s := range sites {
					s.start()
				}
				if c.sync == "" {
					w.listen() // what was read may be gone, and its numbers given to others
				}
				w.shared(t, 2)
			}
			w.rounds(3)
			w.verdict().report(t)
			if c.sync == "always" {
				w.nothingReadIsGone()
			}
		})
	}
}

func oneBroker(t testing.TB) []*broker { return []*broker{{t: t, addr: free(t)}} }

// nothingReadIsGone expects each event that was read to be in the stream, as it was.
func (w *world) nothingReadIsGone() {
	w.t.Helper()
	there := map[uint64]stored{}
	for _, m := range below(whole(w.t, w.js, "MEETINGS"), "meetings.event.") {
		there[m.seq] = m
	}
	read := below(w.live.messages(), "meetings.event.")
	for _, m := range read {
		if !bytes.Equal(there[m.seq].data, m.data) {
			w.t.Errorf("message %d was read as %.300s, and is %.300s now", m.seq, m.data, there[m.seq].data)
		}
	}
	w.t.Logf("%d events were read", len(read))
	if len(read) == 0 {
		w.t.Error("nobody has read anything")
	}
}
