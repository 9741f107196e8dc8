package dingtalk

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFileSecret(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	for content, want := range map[string]string{
		"abc": "abc", "abc\n": "abc", "abc\r\n": "abc", " a b \n\n": " a b ", "a\nb\n": "a\nb",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := FileSecret(file)(); err != nil || got.Reveal() != want {
			t.Errorf("%q: %q, %v", content, got.Reveal(), err)
		}
	}
	if link := filepath.Join(dir, "link"); os.Symlink(file, link) != nil {
		t.Error("no link")
	} else if got, err := FileSecret(link)(); err != nil || got.Empty() {
		t.Errorf("through a link: %v", err)
	}
}

func TestFileSecretComplains(t *testing.T) {
	dir := t.TempDir()
	path := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		dir:                        "is a directory",
		pipe:                       "not a regular file",
		path("empty", ""):          "is empty",
		path("newline", "\r\n\n"):  "is empty",
		path("huge", strings.Repeat(theSecret, maxSecret)): "larger than",
	} {
		got, err := FileSecret(file)()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) || !got.Empty() {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), theSecret) || strings.Count(err.Error(), file) != 1) {
			t.Errorf("the error tells too much: %v", err)
		}
	}
}

func TestEnvSecret(t *testing.T) {
	const name = "ROLLCALL_TEST_SECRET"
	if _, err := EnvSecret(name)(); err == nil || !strings.Contains(err.Error(), `"ROLLCALL_TEST_SECRET" is not set`) {
		t.Errorf("unset: %v", err)
	}
	t.Setenv(name, "\n")
	if _, err := EnvSecret(name)(); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("empty: %v", err)
	}
	t.Setenv(name, "abc\n")
	if got, err := EnvSecret(name)(); err != nil || got.Reveal() != "abc" {
		t.Errorf("set: %q, %v", got.Reveal(), err)
	}
}
