package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// hangups returns where a SIGHUP arrives from now on. One waits there for [onHangup],
// where it would end a process that still starts.
func hangups() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}

// onHangup calls do at every SIGHUP. release restores the signal.
func onHangup(hangups chan os.Signal, do func()) (release func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hangups {
			do()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels; at
// the second one leave is called. release restores the signals.
func interruptible(parent context.Context, notes io.Writer, leave func()) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, came := <-signals; !came {
			return
		}
		_, _ = io.WriteString(notes, "rollcall: stopping; a second signal exits immediately\n")
		cancel()
		if _, again := <-signals; again {
			leave()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		<-done
		cancel()
	}
}
