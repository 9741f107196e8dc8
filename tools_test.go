package rollcall_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// A tool without a version lets the checks fail before they have begun.
func TestEveryToolHasItsVersion(t *testing.T) {
	versions, err := os.ReadFile(".ci/versions")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := exec.Command("git", "ls-files", ".ci", "Makefile").Output()
	if err != nil {
		t.Skip("needs a checkout with git: ", err)
	}
	install := regexp.MustCompile(`go install .*"?\$[({]?([A-Z]+)`)
	found := 0
	for _, name := range strings.Fields(string(listed)) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, tool := range install.FindAllStringSubmatch(string(text), -1) {
			found++
			if !regexp.MustCompile(`(?m)^` + tool[1] + `=\S+@v\d`).Match(versions) {
				t.Errorf("%s installs $%s, of which .ci/versions names no version", name, tool[1])
			}
		}
	}
	if found < 6 {
		t.Errorf("found %d installations of tools: the pattern no longer fits", found)
	}
}
