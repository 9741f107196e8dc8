package service

import (
	"fmt"

	"go.uber.org/zap"

	"rollcall/internal/embedded"
	"rollcall/worker/backlog"
)

// openBacklog takes the journal in data_dir. Without one the worker goes on:
// what waits for NATS then waits in memory alone, and that is said. A journal
// of another version is an error: going on would leave what it holds behind.
func (s *Service) openBacklog() error {
	s.backlog = backlog.InMemory(0)
	if !s.ownsDir { // the embedded server takes the directory itself
		lock, err := embedded.LockDir(s.cfg.DataDir)
		if err != nil {
			s.log.Warn("journal unavailable; while NATS is away, observations wait in memory alone", zap.Error(err))
			return nil
		}
		s.teardown.push("holding data_dir", quietly(lock.Release))
		s.ownsDir = true
	}
	opened, err := backlog.Open(backlog.Config{Dir: s.cfg.DataDir, MaxBytes: s.cfg.Journal.MaxBytes})
	if err != nil && backlog.IsNewer(err) {
		return fmt.Errorf("start: %w", err)
	}
	if err != nil {
		s.log.Error("journal unavailable; while NATS is away, observations wait in memory alone", zap.Error(err))
		return nil
	}
	for _, damage := range opened.Found().Damage {
		s.log.Error("journal damaged", zap.Error(damage))
	}
	s.teardown.push("the journal", opened.Close)
	s.backlog = opened
	return nil
}
