package secret_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/internal/secret"
)

const hidden = "Zm9vYmFy/c2VjcmV0+dGhhdCBub2JvZHkgc2Vlcw"

func write(t *testing.T, dir, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

func TestWhiteSpaceAroundASecretIsNoPartOfIt(t *testing.T) {
	for content, want := range map[string]string{
		"abc": "abc", "abc\n": "abc", "\r\n abc\t\r\n\n": "abc", "a b\n": "a b", "\u00a0abc": "abc", `a"b"`: `a"b"`, `"`: `"`,
	} {
		if got, err := secret.ReadFile(write(t, t.TempDir(), "s", content, 0o600)); err != nil || got.Reveal() != want {
			t.Errorf("%q: %q, %v", content, got.Reveal(), err)
		}
	}
}

func TestWhatIsWrongWithASecretIsNamed(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{filepath.Join(dir, "none"): "no such file", dir: "is a directory", pipe: "not a regular file"}
	for content, want := range map[string]string{
		"": "is empty", " \r\n\n": "is empty", "\xef\xbb\xbf" + hidden: "byte-order mark",
		"\xff\xfea\x00b\x00": "UTF-16", "\xfe\xff\x00a\x00b": "UTF-16", "a\x00b\x00": "UTF-16", "\xe9t\xe9": "not UTF-8",
		`"` + hidden + `"` + "\n": "in quotes", "'" + hidden + "'": "in quotes", "“" + hidden + "”": "in quotes",
		strings.Repeat(hidden, 2000): "larger than",
	} {
		files[write(t, t.TempDir(), "s", content, 0o600)] = want
	}
	for path, want := range files {
		got, err := secret.ReadFile(path)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 || !got.Empty() {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if err != nil && strings.Contains(err.Error(), hidden) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestASecretInPlaceOfItsFileIsNotShown(t *testing.T) {
	for _, misplaced := range []string{hidden, "hunter2", "/" + hidden, "/hunter2", "hunter2/", strings.Repeat("hunter2", 700), "hunter2\x00", "line\nhunter2"} {
		_, err := secret.ReadFile(misplaced)
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), hidden) || !strings.Contains(err.Error(), "is shown, since") {
			t.Errorf("%.40q: %v", misplaced, err)
		}
		if text := secret.Shown(misplaced); strings.Contains(text, misplaced) {
			t.Errorf("%.40q is shown", misplaced)
		}
	}
}

func TestExposedIsWhatOthersCanReach(t *testing.T) {
	base, err := os.MkdirTemp("/tmp", "exposed") // below directories that let anybody pass
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"private", "..2026_11_28"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	volume := write(t, base, "..2026_11_28/volume", "x", 0o644)
	link := filepath.Join(base, "mounted")
	if err := os.Symlink(volume, link); err != nil {
		t.Fatal(err)
	}
	inside := write(t, base, "private/inside", "x", 0o644)
	if err := os.Chmod(filepath.Join(base, "private"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		write(t, base, "open", "x", 0o644): true, write(t, base, "writable", "x", 0o602): true,
		write(t, base, "group", "x", 0o640): false, write(t, base, "owner", "x", 0o400): false,
		inside: false, link: false, filepath.Join(base, "none"): false,
	} {
		if mode, is := secret.Exposed(path); is != want {
			t.Errorf("%s (%v) is exposed: %v", path, mode, is)
		}
	}
}
