//go:build unix

package embedded

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Disk returns how many bytes of the volume under data_dir this process may
// still write, and how many there are in all.
func (s *Server) Disk() (free, total int64, err error) {
	var about unix.Statfs_t
	if err := unix.Statfs(s.dir, &about); err != nil {
		return 0, 0, fmt.Errorf("look at the disk of data_dir %s: %w", s.dir, err)
	}
	size := int64(about.Bsize)
	return int64(about.Bavail) * size, int64(about.Blocks) * size, nil
}
