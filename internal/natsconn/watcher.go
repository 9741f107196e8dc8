package natsconn

import (
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// maxTroubles bounds how many different troubles of one outage are told apart.
const maxTroubles = 16

// watcher logs what becomes of a connection: changes, not repetitions.
type watcher struct {
	telling sync.Mutex // held while it is said that the connection stands

	log       *zap.Logger
	addressed bool // whether the server has a URL
	exposed   func(*nats.Conn) bool
	failed    func(error) // nil: nobody is told

	mu       sync.Mutex // guards what follows
	standing bool       // whether the log says that the connection stands
	since    time.Time  // of the outage; zero while there is none
	told     map[string]bool
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

// connected logs that the connection stands, once however often it is told.
func (w *watcher) connected(conn *nats.Conn) {
	w.telling.Lock() // whoever is told second returns when all is said
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

// found ends an outage and tells how long it was; news is false when the
// connection stood already.
func (w *watcher) found() (outage time.Duration, news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.standing {
		return 0, false
	}
	if !w.since.IsZero() {
		outage = time.Since(w.since)
	}
	w.standing, w.since, w.told = true, time.Time{}, nil
	return outage, true
}

func (w *watcher) lost(conn *nats.Conn, err error) {
	if conn.IsClosed() {
		return // by ourselves
	}
	w.interrupted()
	w.log.Warn("connection to NATS lost", zap.Error(err))
}

func (w *watcher) interrupted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() {
		w.since = time.Now()
	}
	w.standing = false
}

// unreachable logs why an attempt to connect failed, each reason once an outage.
func (w *watcher) unreachable(_ *nats.Conn, err error) {
	w.interrupted()
	if w.failed != nil {
		w.failed(err)
	}
	if w.news(err) {
		w.log.Warn("NATS cannot be reached; trying on", zap.Error(err))
	}
}

// news reports whether the error was not told of since the connection last
// changed.
func (w *watcher) news(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil || w.told[err.Error()] || len(w.told) >= maxTroubles {
		return false
	}
	if w.told == nil {
		w.told = make(map[string]bool)
	}
	w.told[err.Error()] = true
	return true
}

// trouble logs what the server says beside any request.
func (w *watcher) trouble(_ *nats.Conn, sub *nats.Subscription, err error) {
	if !w.news(err) {
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
	w.log.Warn("NATS reports a trouble", fields...)
}
