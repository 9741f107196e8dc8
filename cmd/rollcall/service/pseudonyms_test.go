package service

import (
	"os"
	"path/filepath"
	"testing"

	"rollcall/cmd/rollcall/config"
)

// The secret of pseudonyms is made once and kept; a file that the configuration names
// makes the same ones on every worker, and none where ids are kept.
func TestPseudonymsLast(t *testing.T) {
	cfg := config.TenantDefaults()
	cfg.Name = "acme"
	dir := filepath.Join(t.TempDir(), "data")
	of := func(dir string) string {
		t.Helper()
		p, err := pseudonyms(cfg, dir)
		if err != nil {
			t.Fatal(err)
		}
		if p == nil {
			return ""
		}
		return p.Of("u1")
	}
	if got := of(dir); got != "" {
		t.Errorf("ids are kept, and yet there is %s", got)
	}
	cfg.Privacy.IDs = "pseudonym"
	first := of(dir)
	if again := of(dir); first == "" || again != first {
		t.Errorf("first %s, then %s", first, again)
	}
	if info, err := os.Stat(filepath.Join(dir, pseudonymKey)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v %v", info, err)
	}
	if other := of(t.TempDir()); other == first {
		t.Error("another data_dir has the same secret")
	}
	cfg.Privacy.PseudonymKeyFile = filepath.Join(t.TempDir(), "key")
	if _, err := pseudonyms(cfg, dir); err == nil {
		t.Error("a file that is not there is taken")
	}
	if err := os.WriteFile(cfg.Privacy.PseudonymKeyFile, []byte("shared\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if one, two := of(dir), of(t.TempDir()); one != two || one == first {
		t.Errorf("two workers with one secret make %s and %s", one, two)
	}
}
