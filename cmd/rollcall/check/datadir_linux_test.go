package check

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A full disk takes a file, and nothing that is written to it.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	w := newWorld(t)
	w.cfg.DataDir = filepath.Join(dir, "data")
	run(t, w.check()).says(t, "local data_dir", Fail, "no room", "no space left on device")
}
