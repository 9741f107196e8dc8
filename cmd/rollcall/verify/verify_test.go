package verify_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/cmd/rollcall/verify"
)

// interpreter is Python's program itself: in the path may be a script that looks for it.
func interpreter(t *testing.T) string {
	t.Helper()
	path, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skipf("python3 does not run on this machine: %v", err)
	}
	return strings.TrimSpace(string(path))
}

// verified runs the consumer of testdata with each old text replaced by the new
// one, and returns the faults that were found and what was said of them.
func verified(t *testing.T, python string, replaced ...string) (faults, breaches []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/consumer.py")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(string(text), replaced[i]) {
			t.Fatalf("the consumer has no %q", replaced[i])
		}
	}
	file := filepath.Join(t.TempDir(), "consumer.py")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(replaced...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	consumer := verify.Consumer{Command: []string{python, file}, Timeout: time.Minute}
	kept := 0
	broken, err := consumer.Verify(t.Context(), func(v verify.Verdict) {
		if v.Breach == "" {
			kept++
			return
		}
		faults, breaches = append(faults, v.Fault), append(breaches, v.Breach)
	})
	if err != nil || broken != len(faults) || kept < 10 && broken == 0 {
		t.Fatalf("%d broken, %d kept, %v", broken, kept, err)
	}
	return faults, breaches
}

func TestARightConsumerPasses(t *testing.T) {
	if faults, breaches := verified(t, interpreter(t)); len(faults) > 0 {
		t.Errorf("%q: %q", faults, breaches)
	}
}

// Each wrong consumer is right but for one thing, and is told that one.
func TestAWrongConsumerIsToldItsFaultLong(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	python := interpreter(t)
	for fault, replaced := range map[string][]string{
		"mistaking what happens":                  {`"joining", "participant.joined": "present"`, `"present", "participant.joined": "joining"`},
		"double counting after a kick":            {`"participant.kicked_out", `, ``},
		"applying a repetition":                   {` or data["sequence"] <= m["sequence"]`, ``},
		"ignoring epoch":                          {`if data["epoch"] > m["epoch"]`, `if not m["epoch"]`},
		"ignoring a gap":                          {`if data["sequence"] > m["sequence"] + 1`, `if False`},
		"trusting time for order":                 {`    m["sequence"] = data["sequence"]`, `    if event["time"] < m.get("time", ""): return` + "\n" + `    m.update(sequence=data["sequence"], time=event["time"])`},
		"dying on an unknown type":                {`m["people"][data["participant"]["key"]] = CAME`, `m["people"][data["participant"]["key"]] = CAME`, `elif kind in CAME:`, `elif kind.startswith("participant.") and "mic_" not in kind and "camera_" not in kind:`},
		"misreading a newer schema":               {`!= "rollcall:event:1"`, `== "x"`},
		"counting baseline as new":                {` and data["provenance"] != "baseline"`, ``},
		"taking a part for the whole":             {`if record["partial"]`, `if False`},
		"mistaking a watch event for a meeting's": {`if "conferenceId" not in event["data"]`, `if False`},
		"losing untracked":                        {`, "meeting.untracked"`, ``},
		"anonymous people taken for one":          {`data["participant"]["key"]`, `(data["participant"]["userId"] or data["participant"]["nick"])`},
		"tenants taken for one": {
			`data["tenant"] + "/" + data["conferenceId"]`, `data["conferenceId"]`,
			`"joined": 0}`, `"joined": 0, "name": data["tenant"] + "/" + data["conferenceId"]}`,
			`for name, m in meetings.items()`, `for name, m in [(m["name"], m) for m in meetings.values()]`,
		},
	} {
		t.Run(fault, func(t *testing.T) {
			faults, breaches := verified(t, python, replaced...)
			if diff := cmp.Diff([]string{fault}, faults); diff != "" {
				t.Errorf("%s\n%q", diff, breaches)
			}
		})
	}
}

// A program that does not answer, answers nonsense or dies is told so in words, once.
func TestAProgramThatDoesNotAnswer(t *testing.T) {
	for command, want := range map[string]string{
		`exec sleep 100`:                             "it gave no answer within 100ms",
		`read line; echo oops >&2; exit 3`:           "it died before it answered (exit status 3): oops",
		`read line; echo Hello; exec cat >/dev/null`: "its answer is not the JSON",
		`read line; echo {}; exec cat >/dev/null`:    "its answer has no rosters",
	} {
		consumer := verify.Consumer{Command: []string{"sh", "-c", command}, Timeout: time.Minute}
		if strings.Contains(want, "100ms") {
			consumer.Timeout = 100 * time.Millisecond
		}
		var breaches []string
		broken, err := consumer.Verify(t.Context(), func(v verify.Verdict) { breaches = append(breaches, v.Breach) })
		if err != nil || broken != 1 || len(breaches) != 1 || !strings.Contains(breaches[0], want) {
			t.Errorf("%s: %q, %v", command, breaches, err)
		}
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	consumer := verify.Consumer{Command: []string{"/nonexistent"}, Timeout: time.Second}
	if _, err := consumer.Verify(t.Context(), func(verify.Verdict) {}); err == nil || !strings.Contains(err.Error(), "start the consumer") {
		t.Error(err)
	}
}
