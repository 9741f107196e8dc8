package deploy_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func textOf(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The image brings the licence of every module in it, of the version in it.
func TestLicencesAreThoseOfTheImage(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "run", "./.ci/licences")
	cmd.Dir = ".."
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	// Go's own licence is the same in each of its versions.
	if got := textOf(t, "third-party-licences.txt"); got != string(want) {
		t.Error("deploy/third-party-licences.txt is not what is linked now: go run ./.ci/licences > deploy/third-party-licences.txt")
	}
	for _, name := range []string{"the Go standard library", "github.com/nats-io/nats-server/v2 v", "go.uber.org/zap v"} {
		if !strings.Contains(string(want), "\n"+name) {
			t.Errorf("nothing is there of %s", name)
		}
	}
	for file, line := range map[string]string{
		"Dockerfile":              "COPY LICENSE deploy/third-party-licences.txt /licences/",
		"Dockerfile.dockerignore": "!deploy/third-party-licences.txt",
	} {
		if !strings.Contains(textOf(t, file), "\n"+line+"\n") {
			t.Errorf("%s lacks %q", file, line)
		}
	}
}

// What is built upon is named by its content, which no registry can exchange.
func TestBaseImagesArePinned(t *testing.T) {
	from := regexp.MustCompile(`(?m)^FROM (.*)$`).FindAllStringSubmatch(textOf(t, "Dockerfile"), -1)
	if len(from) < 2 {
		t.Fatalf("found %q: the test looks for the wrong words", from)
	}
	pinned := regexp.MustCompile(`^(scratch|.*:[^@ ]+@sha256:[0-9a-f]{64})( AS [a-z]+)?$`)
	for _, f := range from {
		if !pinned.MatchString(f[1]) {
			t.Errorf("FROM %s has no tag with a digest", f[1])
		}
	}
}

// The image's compiler is the one that go.mod names, not the base image's.
func TestImageIsBuiltByTheGoOfTheModule(t *testing.T) {
	if !regexp.MustCompile(`(?m)^toolchain go1\.\d+\.\d+$`).MatchString(textOf(t, "../go.mod")) {
		t.Error("go.mod names no toolchain with its patch")
	}
	if !strings.Contains(textOf(t, "Dockerfile"), "\nENV GOTOOLCHAIN=auto\n") {
		t.Error("the image is built by whatever Go its base image has")
	}
}
