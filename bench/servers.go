package main

import (
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	roundTrip := flags.Duration("round-trip", 0, "of each answer")
	certificate := flags.String("tls", "", "answer over TLS, and write the certificate into this file")
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
	s.roundTrip = *roundTrip
	steer := httptest.NewServer(s.pages())
	defer steer.Close()
	if *certificate == "" {
		serveUntilTold(steer.URL + " " + steer.URL)
		return nil
	}
	api := httptest.NewTLSServer(s.pages())
	defer api.Close()
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	if err := os.WriteFile(*certificate, block, 0o600); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	serveUntilTold(api.URL + " " + steer.URL)
	return nil
}

// broker is the sub-command that is a nats-server with its store in a directory,
// or several in a cluster.
func broker(args []string) error {
	flags := flag.NewFlagSet("broker", flag.ContinueOnError)
	dir := flags.String("dir", "", "where it stores")
	sync := flags.String("sync", "interval", "always writes through to the disk")
	servers := flags.Int("servers", 1, "so many in a cluster, in this process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	routes, err := routesOf(*servers)
	if err != nil {
		return err
	}
	var all []*server.Server
	for n := range *servers {
		o := &server.Options{
			ServerName: fmt.Sprint("bench-", n), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
			StoreDir: filepath.Join(*dir, fmt.Sprint(n)), SyncAlways: *sync == "always", NoLog: true, NoSigs: true, MaxPayload: 4 << 20,
		}
		if *servers > 1 {
			port, _ := strconv.Atoi(routes[n].Port())
			o.Cluster, o.Routes = server.ClusterOpts{Name: "bench", Host: "127.0.0.1", Port: port}, routes
		}
		s, err := server.NewServer(o)
		if err != nil {
			return fmt.Errorf("make a nats-server: %w", err)
		}
		s.Start()
		defer s.WaitForShutdown()
		defer s.Shutdown()
		if !s.ReadyForConnections(patience) {
			return errors.New("start a nats-server: it was not ready")
		}
		all = append(all, s)
	}
	if err := awaitLeader(all); err != nil {
		return err
	}
	serveUntilTold("nats://" + all[0].Addr().String())
	return nil
}

// routesOf returns the addresses at which so many servers meet.
func routesOf(servers int) (routes []*url.URL, err error) {
	for range servers {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		routes = append(routes, &url.URL{Scheme: "nats", Host: address})
	}
	return routes, nil
}

// awaitLeader waits until the servers, where they are several, have a leader that
// knows all of them.
func awaitLeader(all []*server.Server) error {
	leads := func(s *server.Server) bool { return len(s.JetStreamClusterPeers()) == len(all) }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if len(all) == 1 || slices.ContainsFunc(all, leads) {
			return nil
		}
	}
	return errors.New("start a cluster: its servers did not meet")
}
