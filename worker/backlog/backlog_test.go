package backlog_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/worker/backlog"
)

func observation(n int) *rollcall.Observation {
	at := time.Date(2126, 11, 23, 2, 0, n, 5_000_000, time.UTC) // not long ago, whatever the time is
	return &rollcall.Observation{
		Tenant: "acme", Shard: n % 3, Number: rollcall.Number{Term: 7, Poll: uint64(n)}, AskedAt: at, AnsweredAt: at.Add(time.Second),
		Sightings: []rollcall.Sighting{
			{ConferenceID: "c.1", Kind: rollcall.SightingListed, Answer: &rollcall.Answer{
				Title: "<&>", Status: rollcall.StatusStarted, StartTime: at, Media: 4, MediaGiven: true, Listed: true, Partial: true,
				Entries:  []rollcall.Entry{{UserID: fmt.Sprint("u", n), Nick: "Ann \u2028", Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceOpen}, {Nick: "guest", RejectDescription: "no"}},
				Oddities: []rollcall.Oddity{{Field: "status", Value: "9"}},
			}},
			{ConferenceID: "c 2", Kind: rollcall.SightingEnded, EndTime: at, Reason: rollcall.ReasonResourceClosed},
			{ConferenceID: "c3", Kind: rollcall.SightingMissed},
		},
	}
}

func open(t testing.TB, cfg backlog.Config) *backlog.Backlog {
	t.Helper()
	b, err := backlog.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// everything takes the records of all keys.
func everything() backlog.Strays {
	return backlog.Strays{
		From: func(string) bool { return true },
		Part: func(obs *rollcall.Observation) *rollcall.Observation { return obs },
	}
}

// drain takes all that waits.
func drain(l *backlog.Lane) (all []*rollcall.Observation) {
	for obs := l.Take(); obs != nil; obs = l.Take() {
		all = append(all, obs)
		l.Done(obs)
	}
	return all
}

// fill leaves n observations in a file, as a killed process does.
func fill(t testing.TB, dir string, n int) (want []*rollcall.Observation, path string) {
	t.Helper()
	b := open(t, backlog.Config{Dir: dir})
	l := b.Lane("acme", backlog.Strays{})
	b.Hold()
	for i := range n {
		want = append(want, observation(i))
		l.Push(want[i])
	}
	if !b.Kept() {
		t.Fatal("not everything is in the file")
	}
	return want, filepath.Join(dir, "waiting.journal")
}

// find reads what a process finds, and leaves it there.
func find(t testing.TB, dir string) (all []*rollcall.Observation, damage []error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "waiting.journal"))
	if err != nil {
		t.Fatal(err)
	}
	return findIn(t, data)
}

func findIn(t testing.TB, data []byte) (all []*rollcall.Observation, damage []error) {
	t.Helper()
	b := open(t, backlog.Config{File: &shaky{data: data}})
	b.Tell(func(error) {}, func(err error) { damage = append(damage, err) })
	damage = b.Found().Damage
	return drain(b.Lane("reader", everything())), damage
}

func TestWhatWaitsIsReadBackInOrder(t *testing.T) {
	for _, window := range []int64{1, 5_000, 1 << 20} {
		dir := t.TempDir()
		want, _ := fill(t, dir, 200)
		b := open(t, backlog.Config{Dir: dir, Window: window})
		l := b.Lane("acme", backlog.Strays{})
		if n, oldest := l.Waiting(); n != 200 || oldest.IsZero() {
			t.Errorf("%d wait since %v", n, oldest)
		}
		if diff := cmp.Diff(want, drain(l)); diff != "" {
			t.Errorf("window %d, read back (-want +got):\n%s", window, diff)
		}
		if used, _ := b.Size(); used != 0 {
			t.Errorf("all is stored, and the file has %d bytes", used)
		}
	}
}

