package embedded

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the file, or fails at once when another process has it. The
// locked byte lies beyond the text, which others may then still read.
func lockFile(file *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
}
