package rollcall_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a command and fails the test where it fails.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// copied is a copy of what git knows of, and of what it does not ignore.
func copied(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files := run(t, ".", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for _, file := range strings.Split(strings.TrimSuffix(files, "\x00"), "\x00") {
		data, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, file)
		info, err := os.Stat(file)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, info.Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const outside = `package main

import (
	"fmt"

	"rollcall"
	"rollcall/consume"
)

func main() { fmt.Println(consume.Subject("acme", "c1", rollcall.MeetingEnded)[0]) }
`

// Under another path the module builds, its walls stand, and a program outside
// it is built with it; also when it is renamed a second time.
func TestLongModuleIsRenamed(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("long: run with ROLLCALL_LONG=1, or .ci/run")
	}
	dir := copied(t)
	for _, name := range []string{"git.example.com/team/rollcall", "example.org/rollcall/v2"} {
		run(t, dir, "make", "module", "MODULE="+name)
	}
	const name = "example.org/rollcall/v2"
	run(t, dir, "go", "build", "./...")
	run(t, dir, "go", "vet", ".", "./consume/...", "./cmd/rollcall", "./cmd/rollcall/endtoend", "./bench")
	run(t, dir, "go", "test", "-run", "Walls", ".")
	there := t.TempDir()
	gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"main.go": strings.ReplaceAll(outside, `"rollcall`, `"`+name),
		"go.mod":  strings.Replace(string(gomod), "module "+name, "module outside", 1) + "\nrequire " + name + " v2.0.0\n\nreplace " + name + " => " + dir + "\n",
	} {
		if err := os.WriteFile(filepath.Join(there, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(there, "go.sum"), sums, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, there, "go", "run", "-mod=mod", "."); strings.TrimSpace(got) != "meetings.event.acme.c1.meeting.ended" {
		t.Errorf("the program outside says %q", got)
	}
}
