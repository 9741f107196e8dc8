//go:build unix

package endtoend_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// builtIn is the directory to remove at the end; nil: nothing was built.
var builtIn atomic.Pointer[string]

// binaryVariable names a rollcall that was built already.
const binaryVariable = "ROLLCALL_BINARY"

// build builds rollcall the first time it is called, as whoever runs it would.
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(binaryVariable); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "rollcall-endtoend-")
	if err != nil {
		return "", fmt.Errorf("build rollcall: %w", err)
	}
	builtIn.Store(&dir)
	path := filepath.Join(dir, "rollcall")
	if out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build rollcall: %w\n%s", err, out)
	}
	return path, nil
})
