package embedded

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rollcall/internal/safetext"
)

// logger writes what nats-server says into the log of the process, and keeps
// what it would have died of.
type logger struct {
	log   *zap.Logger
	mu    sync.Mutex // guards what follows
	fatal string     // the first; "" while there is none
	kinds map[string]*telling
}

// telling is a kind of warning or error, of which a client can cause as many as
// it likes.
type telling struct {
	told  time.Time
	times int // not logged yet
}

// mostKinds bounds what is remembered; nats-server has about as many.
const mostKinds = 200

// Noticef logs everyday matters, which do not concern the operator.
func (l *logger) Noticef(format string, v ...any) { l.Debugf(format, v...) }

// Warnf logs what may become a problem.
func (l *logger) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Plaintext passwords detected") {
		return // ours is made at the start and never leaves the process
	}
	l.tell(zap.WarnLevel, format, v)
}

// Errorf logs problems.
func (l *logger) Errorf(format string, v ...any) { l.tell(zap.ErrorLevel, format, v) }

// tell logs each kind at once, and then at most once a minute: much of it is
// caused by clients. A connection's problem is not ours.
func (l *logger) tell(level zapcore.Level, format string, v []any) {
	times, due := l.due(format)
	if !due {
		return
	}
	said := safetext.Field(fmt.Sprintf(format, v...), 300)
	if strings.Contains(format, " - cid:") {
		l.log.Warn("a connection to the embedded NATS is refused something", zap.String("refusal", said), zap.Int("times", times))
		return
	}
	l.log.Log(level, "nats-server: "+said, zap.Int("times", times))
}

// due counts one of a kind, and reports whether it is time to log, and how
// many.
func (l *logger) due(format string) (times int, due bool) {
	// What stands before the last dash names a connection.
	kind := format[strings.LastIndex(format, " - ")+1:]
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.kinds[kind]
	if t == nil {
		if l.kinds == nil || len(l.kinds) >= mostKinds {
			l.kinds = make(map[string]*telling)
		}
		t = &telling{}
		l.kinds[kind] = t
	}
	if t.times++; time.Since(t.told) < time.Minute {
		return 0, false
	}
	times, t.told, t.times = t.times, time.Now(), 0
	return times, true
}

// Debugf logs details.
func (l *logger) Debugf(format string, v ...any) {
	l.log.Debug("nats-server: " + fmt.Sprintf(format, v...))
}

// Tracef would log every message; the server is never asked to.
func (l *logger) Tracef(string, ...any) {}

// Fatalf keeps the reason for which the server cannot start.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == "" {
		l.fatal = fmt.Sprintf(format, v...)
	}
}

// fatalError returns the reason for which the server cannot start, or nil.
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
