package embedded

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/safetext"
)

// logger writes what nats-server says into the log of the process, and keeps
// what it would have died of.
type logger struct {
	log      *zap.Logger
	mu       sync.Mutex // guards what follows
	fatal    string     // the first; "" while there is none
	refusals map[string]*refusal
}

// refusal is a kind of refusal of what a connection asks for.
type refusal struct {
	told  time.Time
	times int // not told of yet
}

// refused are the kinds, by words that stand in what the server says of them.
func refused() []string {
	return []string{"Publish Violation", "Subscription Violation", "authentication error", "maximum connections exceeded", "maximum subscriptions exceeded"}
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

// Errorf tells of troubles. What a connection is refused is its trouble, not
// ours, and whoever connects may repeat it as often as it likes: each kind is
// told at once, and then at most once a minute.
func (l *logger) Errorf(format string, v ...any) {
	said := fmt.Sprintf(format, v...)
	for _, kind := range refused() {
		if strings.Contains(said, kind) {
			l.refuse(kind, said)
			return
		}
	}
	l.log.Error("nats-server: " + said)
}

func (l *logger) refuse(kind, said string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusals == nil {
		l.refusals = make(map[string]*refusal)
	}
	r := l.refusals[kind]
	if r == nil {
		r = &refusal{}
		l.refusals[kind] = r
	}
	if r.times++; time.Since(r.told) < time.Minute {
		return
	}
	l.log.Warn("a connection to the embedded NATS is refused something", zap.String("refusal", safetext.Field(said, 300)), zap.Int("times", r.times))
	r.told, r.times = time.Now(), 0
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
