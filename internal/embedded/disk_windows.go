package embedded

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// Disk returns how many bytes of the volume under data_dir this process may
// still write, and how many there are in all.
func (s *Server) Disk() (free, total int64, err error) {
	name, err := windows.UTF16PtrFromString(s.dir)
	if err != nil {
		return 0, 0, fmt.Errorf("look at the disk of data_dir %s: %w", s.dir, err)
	}
	var available, size uint64
	if err := windows.GetDiskFreeSpaceEx(name, &available, &size, nil); err != nil {
		return 0, 0, fmt.Errorf("look at the disk of data_dir %s: %w", s.dir, err)
	}
	return int64(available), int64(size), nil
}
