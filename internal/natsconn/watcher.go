package natsconn

import (
	"errors"
	"sync"
	"time"

	"rollcall/internal/streak"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// watcher logs what becomes of a connection: changes, not repetitions.
type watcher struct {
	telling sync.Mutex // held while it is said that the connection stands

	log       *zap.Logger
	addressed bool // whether the server has a URL
	exposed   func(*nats.Conn) bool
	failed    func(error) // may be nil

	mu       sync.Mutex // guards what follows
	standing bool       // whether the log says that the connection stands
	outage   streak.Streak
	notices  streak.Streak // what the server said beside any request, since the connection last changed
}

func (w *watcher) options() []nats.Option {
	return []nats.Option{
		nats.ConnectHandler(w.connected),
		nats.DisconnectErrHandler(w.lost),
		nats.ReconnectHandler(w.connected),
		nats.ReconnectErrHandler(w.unreachable),
		nats.ErrorHandler(w.trouble),
	}
}

// connected logs that the connection stands, once however often it is called.
func (w *watcher) connected(conn *nats.Conn) {
	w.telling.Lock() // a second call returns once all is logged
	defer w.telling.Unlock()
	outage, news := w.found()
	if !news {
		return
	}
	fields := []zap.Field{zap.String("server", w.server(conn)), zap.String("version", conn.ConnectedServerVersion())}
	if outage > 0 {
		fields = append(fields, zap.Duration("outage", outage))
	}
	w.log.Info("connected to NATS", fields...)
	if w.exposed(conn) {
		w.log.Warn("the token or password is sent to NATS unencrypted; write tls:// in nats.url, with TLS set up in nats-server")
	}
}

// server names the server: by its address, without a user's name and password,
// or by its own name where the connection has no address.
func (w *watcher) server(conn *nats.Conn) string {
	if w.addressed {
		return conn.ConnectedUrlRedacted()
	}
	return conn.ConnectedServerName()
}

// found ends an outage and returns how long it was; news is false when the
// connection stood already.
func (w *watcher) found() (outage time.Duration, news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.standing {
		return 0, false
	}
	w.standing, w.notices = true, streak.Streak{}
	return w.outage.Note("").Took, true
}

func (w *watcher) lost(conn *nats.Conn, err error) {
	if conn.IsClosed() {
		return // by ourselves
	}
	w.interrupted("connection lost")
	w.log.Warn("connection to NATS lost", zap.Error(err))
}

// interrupted notes why there is no connection, and reports whether that is new.
func (w *watcher) interrupted(cause string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.standing = false
	return w.outage.Note(cause).Kind != streak.Same
}

// unreachable logs why an attempt to connect failed, each reason once an outage.
func (w *watcher) unreachable(_ *nats.Conn, err error) {
	if w.failed != nil {
		w.failed(err)
	}
	if w.interrupted(streak.Cause(err)) {
		w.log.Warn("cannot reach NATS; retrying", zap.Error(err))
	}
}

// trouble logs what the server says beside any request.
func (w *watcher) trouble(_ *nats.Conn, sub *nats.Subscription, err error) {
	w.mu.Lock()
	change := w.notices.Note(streak.Cause(err))
	w.mu.Unlock()
	if change.Kind == streak.Same {
		return
	}
	fields := []zap.Field{zap.Error(err)}
	if sub != nil {
		fields = append(fields, zap.String("subject", sub.Subject))
	}
	if errors.Is(err, nats.ErrPermissionViolation) {
		w.log.Error("NATS does not permit this", fields...)
		return
	}
	w.log.Warn("NATS reports an error", fields...)
}
