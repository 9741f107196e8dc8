package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"rollcall/console/live"
)

// The bounds of the server. A client that is slower, larger or one too many
// waits or is cut off, and takes nothing from the others.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 5 * time.Second // an open connection is a place that others want
	stopTimeout    = time.Second / 2
	maxHeaderBytes = 16 << 10
	maxConnections = 256
)

// Server is the console. It is made by [Listen] and does its work in Run.
type Server struct {
	// Health is asked at each request of /readyz; nil: never ready.
	Health Health
	// Stuck says why /livez is to have this process started again, and "" while it
	// works; nil: it always does. It depends on nobody else.
	Stuck func() string
	// Metrics is what /metrics shows; nil: there is no such page.
	Metrics prometheus.Gatherer
	// Profiles adds /debug/pprof. What it shows is not for strangers, and asking
	// for it costs CPU.
	Profiles bool
	// Page is the live page; nil: there is none.
	Page *live.Page
	// Hosts are names, beside addresses and this machine's own, under which the
	// console may be asked.
	Hosts []string
	// Logger may be nil.
	Logger *zap.Logger

	address  string // as it was given
	listener *limited
}

// Listen opens the address, host:port, so that a start fails early where it
// cannot be had. Port 0 takes any free one. Close or Run releases it.
func Listen(address string) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: the port is in use, maybe by another rollcall; choose another http.listen: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: choose another http.listen: %w", address, err)
	}
	return &Server{address: address, listener: limit(listener, maxConnections)}, nil
}

// Addr is where the console listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close returns the address back, which a server that ran has done already.
func (s *Server) Close() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Run serves until ctx is over, then lets the answers under way finish, for
// half a second at most, and returns nil. It is called once.
func (s *Server) Run(ctx context.Context) error {
	server := s.server()
	defer s.show(ctx)()
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutdown(context.WithoutCancel(ctx), server)
	})
	err := server.Serve(s.listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", s.Addr(), err)
}

// show runs the live page until ctx ends, which ends its streams; the function
// that it returns waits for that.
func (s *Server) show(ctx context.Context) (wait func()) {
	if s.Page == nil {
		return func() {}
	}
	ctx, stop := context.WithCancel(ctx)
	var page sync.WaitGroup
	page.Go(func() { _ = s.Page.Run(ctx) }) // it ends with ctx alone
	return func() { stop(); page.Wait() }
}

func (s *Server) handler() http.Handler {
	known := hostsOf(s.Addr(), s.address, s.Hosts)
	return guarded(known.known(s.pages()))
}

func (s *Server) server() *http.Server {
	logger := s.Logger
	if logger == nil {
		logger = zap.NewNop()
	}
	return &http.Server{
		Handler:           s.handler(),
		ConnState:         s.listener.follow,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          zap.NewStdLog(logger.Named("http")),
	}
}

func shutdown(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // the bound is over: cut off clients still reading
	}
}
