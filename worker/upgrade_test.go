package worker_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/internal/ledgertest"
	"rollcall/worker"
	"rollcall/worker/backlog"
)

// golden is the record that a release wrote as schema 1, put into a ledger as
// it stands there after an upgrade; change makes another meeting of it.
func golden(t *testing.T, m *ledgertest.Memory, id string, change func(r map[string]any)) {
	t.Helper()
	data, err := os.ReadFile("../wire/testdata/record-1.json")
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r["conferenceId"] = id; change != nil {
		change(r)
	}
	if data, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	put(t, m, ledger.Message{Subject: names.State("acme", id), Data: data, Rollup: true, TTL: "never"})
	tracking, err := ledger.TrackMessage(names, "acme", ledger.Tracking{ConferenceID: id, Source: "api", Since: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	put(t, m, tracking)
}

func put(t *testing.T, m *ledgertest.Memory, msgs ...ledger.Message) {
	t.Helper()
	if _, err := m.Commit(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
}

// ongoing makes the golden record that of a meeting in full swing.
func ongoing(r map[string]any) {
	r["partial"], r["untracked"], r["summarized"], r["endReason"], r["endedAt"] = nil, false, false, "", nil
}

func TestGoldenRecordsGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		first  uint64 // the sequence of the first event
		want   []string
	}{
		// The golden record is of an untracked meeting: tracked again it begins anew.
		"as it stands": {nil, 1, []string{"meeting.started", "participant.joined u1", "participant.joined u9"}},
		"ongoing": {ongoing, 43, []string{
			"participant.mic_closed u1", "participant.invitation_lapsed anon:李 雷#1", "participant.joined u9",
			"meeting.title_changed", "participant.renamed u1",
		}},
		"a slice": {func(r map[string]any) {
			partial := r["partial"]
			ongoing(r)
			r["partial"] = partial
		}, 43, []string{"participant.joined u9", "participant.invitation_lapsed anon:李 雷#1"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, m := newWorld(), ledgertest.NewMemory(names)
				for range 10 { // the claim of the old release had the term 7 of the record
					put(t, m, ledger.Message{Subject: names.Prefix + ".earlier", Data: []byte("x")})
				}
				golden(t, m, "c.1 会", c.change)
				w.set("c.1 会", "u1", "u9")
				p := start(t, "w1", m, w, nil)
				elapse(time.Minute)
				p.stop(t)
				told := events(t, m, "c.1 会")
				words := strings.Join(tell(told), "\n")
				for _, want := range c.want {
					if !strings.Contains(words, want) {
						t.Errorf("%s is not told:\n%s", want, words)
					}
				}
				for i, e := range told {
					if e.Sequence != c.first+uint64(i) {
						t.Fatalf("event %d has sequence %d, the first %d", i, e.Sequence, c.first)
					}
				}
				if r := record(t, m, "c.1 会"); r.Meeting.Present != 2 || len(r.Roster) != 2 || r.Partial != nil || c.first > 1 && r.Epoch != 1700000000000 {
					t.Errorf("the record is %+v", r)
				}
			})
		})
	}
}

