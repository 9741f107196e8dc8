//go:build unix

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// guard is something that keeps a promise, and the edit of the source that switches it
// off.
type guard struct {
	name string
	edit edit
}

// chaosGuards are those that attacks of a minute and a half were seen to miss. Others
// stand behind these two: worker switches them off in plays that need them.
func chaosGuards(root string) []guard {
	return []guard{
		{"compare-and-swap", edit{filepath.Join(root, "publisher/batch.go"), "{guarded, m.Guarded}", "{guarded, false}"}},
		{"the number of a question", edit{filepath.Join(root, "worker/compare.go"), "!obs.Number.After(e.record.Number())", "false"}},
	}
}

// TestChaosMissesEachGuard switches the guards off, one at a time, and has the judge of
// the attack find that out. It says how many complaints there were, and how fast.
func TestChaosMissesEachGuard(t *testing.T) {
	if os.Getenv("ROLLCALL_CHAOS_GUARDS") == "" {
		t.Skip("an attack for each guard: make chaos-guards")
	}
	root := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}"))
	for _, g := range chaosGuards(root) {
		t.Run(g.name, func(t *testing.T) {
			began := time.Now()
			attack := exec.Command(os.Args[0], "-test.run=^TestLongChaos$/^one_server$", "-test.v", "-test.timeout=20m")
			attack.Env = append(os.Environ(), "ROLLCALL_LONG=1", binaryVariable+"="+overlaid(t, g.edit))
			said, err := attack.CombinedOutput()
			complaints := regexp.MustCompile(`(?m)^ +\w+_test\.go:\d+: (.*)$`).FindAllStringSubmatch(string(said), -1)
			if err == nil {
				t.Fatalf("nobody missed it:\n%s", said[max(0, len(said)-4000):])
			}
			t.Logf("missed after %s; the last words: %s", time.Since(began).Round(time.Second), complaints[len(complaints)-1][1])
			if more := regexp.MustCompile(`and (\d+) complaints more`).FindStringSubmatch(string(said)); more != nil {
				t.Logf("12 complaints, and %s more", more[1])
			}
		})
	}
}

// The edits are tried with each run of the tests, as the attacks are not.
func TestGuardsAreWhereTheyCanBeSwitchedOff(t *testing.T) {
	for _, g := range chaosGuards(filepath.Join("..", "..", "..")) {
		if g.edit.applied(t) == "" {
			t.Errorf("%s: nothing is left", g.name)
		}
	}
}

// edit puts other text in the place of what stands in a file once, or makes a file where
// nothing is replaced.
type edit struct{ file, old, fresh string }

// applied returns the source as it is edited.
func (e edit) applied(t testing.TB) string {
	t.Helper()
	if e.old == "" {
		return e.fresh
	}
	source := contents(t, e.file)
	if n := strings.Count(source, e.old); n != 1 {
		t.Fatalf("%s holds %q %d times: it is somewhere else now", e.file, e.old, n)
	}
	return strings.Replace(source, e.old, e.fresh, 1)
}

// overlaid builds rollcall of sources that are edited, and returns its path.
func overlaid(t testing.TB, edits ...edit) string {
	t.Helper()
	dir, instead := t.TempDir(), map[string]string{}
	for n, e := range edits {
		instead[e.file] = write(t, dir, fmt.Sprintf("edited%d.go", n), e.applied(t))
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": instead})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "rollcall")
	output(t, "go", "build", "-overlay", write(t, dir, "overlay.json", string(overlay)), "-o", path, "..")
	return path
}

func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
