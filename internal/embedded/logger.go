package embedded

import (
	"fmt"
	"strings"
	"sync"

	"go.uber.org/zap"
)

// logger writes what nats-server says into the log of the process, and keeps
// what it would have died of.
type logger struct {
	log   *zap.Logger
	mu    sync.Mutex // guards fatal
	fatal string     // the first; "" while there is none
}

// Noticef tells of everyday matters, which are not the operator's.
func (l *logger) Noticef(format string, v ...any) { l.Debugf(format, v...) }

// Warnf tells of what may become a trouble.
func (l *logger) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Plaintext passwords detected") {
		return // ours is made at the start and never leaves the process
	}
	l.log.Warn("nats-server: " + fmt.Sprintf(format, v...))
}

// Errorf tells of troubles.
func (l *logger) Errorf(format string, v ...any) {
	l.log.Error("nats-server: " + fmt.Sprintf(format, v...))
}

// Debugf tells of details.
func (l *logger) Debugf(format string, v ...any) {
	l.log.Debug("nats-server: " + fmt.Sprintf(format, v...))
}

// Tracef tells of every message; the server is never asked to.
func (l *logger) Tracef(string, ...any) {}

// Fatalf keeps the reason for which the server cannot start.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == "" {
		l.fatal = fmt.Sprintf(format, v...)
	}
}

// fatalError gives the reason for which the server cannot start, or nil.
func (l *logger) fatalError(listen string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.HasPrefix(l.fatal, "Error listening on port") {
		return fmt.Errorf("listen on %s: %s; stop what listens there, or set nats.embedded.listen to another address", listen, l.fatal)
	}
	if l.fatal != "" {
		return fmt.Errorf("nats-server says: %s", l.fatal)
	}
	return nil
}