func TestGoldenJournalIsReplayed(t *testing.T) {
	old, err := os.ReadFile("backlog/testdata/version1.journal")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "waiting.journal"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	bubble(t, func(t *testing.T) {
		kept, err := backlog.Open(backlog.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer kept.Close()
		w, m := newWorld(), ledgertest.NewMemory(names)
		for _, id := range []string{"c.1", "c 2", "c3"} {
			golden(t, m, id, func(r map[string]any) {
				ongoing(r)
				r["term"], r["poll"] = 6, 1 // older than the journal, which is of term 7
			})
			w.forget(id)
		}
		w.set("c.1", "u1", "u9")
		p := start(t, "w1", m, w, func(c *worker.Config) { c.Backlog = kept })
		elapse(time.Minute)
		p.stop(t)
		words := strings.Join(tell(events(t, m, "c 2")), "\n")
		if !strings.Contains(words, "participant.left u1") || !strings.HasSuffix(words, "meeting.ended") {
			t.Errorf("the end that stands in the journal is told as\n%s", words)
		}
		if r := record(t, m, "c 2"); r.EndReason != rollcall.ReasonResourceClosed || r.Number.Term != 7 {
			t.Errorf("its record is %+v", r)
		}
		if r := record(t, m, "c3"); r.EndReason != rollcall.ReasonVanished || !r.EndedAt.Equal(time.Date(2026, 11, 23, 2, 0, 2, 5e6, time.UTC)) {
			t.Errorf("the misses in the journal lead to %+v", r)
		}
		if r := record(t, m, "c.1"); r.Meeting.Present != 2 {
			t.Errorf("the meeting that goes on stands at %+v", r)
		}
		if used(kept) > 0 {
			t.Error("the journal is not empty after it was replayed")
		}
	})
}

// TestRollingRestart lets a worker of the next schema write in between.
func TestRollingRestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		w.set("ours", "ann")
		w.set("theirs", "eve")
		p := start(t, "w1", m, w, track("ours", "theirs"))
		elapse(time.Minute)
		before := tell(events(t, m, "theirs"))
		newer := ledger.Message{
			Subject: names.State("acme", "theirs"), Data: []byte(`{"schema":2,"conferenceId":"theirs","roster":{"in":"another shape"}}`), Rollup: true, TTL: "never",
		}
		put(t, m, newer)
		w.set("ours", "ann", "bob")
		w.set("theirs", "eve", "zoe")
		elapse(3 * time.Hour)
		p.stop(t)
		p = start(t, "w1", m, w, track("ours", "theirs")) // an old worker that starts meets it too
		elapse(3 * time.Hour)
		expect(t, m, "ours", "meeting.started", "participant.joined ann", "participant.joined bob")
		expect(t, m, "theirs", before...)
		stored, err := m.Load(t.Context(), "acme", []string{"theirs"})
		if err != nil || stored["theirs"].Err == nil {
			t.Fatalf("the newer record was overwritten: %+v, %v", stored["theirs"], err)
		}
		if view, err := p.worker.Show(t.Context(), "acme", "theirs"); err != nil || !strings.Contains(view.Trouble, "newer version") {
			t.Errorf("shown is %+v, %v", view, err)
		}
		if n := p.logs.FilterMessageSnippet("set aside").Len(); n == 0 || n > 12 {
			t.Errorf("it was logged %d times in three hours", n)
		}
		newer.Data, newer.TTL = nil, "1s" // the record is gone
		put(t, m, newer)
		elapse(3 * time.Hour)
		p.stop(t)
		told := events(t, m, "theirs")[len(before):]
		if words := tell(told); strings.Join(words, " ") != "meeting.started participant.joined eve participant.joined zoe" {
			t.Errorf("with the newer record gone, told is %v", words)
		}
		if len(told) > 0 && told[0].Sequence != 1 {
			t.Errorf("it goes on with sequence %d", told[0].Sequence)
		}
	})
}

// TestNewerClaimIsSaid lets a newer release claim the shard: what is observed
// waits, and is not lost.
func TestNewerClaimIsSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, m := newWorld(), ledgertest.NewMemory(names)
		l := &line{Memory: m, paper: &paper{}, world: w, book: newBook()}
		w.set("c1", "ann")
		p := connect(t, "w1", l, track("c1"))
		elapse(time.Second)
		put(t, m, ledger.Message{Subject: names.Claim("acme", 0), Data: []byte(`{"schema":2,"holder":{"id":"w9"}}`), Rollup: true, TTL: "never"})
		l.set(only(os.ErrDeadlineExceeded, "heartbeat"))
		elapse(10 * time.Second)
		l.set(nil)
		w.set("c1", "bob")
		elapse(time.Minute)
		if n := p.logs.FilterMessageSnippet("storing what was observed fails").Len(); n != 1 {
			t.Errorf("it was said %d times that the claim cannot be read", n)
		}
		expect(t, m, "c1", "meeting.started", "participant.joined ann")
		if h := p.worker.Health()[0]; h.Waiting == 0 {
			t.Errorf("the health is %+v", h)
		}
		p.kill()
		if err := <-p.ended; err != nil {
			t.Errorf("what waits is in the journal, and the worker stopped with %v", err)
		}
		if l.paper.len() == 0 {
			t.Error("the journal is empty")
		}
		if _, err := m.Claim(t.Context(), "acme", 0, "w10"); err != nil {
			t.Fatal(err)
		}
		p = connect(t, "w1", l, track("c1"))
		elapse(time.Minute)
		p.stop(t)
		expect(t, m, "c1", "meeting.started", "participant.joined ann", "participant.left ann", "participant.joined bob")
	})
}

func used(b *backlog.Backlog) int64 {
	bytes, _ := b.Size()
	return bytes
}
