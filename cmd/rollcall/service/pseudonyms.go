package service

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/internal/secret"
)

// pseudonymKey is the file in data_dir with the secret of pseudonyms, where the
// configuration names none.
const pseudonymKey = "pseudonym-key"

// pseudonyms are those of a tenant whose ids are not kept; nil: they are.
func pseudonyms(cfg config.Tenant, dir string) (*rollcall.Pseudonyms, error) {
	if cfg.Privacy.IDs != "pseudonym" {
		return nil, nil
	}
	path := cfg.Privacy.PseudonymKeyFile
	if path == "" {
		path = filepath.Join(dir, pseudonymKey)
		if err := createKey(path); err != nil {
			return nil, fmt.Errorf("make the secret of pseudonyms: %w; name another file by privacy.pseudonym_key_file", err)
		}
	}
	key, err := secret.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret of pseudonyms: %w", err)
	}
	return rollcall.NewPseudonyms([]byte(key.Reveal()), cfg.Name), nil
}

// createKey makes a secret where there is none yet. Half of one would be another: it
// gets its name when it is whole.
func createKey(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), pseudonymKey+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(rand.Text() + rand.Text() + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Link(file.Name(), path) // nothing is replaced
}