// The very order of a model: lanes that push and take as it comes, a ledger
// that fails and works, a disk that refuses, and processes that end.
func TestLanesKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		disk := &shaky{}
		var b *backlog.Backlog
		var lanes [3]*backlog.Lane
		begin := func() {
			var err error
			b, err = backlog.Open(backlog.Config{File: disk, Window: rapid.Int64Range(1, 20_000).Draw(rt, "window"), MaxBytes: 60_000, MaxMemory: 50_000})
			if err != nil {
				rt.Fatal(err)
			}
			for i := range lanes {
				lanes[i] = b.Lane(fmt.Sprint("lane", i), backlog.Strays{})
			}
		}
		begin()
		var waiting [3][]uint64 // by lane: the numbers that are not stored
		next := 0
		for range rapid.IntRange(1, 200).Draw(rt, "steps") {
			i := rapid.IntRange(0, 2).Draw(rt, "lane")
			switch rapid.SampledFrom([]string{"push", "push", "push", "take", "take", "hold", "break", "mend", "restart"}).Draw(rt, "step") {
			case "push":
				if lanes[i].Full() {
					continue
				}
				next++
				lanes[i].Push(observation(next))
				waiting[i] = append(waiting[i], uint64(next))
			case "take":
				obs := lanes[i].Take()
				if obs == nil && len(waiting[i]) > 0 {
					rt.Fatalf("nothing is given, %v wait", waiting[i])
				}
				if obs == nil {
					continue
				}
				if len(waiting[i]) == 0 || obs.Number.Poll != waiting[i][0] {
					rt.Fatalf("given is %d, waiting are %v", obs.Number.Poll, waiting[i])
				}
				lanes[i].Done(obs)
				waiting[i] = waiting[i][1:]
			case "hold":
				b.Hold()
			case "break":
				disk.fails = errors.New("no space left on device")
			case "mend":
				disk.fails = nil
			case "restart":
				if b.Hold(); !b.Kept() {
					continue
				}
				begin()
				for i, l := range lanes { // what was stored may come again
					for obs := l.Take(); obs != nil && (len(waiting[i]) == 0 || obs.Number.Poll < waiting[i][0]); obs = l.Take() {
						l.Done(obs)
					}
				}
			}
			for i, l := range lanes {
				if n, _ := l.Waiting(); n != len(waiting[i]) {
					rt.Fatalf("lane %d says that %d wait, those that do are %v", i, n, waiting[i])
				}
			}
		}
		disk.fails = nil
		for i, l := range lanes {
			for _, obs := range drain(l) {
				if obs.Number.Poll != waiting[i][0] {
					rt.Fatalf("given is %d, waiting are %v", obs.Number.Poll, waiting[i])
				}
				waiting[i] = waiting[i][1:]
			}
			if len(waiting[i]) > 0 {
				rt.Fatalf("lane %d: %v were lost", i, waiting[i])
			}
		}
		if used, _ := b.Size(); used != 0 || len(disk.data) != 0 {
			rt.Fatalf("all is stored, and the file has %d bytes", used)
		}
	})
}

// shaky is a file in memory that may refuse to be written.
type shaky struct {
	data  []byte
	fails error
}

func (s *shaky) ReadAt(data []byte, at int64) (int, error) {
	return strings.NewReader(string(s.data)).ReadAt(data, at)
}

func (s *shaky) WriteAt(data []byte, at int64) (int, error) {
	if s.fails != nil {
		s.data = append(s.data[:at:at], data[:len(data)/2]...)
		return len(data) / 2, s.fails
	}
	s.data = append(s.data[:at:at], data...)
	return len(data), nil
}

func (s *shaky) Truncate(size int64) error { s.data = s.data[:size:size]; return nil }
func (s *shaky) Size() (int64, error)      { return int64(len(s.data)), nil }
func (s *shaky) Sync() error               { return nil }
func (s *shaky) Close() error              { return nil }

func TestTornEndIsCutOff(t *testing.T) {
	dir := t.TempDir()
	want, path := fill(t, dir, 2)
	pristine, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(pristine) {
		file := &shaky{data: pristine[:size:size]}
		b := open(t, backlog.Config{File: file})
		n := b.Found().Observations["acme"]
		l := b.Lane("acme", backlog.Strays{})
		b.Hold()
		l.Push(observation(99))
		found, damage := findIn(t, file.data)
		if diff := cmp.Diff(append(want[:n:n], observation(99)), found); diff != "" || len(damage) > 0 {
			t.Fatalf("cut at %d (-want +got):\n%s\ndamage: %v", size, diff, damage)
		}
	}
}

func TestFlippedBitLosesOneRecordAlone(t *testing.T) {
	dir := t.TempDir()
	want, path := fill(t, dir, 2)
	pristine, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 8; at < len(pristine); at++ {
		flipped := append([]byte(nil), pristine...)
		flipped[at] ^= 1 << (at % 8)
		found, damage := findIn(t, flipped)
		if len(damage) == 0 || len(found) < len(want)-1 {
			t.Fatalf("a flipped bit in byte %d: %d of %d are left, damage %v", at, len(found), len(want), damage)
		}
	}
}

