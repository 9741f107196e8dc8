//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

func TestHangupsAreHeededUntilReleased(t *testing.T) {
	heard := make(chan bool)
	release := onHangup(func() { heard <- true })
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		<-heard
	}
	release()
}
