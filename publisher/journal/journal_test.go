package journal_test

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
	"rollcall/publisher/journal"
)

func observation(n int) *rollcall.Observation {
	at := time.Date(2026, 11, 23, 2, 0, n, 5_000_000, time.UTC)
	return &rollcall.Observation{
		Tenant: "acme", Shard: n % 3, Number: rollcall.Number{Term: 7, Poll: uint64(n)}, AskedAt: at, AnsweredAt: at.Add(time.Second),
		Sightings: []rollcall.Sighting{
			{ConferenceID: "c.1", Kind: rollcall.SightingListed, Raw: []byte(fmt.Sprintf(`{ "n": %d,"t":"<&>"}`, n))},
			{ConferenceID: "c 2", Kind: rollcall.SightingEnded, EndTime: at, Reason: rollcall.ReasonResourceClosed},
			{ConferenceID: "c3", Kind: rollcall.SightingMissed},
		},
	}
}

func open(t *testing.T, dir string, max int64) (*journal.Journal, journal.Found) {
	t.Helper()
	j, found, err := journal.Open(journal.Config{Dir: dir, MaxBytes: max})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, found
}

// fill leaves a journal with n observations, as a killed process does.
func fill(t *testing.T, dir string, n int) (want []*rollcall.Observation, path string) {
	t.Helper()
	j, _ := open(t, dir, 0)
	for i := range n {
		want = append(want, observation(i))
		if err := j.Append(want[i]); err != nil {
			t.Fatal(err)
		}
	}
	return want, filepath.Join(dir, "waiting.journal")
}

func TestWhatWasAppendedIsReadBack(t *testing.T) {
	dir := t.TempDir()
	want, _ := fill(t, dir, 20)
	j, found := open(t, dir, 0)
	if diff := cmp.Diff(want, found.Observations); diff != "" || len(found.Damage) != 0 {
		t.Errorf("read back (-want +got):\n%s\ndamage: %v", diff, found.Damage)
	}
	if err := errors.Join(j.Sync(), j.Clear(), j.Close()); err != nil {
		t.Fatal(err)
	}
	if j, found := open(t, dir, 0); len(found.Observations) != 0 || !j.Empty() {
		t.Errorf("after it was cleared %d observations are read", len(found.Observations))
	}
}

func TestTornEndIsCutOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "j")
		if err != nil {
			rt.Fatal(err)
		}
		want, path := fill(t, dir, 5)
		info, err := os.Stat(path)
		if err != nil {
			rt.Fatal(err)
		}
		size := rapid.Int64Range(0, info.Size()).Draw(rt, "size")
		if err := os.Truncate(path, size); err != nil {
			rt.Fatal(err)
		}
		j, found := open(t, dir, 0)
		n := len(found.Observations)
		if diff := cmp.Diff(want[:n], found.Observations); diff != "" && n > 0 {
			rt.Fatalf("what is left differs:\n%s", diff)
		}
		if err := j.Append(observation(99)); err != nil {
			rt.Fatal(err)
		}
		_, found = open(t, dir, 0)
		if len(found.Observations) != n+1 || len(found.Damage) != 0 || found.Observations[n].Number.Poll != 99 {
			rt.Fatalf("after the torn end %d of %d are read, damage %v", len(found.Observations), n+1, found.Damage)
		}
	})
}

func TestFlippedBitLosesOneRecordAlone(t *testing.T) {
	dir := t.TempDir()
	want, path := fill(t, dir, 5)
	pristine, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 8; at < len(pristine); at++ {
		flipped := append([]byte(nil), pristine...)
		flipped[at] ^= 1 << (at % 8)
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		_, found := open(t, dir, 0)
		if len(found.Observations) != len(want)-1 || len(found.Damage) == 0 {
			t.Fatalf("a flipped bit in byte %d: %d of %d are left, damage %v", at, len(found.Observations), len(want), found.Damage)
		}
	}
}

func TestFullJournalTakesNothing(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir, 2000)
	n := 0
	var err error
	for ; err == nil; n++ {
		err = j.Append(observation(n))
	}
	used, most := j.Size()
	if !errors.Is(err, journal.ErrFull) || used > most {
		t.Errorf("%d of %d bytes are used: %v", used, most, err)
	}
	if _, found := open(t, dir, 2000); len(found.Observations) != n-1 {
		t.Errorf("%d are read, %d were taken", len(found.Observations), n-1)
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
		if _, _, err := journal.Open(journal.Config{Dir: dir}); err == nil {
			t.Errorf("%s was opened", name)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != data {
			t.Errorf("%s was changed to %q", name, after)
		}
	}
}

func TestGoldenJournalOfVersion1(t *testing.T) {
	golden, err := os.ReadFile("testdata/version1.journal")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "waiting.journal"), golden, 0o600); err != nil {
		t.Fatal(err)
	}
	_, found := open(t, dir, 0)
	want := []*rollcall.Observation{observation(0), observation(1), observation(2)}
	if diff := cmp.Diff(want, found.Observations); diff != "" || len(found.Damage) != 0 {
		t.Errorf("(-want +got):\n%s\ndamage: %v", diff, found.Damage)
	}
}

func TestUnusableDirectoryIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := journal.Open(journal.Config{Dir: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("RCJRNL1\n"))
	f.Add([]byte("RCJRNL1\n\xffRC\xfe\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "waiting.journal"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, found, err := journal.Open(journal.Config{Dir: dir})
		if err != nil {
			return
		}
		defer j.Close()
		if err := j.Append(observation(1)); err != nil {
			t.Fatal(err)
		}
		again, _, err := journal.Open(journal.Config{Dir: dir})
		if err != nil {
			t.Fatalf("a journal that was mended cannot be opened: %v", err)
		}
		defer again.Close()
		_ = found
	})
}

func BenchmarkAppend(b *testing.B) {
	j, _, err := journal.Open(journal.Config{Dir: b.TempDir(), MaxBytes: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	obs := observation(1)
	for b.Loop() {
		if err := j.Append(obs); err != nil {
			b.Fatal(err)
		}
	}
}
