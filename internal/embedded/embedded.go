// Package embedded runs a nats-server inside this process, for those without a
// cluster: JetStream with file storage below a data directory that belongs to
// this process alone, the worker connected in memory, and everybody else a
// reader, who is kept by permissions from publishing what only the worker may
// say and from changing what it stores.
//
// Each reader has an account of NATS to itself, which holds only what it asks
// and what it may hear: see rooms.go. What readers ask for in the body of a
// request is looked at: see door.go. What NATS itself cannot keep apart are the
// durable consumers, which are known by their names alone: any reader that
// knows one may take messages from it.
//
// A message may have up to 4 MiB, as large as a whole batch, so that the record
// of a meeting with thousands of people fits.
package embedded

import (
	"crypto/rand"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"rollcall/internal/address"
	"rollcall/internal/ledger"
	"rollcall/internal/secret"
	"rollcall/wire"
)

// Name is that of the server, by which a client knows that it is in a room of its own.
const Name = "rollcall-embedded"

// startup bounds the start; the store of a large stream is read in it.
const startup = 2 * time.Minute

// Config is what the server needs to know.
type Config struct {
	DataDir string // created where absent; the store is in its directory jetstream
	// Listen is host:port for everybody but the worker; port 0: any free one.
	// Beyond loopback credentials are required.
	Listen string
	// SyncAlways writes through to the disk before anything is acknowledged.
	// Without it a power failure, not a crash, may lose up to two minutes.
	SyncAlways bool
	Names      wire.Names
	// User with Password, or Token, are asked of readers; empty: none are.
	User     string
	Password secret.String
	Token    secret.String
	// Operator is the token of those who may track and untrack; empty: on
	// loopback everybody may, beyond it nobody.
	Operator secret.String
	Logger   *zap.Logger // nil: none
}

// Server is a running nats-server of this process.
type Server struct {
	running *server.Server
	lock    *DirLock
	worker  server.User
	dir     string        // the data directory
	porter  *nats.Conn    // of the door
	done    chan struct{} // closed to end what looks after the readers
	looking sync.WaitGroup
	closing sync.Once
	names   wire.Names

	scrubbing sync.Mutex // held while deleted messages are overwritten
}

// Start takes the data directory and starts the server in it. Its errors name
// what is wrong: the directory and who holds it, the address that is taken.
func Start(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	worker := server.User{Username: "worker-" + rand.Text(), Password: rand.Text()}
	gate := &gate{cfg: &cfg, worker: &worker, ready: make(chan struct{})}
	options, err := cfg.options(gate)
	if err != nil {
		return nil, fmt.Errorf("start embedded NATS: %w", err)
	}
	lock, err := LockDir(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("start embedded NATS: %w", err)
	}
	s := &Server{lock: lock, worker: worker, dir: cfg.DataDir, names: cfg.Names, done: make(chan struct{})}
	err = finish(s.redo())
	if err == nil {
		s.running, err = run(options, cfg)
	}
	if err != nil {
		lock.Release()
		return nil, fmt.Errorf("start embedded NATS: %w", err)
	}
	s.looking.Go(func() { s.keepReadersInBounds(cfg.Logger, s.done) })
	if err := s.admit(gate); err != nil {
		s.Close()
		return nil, fmt.Errorf("start embedded NATS: %w", err)
	}
	return s, nil
}

// admit opens the rooms of readers.
func (s *Server) admit(gate *gate) (err error) {
	defer close(gate.ready)
	if gate.rooms, err = openRooms(s.running, gate.cfg.Names); err != nil {
		return err
	}
	if s.porter, err = nats.Connect("", s.Options()...); err != nil {
		return err
	}
	return openDoor(s.porter)
}

func run(options *server.Options, cfg Config) (*server.Server, error) {
	running, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("read its settings: %w", err)
	}
	log := &logger{log: cfg.Logger}
	running.SetLoggerV2(log, false, false, false)
	running.Start()
	err = log.fatalError(cfg.Listen)
	if err == nil && !running.ReadyForConnections(startup) {
		err = fmt.Errorf("it was not ready within %s", startup)
	}
	if err != nil {
		running.Shutdown()
		running.WaitForShutdown()
		return nil, err
	}
	return running, nil
}

func (cfg *Config) options(gate *gate) (*server.Options, error) {
	host, port, err := cfg.address()
	if err != nil {
		return nil, err
	}
	store, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("find data_dir %s: %w", cfg.DataDir, err)
	}
	options := &server.Options{
		ServerName: Name, Host: host, Port: port,
		JetStream: true, StoreDir: store, SyncAlways: cfg.SyncAlways, DisableJetStreamBanner: true,
		MaxPayload: ledger.MaxBatchBytes, NoSigs: true,
		// What the server sets itself is a share of what is free at its start: when
		// that is less than is stored, it tears a batch that a crash interrupted.
		// The disk is watched before each batch instead.
		JetStreamMaxStore: noStoreLimit,
		MaxConn:           mostConnections, MaxSubs: 1000, JetStreamMaxMemory: 64 << 20,
		CustomClientAuthentication: gate,
	}
	return options, nil
}

const noStoreLimit = 1 << 60

func (cfg *Config) address() (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return "", 0, fmt.Errorf("read nats.embedded.listen: %w", err)
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("read nats.embedded.listen: %q has no port between 0 and 65535", cfg.Listen)
	}
	if !address.Loopback(host) && cfg.open() {
		return "", 0, fmt.Errorf("nats.embedded.listen is %s, which other machines can reach: "+
			"set nats.user and nats.password_file, or nats.token_file, or listen on 127.0.0.1", cfg.Listen)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// open reports whether readers need no credentials.
func (cfg *Config) open() bool {
	return cfg.Token.Empty() && (cfg.User == "" || cfg.Password.Empty())
}

// URL is where readers connect: nats://127.0.0.1:4222.
func (s *Server) URL() string { return "nats://" + s.running.Addr().String() }

// Options connect the worker, in memory and as the user who may do everything.
// Its answers come to an inbox that readers can neither see nor write to.
func (s *Server) Options() []nats.Option {
	return []nats.Option{
		nats.InProcessServer(s.running),
		nats.UserInfo(s.worker.Username, s.worker.Password),
		nats.CustomInboxPrefix(workerInbox),
	}
}

// Close stops the server, waits until it has written everything, and returns the
// data directory back. Connections to it are lost.
func (s *Server) Close() {
	s.closing.Do(func() { close(s.done) })
	s.looking.Wait()
	if s.porter != nil {
		s.porter.Close()
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
	s.lock.Release()
}
