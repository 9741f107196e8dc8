//go:build unix

package endtoend_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk is a file system in a file, which holds what was written through, and nothing else.
type disk struct {
	t          testing.TB
	image, dir string
}

// newDisk mounts one, or skips the test where that is not allowed.
func newDisk(t testing.TB) *disk {
	t.Helper()
	d, err := mountDisk(t, 1<<30)
	if err != nil {
		t.Skip(err)
	}
	return d
}

// mountDisk mounts one of so many bytes, which take no room before they are written.
func mountDisk(t testing.TB, size int64) (*disk, error) {
	t.Helper()
	d := &disk{t: t, image: filepath.Join(t.TempDir(), "disk"), dir: t.TempDir()}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, size); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-m", "0", "-N", "20000", d.image}, d.mounting()} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("a disk of its own wants Linux, root and loop devices: %s: %w: %s", command, err, out)
		}
	}
	t.Cleanup(func() { output(t, "umount", d.dir) })
	return d, nil
}

func (d *disk) mounting() []string { return []string{"mount", "-o", "loop", d.image, d.dir} }

// fail leaves what a power failure would. Nobody may have a file open any more.
func (d *disk) fail() {
	d.t.Helper()
	left := d.image + ".left"
	output(d.t, "cp", "--sparse=always", d.image, left) // first: to unmount writes everything through
	output(d.t, "umount", d.dir)
	if err := os.Rename(left, d.image); err != nil {
		d.t.Fatal(err)
	}
	mount := d.mounting()
	output(d.t, mount[0], mount[1:]...)
}

// fill takes all that is left of it, until it is freed again.
func (d *disk) fill() (free func()) {
	d.t.Helper()
	name := filepath.Join(d.dir, "filler")
	_, left, _ := strings.Cut(output(d.t, "df", "--block-size=1", "--output=avail", d.dir), "\n")
	_ = exec.Command("fallocate", "--length", strings.TrimSpace(left), name).Run() // somebody else may have taken some of it
	rest, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	for err == nil {
		_, err = rest.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Errorf("fill a disk: %v", err)
	}
	_ = rest.Close()
	return func() { _ = os.Remove(name) }
}
