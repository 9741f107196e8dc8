package dingtalk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFileSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(" a b \r\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := FileSecret(file)(); err != nil || got.Reveal() != "a b" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	if err := os.WriteFile(file, []byte(`"`+theSecret+`"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := FileSecret(file)(); err == nil || !got.Empty() || strings.Contains(err.Error(), theSecret) {
		t.Errorf("in quotes: %v", err)
	}
}

func TestASecretInPlaceOfItsNameIsNotShown(t *testing.T) {
	for _, read := range []Secret{FileSecret(theSecret), EnvSecret(theSecret)} {
		if _, err := read(); err == nil || strings.Contains(err.Error(), theSecret) {
			t.Errorf("got %v", err)
		}
	}
}

func TestEnvSecret(t *testing.T) {
	const name = "ROLLCALL_TEST_SECRET"
	if _, err := EnvSecret(name)(); err == nil || !strings.Contains(err.Error(), "no such environment variable") {
		t.Errorf("unset: %v", err)
	}
	t.Setenv(name, "\n")
	if _, err := EnvSecret(name)(); err == nil || !strings.Contains(err.Error(), "ROLLCALL_TEST_SECRET: it is empty") {
		t.Errorf("empty: %v", err)
	}
	t.Setenv(name, "abc\n")
	if got, err := EnvSecret(name)(); err != nil || got.Reveal() != "abc" {
		t.Errorf("set: %q, %v", got.Reveal(), err)
	}
}
