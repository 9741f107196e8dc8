//go:build race

package worker_test

// raced says that the race detector makes everything ten times as slow: rows
// that differ in data alone are left to the run without it.
const raced = true
