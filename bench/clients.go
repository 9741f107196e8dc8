package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// startRollcall starts the worker as an operator would, or several, by itself with
// a schedule that leaves no time between two polls.
func (b *bench) startRollcall(s *scene) error {
	s.clients = nil
	for n := range max(s.workers, 1) {
		if err := b.startWorker(s, n); err != nil {
			return err
		}
	}
	s.client = s.clients[0]
	return nil
}

func (b *bench) startWorker(s *scene, n int) error {
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "secret"), []byte("bench"), 0o600); err != nil {
		return fmt.Errorf("write the secret: %w", err)
	}
	file := filepath.Join(s.dir, fmt.Sprintf("rollcall-%d.yaml", n))
	if err := os.WriteFile(file, []byte(s.configuration(listen, n)), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	p, _, err := launch(string(rollcall), s.dir, s.environ, b.worker, "run", "--config", file)
	if err != nil {
		return err
	}
	if s.clients = append(s.clients, p); n == 0 {
		s.console = "http://" + listen
	}
	return nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

// configuration bounds the calls only by what Rollcall allows at most, or by the
// tenant's rate.
func (s *scene) configuration(listen string, worker int) string {
	var y strings.Builder
	fmt.Fprintf(&y, "data_dir: data-%d\negress_qps: 500\nhttp: {listen: %s, pprof: true}\nlog: {level: warn}\nstream: {replicas: %d}\n",
		worker, listen, max(s.servers, 1))
	if s.embedded {
		fmt.Fprintf(&y, "nats: {embedded: {listen: %q, sync: %s}}\n", strings.TrimPrefix(s.nats, "nats://"), s.sync)
	} else {
		fmt.Fprintf(&y, "nats: {url: %s}\n", s.nats)
	}
	fmt.Fprint(&y, "tenants:\n")
	each := s.world.Meetings / s.tenants
	for n := range s.tenants { // without lists of members, which the script does not read either
		fmt.Fprintf(&y, "- name: bench-%d\n  endpoint: %s\n  auth: {client_id: bench, client_secret_file: secret}\n", n, s.dingtalk)
		fmt.Fprintf(&y, "  poll: {schedule: %q, batch_size: %d, qps: %d, monthly_calls: unlimited}\n  members: off\n",
			cmp.Or(s.schedule, "@continuous"), s.batch, cmp.Or(s.qps, 500))
		fmt.Fprint(&y, "  track:\n    conferences:\n")
		for meeting := n * each; meeting < (n+1)*each; meeting++ {
			fmt.Fprintf(&y, "    - %s\n", id(meeting))
		}
	}
	return y.String()
}

// startPlain starts the plain script, which knows no tenants.
func (b *bench) startPlain(s *scene) error {
	every := strings.TrimPrefix(s.schedule, "@every ")
	p, _, err := launch(string(plain), s.dir, s.environ, b.plainFile, "-dingtalk", s.dingtalk, "-nats", s.nats, "-prefix", idPrefix,
		"-meetings", strconv.Itoa(s.world.Meetings), "-batch", strconv.Itoa(min(s.batch, s.world.Meetings/s.tenants)), "-every", cmp.Or(every, "0s"),
		"-bytes-first="+strconv.FormatBool(s.session.client == bytesFirst))
	s.client, s.clients = p, []*process{p}
	return err
}
