package worker_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
	"rollcall/worker/backlog"
)

// paper is the journal's file in memory, which outlives processes.
type paper struct {
	mu    sync.Mutex
	data  []byte
	room  int64 // bytes it may take; 0: any number
	fails error // of writes
}

func (p *paper) ReadAt(data []byte, at int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.NewReader(p.data).ReadAt(data, at)
}

func (p *paper) WriteAt(data []byte, at int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return 0, p.fails
	}
	p.data = append(p.data[:at:at], data...)
	return len(data), nil
}

func (p *paper) Truncate(size int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data = p.data[:size:size]
	return nil
}

func (p *paper) Size() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.data)), nil
}

func (p *paper) Sync() error  { return nil }
func (p *paper) Close() error { return nil }

// open gives a process the file, with little room in memory so that it is used.
func (p *paper) open(file backlog.File) *backlog.Backlog {
	p.mu.Lock()
	room := p.room
	p.mu.Unlock()
	b, err := backlog.Open(backlog.Config{File: file, Window: 1 << 10, MaxBytes: room})
	if err != nil {
		panic(err)
	}
	return b
}

// read gives what a new process finds.
func (p *paper) read() (found []*rollcall.Observation) {
	twin := p.twin()
	lane := twin.open(twin).Lane("reader", backlog.Strays{
		From: func(string) bool { return true },
		Part: func(obs *rollcall.Observation) *rollcall.Observation { return obs },
	})
	for obs := lane.Take(); obs != nil; obs = lane.Take() {
		found = append(found, obs)
		lane.Done(obs)
	}
	return found
}

// twin is a file with the same in it.
func (p *paper) twin() *paper {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &paper{data: bytes.Clone(p.data)}
}

func (p *paper) len() int { return len(p.read()) }

// leave writes what an earlier process has left.
func (p *paper) leave(key string, all ...*rollcall.Observation) {
	b := p.open(p)
	lane := b.Lane(key, backlog.Strays{})
	b.Hold()
	for _, obs := range all {
		lane.Push(obs)
	}
}

func journaled(p *paper, ids ...string) func(*worker.Config) {
	return func(c *worker.Config) {
		c.Tenants[0].Conferences = ids
		c.Backlog = p.open(p)
	}
}

func TestJournalOutlivesTheProcess(t *testing.T) {
	for name, shards := range map[string]int{"same shards": 1, "other shards": 4} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
				l := &wrapped{Memory: m}
				w.set("c1", "ann")
				w.set("c2", "eve")
				p := start(t, "w1", l, w, journaled(j, "c1", "c2"))
				elapse(time.Second)
				if j.len() != 0 {
					t.Errorf("%d observations were journaled though the ledger took everything", j.len())
				}
				l.fail(errors.New("no responders"))
				for i := range 10 {
					w.set("c1", "ann", fmt.Sprint("guest", i))
					elapse(15 * time.Second)
				}
				if j.len() < 9 || j.len() > 11 {
					t.Errorf("%d observations are in the journal, want 10", j.len())
				}
				p.kill() // it cannot store what it holds, but the journal has it
				if err := <-p.ended; err != nil {
					t.Errorf("the worker stopped with %v", err)
				}
				l.fail(nil)
				w.set("c1", "zoe")
				p = start(t, "w2", l, w, func(c *worker.Config) {
					journaled(j, "c1", "c2")(c)
					c.Tenants[0].Shards = shards
				})
				elapse(20 * time.Second)
				p.stop(t)
				words := strings.Join(tell(events(t, m, "c1")), "\n")
				for i := range 10 {
					if !strings.Contains(words, fmt.Sprint("participant.joined guest", i)) {
						t.Errorf("guest %d was seen while the ledger was away, and is not told", i)
					}
				}
				if !strings.HasSuffix(words, "participant.left guest9\nparticipant.joined zoe") {
					t.Errorf("what comes last is wrong:\n%s", words)
				}
				lawful(t, m, "c1")
				expect(t, m, "c2", "meeting.started", "participant.joined eve")
				if j.len() != 0 {
					t.Errorf("%d observations are left in the journal", j.len())
				}
			})
		})
	}
}

func TestReplayOfWhatIsStoredPublishesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, journaled(j, "c1"))
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		w.set("c1", "bob")
		elapse(15 * time.Second)
		left := j.twin()
		l.fail(nil)
		elapse(15 * time.Second)
		p.stop(t)
		before := tell(events(t, m, "c1"))
		p = start(t, "w2", l, w, func(c *worker.Config) {
			journaled(left, "c1")(c)
		})
		elapse(time.Minute)
		p.stop(t)
		expect(t, m, "c1", before...)
	})
}

func TestReplayForAnotherOwnerInventsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{}
		cut := &wrapped{Memory: m}
		w.set("c1", "ann")
		p1 := start(t, "w1", cut, w, journaled(j, "c1"))
		elapse(time.Second)
		cut.fail(errors.New("cut off"))
		w.set("c1", "bob")
		elapse(20 * time.Second)
		p1.kill()
		<-p1.ended
		if j.len() == 0 {
			t.Fatal("nothing was journaled")
		}
		w.set("c1", "ann")
		p2 := start(t, "w2", m, w, track("c1"))
		elapse(time.Minute)
		p1 = start(t, "w3", m, w, journaled(j, "c1"))
		elapse(time.Minute)
		p1.stop(t)
		p2.stop(t)
		// Bob was there, but a newer answer is recorded: telling him now would be false.
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
	})
}

func TestFullJournalPausesPolling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{room: 1500}
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, journaled(j, "c1"))
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		for i := range 20 {
			w.set("c1", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		if n := w.asked(); n > 8 || !p.worker.Health()[0].Paused {
			t.Errorf("%d questions were asked; paused is %v", n, p.worker.Health()[0].Paused)
		}
		l.fail(nil)
		elapse(time.Minute)
		if p.worker.Health()[0].Paused {
			t.Error("polling is still paused")
		}
		lawful(t, m, "c1")
		if r := record(t, m, "c1"); len(r.Roster) != 1 || r.Roster[0].Key != "guest19" {
			t.Errorf("the roster is %v", r.Roster)
		}
		p.stop(t)
	})
}

func TestBrokenDiskIsSaidAndMemoryCarriesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m, j := newWorld(), ledgertest.NewMemory(names), &paper{fails: errors.New("no space left on device")}
		l := &wrapped{Memory: m}
		w.set("c1", "ann")
		p := start(t, "w1", l, w, journaled(j, "c1"))
		elapse(time.Second)
		l.fail(errors.New("no responders"))
		for i := range 5 {
			w.set("c1", fmt.Sprint("guest", i))
			elapse(15 * time.Second)
		}
		if n := p.logs.FilterMessageSnippet("the journal").Len(); n != 1 {
			t.Errorf("the broken disk was logged %d times", n)
		}
		l.fail(nil)
		elapse(20 * time.Second)
		words := strings.Join(tell(events(t, m, "c1")), " ")
		for i := range 5 {
			if !strings.Contains(words, fmt.Sprint("joined guest", i)) {
				t.Errorf("guest %d is not told", i)
			}
		}
		p.stop(t)
	})
}
