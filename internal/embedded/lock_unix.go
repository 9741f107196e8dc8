//go:build unix

package embedded

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the file, or fails at once when another process has it.
func lockFile(file *os.File) error {
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}
