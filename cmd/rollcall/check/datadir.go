package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"rollcall/internal/embedded"
	"rollcall/internal/ledger"
)

// dataDir looks whether data_dir can be taken. With a NATS elsewhere a worker
// can do without it.
func (m *machine) dataDir(context.Context) Result {
	dir := m.check.Config.DataDir
	tried := "write in data_dir " + dir
	err := m.takeDir(dir)
	if err == nil {
		return ok(tried, "it can be written, and nobody has it")
	}
	if held, is := errors.AsType[heldError](err); is {
		return m.held(tried, held)
	}
	const fix = "create it for the user who runs rollcall, or set data_dir to another directory"
	if m.check.Config.NATS.URL != "" {
		return warn(tried, err.Error()+"; without it, what waits while NATS is away waits in memory alone", fix)
	}
	return fail(tried, err.Error(), fix)
}

// held judges a directory that another process has: the running rollcall may.
func (m *machine) held(tried string, err error) Result {
	switch {
	case m.running:
		return ok(tried, "the running rollcall has it: %s", err)
	case m.check.Config.NATS.URL != "":
		return warn(tried, err.Error(), "fine if that is the running rollcall; a second one wants a data_dir of its own")
	}
	return fail(tried, err.Error(), "fine if that is a rollcall which listens elsewhere; a second one wants a data_dir of its own")
}

// heldError says that another process has the data directory.
type heldError struct{ error }

// roomWanted is what a directory must have room for to be of any use: a few batches.
const roomWanted = 4 * ledger.MaxBatchBytes

// takeDir looks whether the directory, or the one in which it would be made,
// can be written, and takes its lock for a moment if it has one.
func (m *machine) takeDir(dir string) error {
	existing, err := nearest(dir)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(existing, ".rollcall-check-*")
	if err != nil {
		return fmt.Errorf("cannot write in %s: %w", existing, plain(err))
	}
	_, full := file.Write(make([]byte, roomWanted))
	if err := errors.Join(file.Close(), os.Remove(file.Name())); err != nil {
		return fmt.Errorf("write in %s: %w", existing, err)
	}
	if full != nil {
		return fmt.Errorf("the disk of %s has no room for %d MiB: %w; free some", existing, roomWanted>>20, plain(full))
	}
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		return nil // nobody ever took it
	}
	lock, err := embedded.LockDir(dir)
	if err == nil {
		lock.Release()
		return nil
	}
	// What follows is the advice of a start.
	if held, _, is := strings.Cut(err.Error(), ": stop it"); is {
		return heldError{errors.New(held)}
	}
	return err
}

// nearest returns the directory itself or, where it does not exist yet, the
// first above it that does.
func nearest(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && info.IsDir():
			return dir, nil
		case err == nil, errors.Is(err, syscall.ENOTDIR):
			return "", fmt.Errorf("%s is no directory", dir)
		case !errors.Is(err, os.ErrNotExist):
			return "", fmt.Errorf("cannot look at %s: %w", dir, plain(err))
		}
		dir = filepath.Dir(dir)
	}
}

// plain leaves out the path, which was named already.
func plain(err error) error {
	if path, is := errors.AsType[*os.PathError](err); is {
		return path.Err
	}
	return err
}
