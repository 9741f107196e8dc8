package backlog_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/worker/backlog"
)

// crowd is an observation of a hundred meetings of twenty people.
func crowd(n int) *rollcall.Observation {
	obs := observation(n)
	obs.Sightings = obs.Sightings[:0]
	for m := range 100 {
		answer := &rollcall.Answer{Title: "Weekly", Status: rollcall.StatusStarted, Listed: true}
		for u := range 20 {
			answer.Entries = append(answer.Entries, rollcall.Entry{
				UserID: fmt.Sprintf("user%d-%d-%d", n, m, u), Nick: "Somebody", Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceClosed,
			})
		}
		obs.Sightings = append(obs.Sightings, rollcall.Sighting{
			ConferenceID: fmt.Sprint("meeting", m), Kind: rollcall.SightingListed, Raw: make([]byte, 3000), Answer: answer,
		})
	}
	return obs
}

// TestFillAndDrain is the other process of the test below.
func TestFillAndDrain(t *testing.T) {
	dir := os.Getenv("ROLLCALL_TEST_BACKLOG")
	if dir == "" {
		t.Skip("this is the other process of TestMemoryIsTheWindowHoweverLargeTheFile")
	}
	size := int64(48 << 20)
	if os.Getenv("ROLLCALL_LONG") != "" {
		size = backlog.DefaultMaxBytes
	}
	b := open(t, backlog.Config{Dir: dir, MaxBytes: size})
	l := b.Lane("acme", backlog.Strays{})
	n, _ := l.Waiting()
	if b.Hold(); n == 0 {
		for !l.Full() {
			l.Push(crowd(n))
			n++
		}
		fmt.Println("pushed", n)
		return // as if it were killed
	}
	for i := range n {
		obs := l.Take()
		if obs == nil || obs.Number.Poll != uint64(i) || len(obs.Sightings) != 100 {
			t.Fatalf("%d of %d: %+v", i, n, obs)
		}
		l.Done(obs)
	}
	fmt.Println("taken", n)
}

// A journal that is full is read back by a process that has little memory, as
// it was written by one.
func TestMemoryIsTheWindowHoweverLargeTheFile(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the memory of what it watches")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this system does not tell the most memory that a process has had")
	}
	dir := t.TempDir()
	for _, word := range []string{"pushed", "taken"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFillAndDrain$")
		child.Env = append(os.Environ(), "ROLLCALL_TEST_BACKLOG="+dir, "ROLLCALL_TEST_PEAK=1")
		out, err := child.CombinedOutput()
		if err != nil || !strings.Contains(string(out), word) {
			t.Fatalf("%v:\n%s", err, out)
		}
		peak := peakOf(t, string(out))
		t.Logf("%s: %d MiB at most", word, peak>>10)
		if peak > 64<<10 {
			t.Errorf("%s with %d MiB of memory, want at most 64", word, peak>>10)
		}
	}
}

// raced reports whether this test was built with the race detector.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("ROLLCALL_TEST_PEAK") != "" {
		if status, err := os.ReadFile("/proc/self/status"); err == nil {
			fmt.Printf("%s\n", status)
		}
	}
	os.Exit(code)
}

// peakOf reads VmHWM, in KiB.
func peakOf(t *testing.T, status string) int {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(status))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatal("the process did not tell its memory")
	return 0
}
