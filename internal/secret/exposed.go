package secret

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Exposed reports whether other users of this machine can read, or exchange, a
// secret's file, and returns its mode. A file that its mode would let others read
// is not exposed in a directory that lets nobody pass, nor in a volume of
// secrets that a container engine mounts for one container alone.
func Exposed(path string) (mode fs.FileMode, is bool) {
	if runtime.GOOS == "windows" { // whose modes say nothing of other users
		return 0, false
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o006 == 0 {
		return 0, false
	}
	path, err = filepath.Abs(path)
	if err != nil || mounted(path) {
		return 0, false
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil || mounted(real) {
		return 0, false
	}
	for dir := filepath.Dir(real); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if at, err := os.Stat(dir); err != nil || at.Mode().Perm()&0o001 == 0 {
			return 0, false
		}
	}
	return info.Mode().Perm(), true
}

// mounted reports whether a path lies where Kubernetes (which keeps a volume's
// files in a directory ..data or ..<time>) or Docker puts secrets.
func mounted(path string) bool {
	return strings.Contains(path, string(filepath.Separator)+"..") || strings.HasPrefix(path, "/run/secrets/")
}
