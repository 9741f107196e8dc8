package embedded

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file in the data directory that is locked. It stays when the
// lock is released: to remove it would let two processes lock two files.
const lockName = "lock"

// DirLock is this process's hold on a data directory. The system releases it
// when the process dies, however it does.
type DirLock struct{ file *os.File }

// LockDir creates the directory where it is absent, and takes it for this
// process. A directory that is held is refused with an error that names it and
// the process that holds it.
func LockDir(dir string) (*DirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data_dir %s: %w", dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data_dir %s: %w", dir, err)
	}
	if err := lockFile(file); err != nil {
		defer func() { _ = file.Close() }() // nothing was written
		return nil, fmt.Errorf("data_dir %s is in use%s: stop it, or set data_dir to another directory (%w)", dir, holder(file), err)
	}
	if err := writePID(file); err != nil {
		_ = file.Close() // the error that matters is the one before
		return nil, fmt.Errorf("lock data_dir %s: %w", dir, err)
	}
	return &DirLock{file}, nil
}

// Release returns the directory back.
func (l *DirLock) Release() { _ = l.file.Close() } // what was written is the pid, which counts only while locked

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder names the process that wrote its pid into the file, if one did.
func holder(file *os.File) string {
	text, err := io.ReadAll(io.LimitReader(file, 32))
	pid, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || bad != nil {
		return " by another process"
	}
	return fmt.Sprintf(" by process %d", pid)
}
