package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// simulate is the sub-command that serves rendered answers.
func simulate(args []string) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	var w world
	flags.IntVar(&w.Meetings, "meetings", 1000, "how many there are")
	flags.IntVar(&w.People, "people", 20, "in each meeting")
	list := flags.String("rates", "1", "percent of the people that may change, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rates, err := parseRates(*list)
	if err != nil {
		return err
	}
	s, err := render(w, rates)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	web := &http.Server{Handler: s.pages(), ReadHeaderTimeout: time.Minute}
	defer func() { _ = web.Close() }()
	go func() { _ = web.Serve(listener) }()
	serveUntilTold("http://" + listener.Addr().String())
	return nil
}

// broker is the sub-command that is a nats-server with its store in a directory.
func broker(args []string) error {
	flags := flag.NewFlagSet("broker", flag.ContinueOnError)
	dir := flags.String("dir", "", "where it stores")
	sync := flags.String("sync", "interval", "always writes through to the disk")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: *dir, SyncAlways: *sync == "always",
		NoLog: true, NoSigs: true, MaxPayload: 4 << 20,
	})
	if err != nil {
		return fmt.Errorf("make a nats-server: %w", err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(patience) {
		return errors.New("start a nats-server: it was not ready")
	}
	serveUntilTold("nats://" + s.Addr().String())
	return nil
}
