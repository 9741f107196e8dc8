package service

import (
	"errors"
	"fmt"
	"sync"
)

// teardown releases what was taken, the last first. A start that fails, and a
// stop, are the same to it.
type teardown struct {
	mu    sync.Mutex
	steps []step
}

// step returns one thing back; its name stands before its error.
type step struct {
	name string
	undo func() error
}

// push adds the release of what was just taken.
func (t *teardown) push(name string, undo func() error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, step{name, undo})
}

// run releases everything, even where some of it fails, and returns all errors.
// What was released before is not released again.
func (t *teardown) run() error {
	var failed []error
	for s, more := t.pop(); more; s, more = t.pop() {
		if err := s.undo(); err != nil {
			failed = append(failed, fmt.Errorf("stop %s: %w", s.name, err))
		}
	}
	return errors.Join(failed...)
}

func (t *teardown) pop() (last step, is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.steps)
	if n == 0 {
		return step{}, false
	}
	last, t.steps = t.steps[n-1], t.steps[:n-1]
	return last, true
}

// quietly is for what cannot fail.
func quietly(undo func()) func() error {
	return func() error {
		undo()
		return nil
	}
}
