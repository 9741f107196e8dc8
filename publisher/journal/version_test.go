package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestNewerVersionIsRefusedAndLeftAlone(t *testing.T) {
	data := append([]byte(magic), frame([]byte(`{"v":2,"sightings":"in another shape"}`))...)
	dir := t.TempDir()
	path := filepath.Join(dir, "waiting.journal")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(Config{Dir: dir}); !errors.Is(err, errNewer) {
		t.Errorf("got %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
		t.Errorf("the file was changed to %q, %v", after, err)
	}
}