func TestFullFileAndMemoryAreBounds(t *testing.T) {
	dir := t.TempDir()
	b := open(t, backlog.Config{Dir: dir, MaxBytes: 20_000, Window: 1})
	busy, calm := b.Lane("busy", backlog.Strays{}), b.Lane("calm", backlog.Strays{})
	var last error
	b.Tell(func(err error) { last = err }, func(error) {})
	n := 0
	for ; !busy.Full(); n++ {
		busy.Push(observation(n))
	}
	info, err := os.Stat(filepath.Join(dir, "waiting.journal"))
	if err != nil || info.Size() > 20_000 || !errors.Is(last, backlog.ErrFull) || !strings.Contains(last.Error(), "journal.max_bytes") {
		t.Errorf("the file: %v, %v; the error: %v", info, err, last)
	}
	if calm.Push(observation(n)); calm.Full() || calm.Take() == nil {
		t.Error("a lane that is stored at once is held up by another one")
	}
	got := drain(busy)
	if len(got) != n || busy.Full() {
		t.Errorf("%d of %d are given; full: %v", len(got), n, busy.Full())
	}
}

func TestUnchangedMeetingsAreLeftOutAndTheirTimeIsKept(t *testing.T) {
	dir := t.TempDir()
	b := open(t, backlog.Config{Dir: dir, Window: 1})
	l := b.Lane("acme", backlog.Strays{})
	b.Hold()
	l.Push(observation(1))
	before, _ := b.Size()
	for i := range 5 {
		same := observation(2 + i)
		same.Sightings = []rollcall.Sighting{{ConferenceID: "c.1", Kind: rollcall.SightingListed, Raw: []byte("{}")}}
		l.Push(same)
	}
	if after, _ := b.Size(); after != before {
		t.Errorf("answers that say nothing new take %d bytes", after-before)
	}
	l.Push(observation(7))
	found, _ := find(t, dir)
	if len(found) != 2 || !found[1].Sightings[0].SeenAt.Equal(observation(6).AskedAt) {
		t.Errorf("that the meeting was still the same at the last question but one is not told: %+v", found[len(found)-1].Sightings[0])
	}
}

func TestOnlyWhatIsReadIsKept(t *testing.T) {
	dir := t.TempDir()
	b := open(t, backlog.Config{Dir: dir})
	l := b.Lane("acme", backlog.Strays{})
	b.Hold()
	obs := observation(1)
	obs.Sightings[0].Raw = []byte(`{"joinUrl":"https://meeting.example/secret","extra":1}`)
	l.Push(obs)
	data, err := os.ReadFile(filepath.Join(dir, "waiting.journal"))
	if err != nil || strings.Contains(string(data), "secret") || strings.Contains(string(data), "c2VjcmV0") || strings.Contains(string(data), "am9pblVy") {
		t.Errorf("the file holds the bytes of an answer: %q, %v", data, err)
	}
}

func TestJournalOfTheVersionBefore(t *testing.T) {
	golden, err := os.ReadFile("testdata/version1.journal")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "waiting.journal")
	if err := os.WriteFile(path, golden, 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, backlog.Config{Dir: dir})
	if n := b.Found().Observations["acme"]; n != 3 || len(b.Found().Damage) > 0 {
		t.Errorf("found %+v", b.Found())
	}
	l := b.Lane("new", everything())
	b.Hold()
	l.Push(observation(9))
	if data, err := os.ReadFile(path); err != nil || string(data[:8]) != "RCJRNL2\n" {
		t.Errorf("the version before would read %q, %v", data[:8], err)
	}
	for i, obs := range drain(l) {
		poll := []uint64{0, 1, 2, 9}[i]
		if obs.Number != (rollcall.Number{Term: 7, Poll: poll}) || len(obs.Sightings) != 3 {
			t.Errorf("%d: %+v", i, obs)
		}
		if i < 3 && string(obs.Sightings[0].Raw) != fmt.Sprintf(`{ "n": %d,"t":"<&>"}`, i) {
			t.Errorf("%d: %s", i, obs.Sightings[0].Raw)
		}
	}
}

func TestAnotherVersionIsLeftAlone(t *testing.T) {
	for name, data := range map[string]string{
		"another file":   "something else entirely",
		"another header": "RCJRNL9\nmore",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "waiting.journal")
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backlog.Open(backlog.Config{Dir: dir}); !backlog.IsNewer(err) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != data {
			t.Errorf("%s was changed to %q", name, after)
		}
	}
}

func TestUnusableDirectoryIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backlog.Open(backlog.Config{Dir: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

func TestClosedLaneGivesBackWhatIsNotInTheFile(t *testing.T) {
	b := open(t, backlog.Config{Dir: t.TempDir(), Window: 1500})
	old := b.Lane("acme#0/1", backlog.Strays{})
	for i := range 2 {
		old.Push(observation(i))
	}
	b.Hold()
	kept := old.Close()
	heir := b.Lane("acme#0/2", everything())
	for _, obs := range kept {
		heir.Push(obs)
	}
	heir.Push(observation(2))
	if got := drain(heir); len(got) != 3 || got[0].Number.Poll != 0 || got[2].Number.Poll != 2 {
		t.Errorf("given are %+v", got)
	}
	other := b.Lane("acme#1/2", backlog.Strays{})
	other.Push(observation(3))
	if left := other.Close(); len(left) != 1 {
		t.Errorf("given back are %+v", left)
	}
}

func TestWhatBelongsToAnotherLedgerIsSetAside(t *testing.T) {
	born := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	home := ledger.Position{Stream: "MEETINGS", Created: born, Last: 100}
	for name, c := range map[string]struct {
		now   ledger.Position
		aside bool
	}{
		"the same":      {ledger.Position{Stream: "MEETINGS", Created: born, Last: 120}, false},
		"another name":  {ledger.Position{Stream: "OTHER", Created: born, Last: 120}, true},
		"made anew":     {ledger.Position{Stream: "MEETINGS", Created: born.AddDate(0, 0, 9), Last: 120}, true},
		"restored":      {ledger.Position{Stream: "MEETINGS", Created: born, Last: 99}, true},
		"nothing known": {ledger.Position{}, true},
	} {
		for _, running := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " running ", running), func(t *testing.T) {
				dir := t.TempDir()
				b := open(t, backlog.Config{Dir: dir, Window: 1500})
				l := b.Lane("acme", backlog.Strays{})
				if _, err := b.Adopt(home); err != nil {
					t.Fatal(err)
				}
				for i := range 5 {
					l.Push(observation(i))
				}
				if !running {
					b.Hold()
					b = open(t, backlog.Config{Dir: dir})
				}
				aside, err := b.Adopt(c.now)
				if err != nil || (aside.Observations > 0) != c.aside {
					t.Fatalf("set aside: %+v, %v", aside, err)
				}
				if !running {
					l = b.Lane("acme", backlog.Strays{})
				}
				l.Push(observation(9))
				want := 6
				if c.aside {
					want = 1
				}
				if got := drain(l); len(got) != want || got[want-1].Number.Poll != 9 {
					t.Errorf("%d observations are given, want %d", len(got), want)
				}
				if !c.aside {
					return
				}
				moved := t.TempDir()
				if err := os.Rename(aside.Path, filepath.Join(moved, "waiting.journal")); err != nil {
					t.Fatal(err)
				}
				if kept, _ := find(t, moved); len(kept) != 5 {
					t.Errorf("%d observations are in the file that was set aside, want 5", len(kept))
				}
			})
		}
	}
}

func TestJournalWithoutAnOriginIsJudgedByItsTimesAndTerms(t *testing.T) {
	golden, err := os.ReadFile("testdata/version1.journal") // term 7, of 2026-11-23 02:00
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		created time.Time
		last    uint64
		aside   bool
	}{
		"plausible":                {time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), 7, false},
		"the ledger is younger":    {time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), 5000, true},
		"it has not come that far": {time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), 6, true},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "waiting.journal"), golden, 0o600); err != nil {
			t.Fatal(err)
		}
		b := open(t, backlog.Config{Dir: dir})
		aside, err := b.Adopt(ledger.Position{Stream: "MEETINGS", Created: c.created, Last: c.last})
		if err != nil || (aside.Path != "") != c.aside {
			t.Errorf("%s: %+v, %v", name, aside, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	golden, err := os.ReadFile("testdata/version1.journal")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	_, path := fill(f, f.TempDir(), 3)
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("RCJRNL1\n\xffRC\xfe\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "waiting.journal"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := backlog.Open(backlog.Config{Dir: dir})
		if err != nil {
			return
		}
		defer b.Close()
		b.Lane("acme", everything()).Push(observation(1))
		if found, _ := find(t, dir); b.Kept() && len(found) == 0 {
			t.Fatal("what was kept is not found")
		}
	})
}

func BenchmarkPush(b *testing.B) {
	all := open(b, backlog.Config{Dir: b.TempDir(), MaxBytes: 1 << 40})
	l := all.Lane("acme", backlog.Strays{})
	all.Hold()
	obs := observation(1)
	for b.Loop() {
		l.Push(obs)
	}
}
