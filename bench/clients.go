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

// startRollcall starts the worker as an operator would, by itself with a
// schedule that leaves no time between two polls.
func (b *bench) startRollcall(s *scene) error {
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "secret"), []byte("bench"), 0o600); err != nil {
		return fmt.Errorf("write the secret: %w", err)
	}
	file := filepath.Join(s.dir, "rollcall.yaml")
	if err := os.WriteFile(file, []byte(s.configuration(listen, b.batch)), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	p, _, err := launch(string(rollcall), s.dir, b.worker, "run", "--config", file)
	if err != nil {
		return err
	}
	s.client, s.console = p, "http://"+listen
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

// configuration bounds the calls only by what Rollcall allows at most.
func (s *scene) configuration(listen string, batch int) string {
	var y strings.Builder
	fmt.Fprintf(&y, "data_dir: data\nnats: {url: %s}\negress_qps: 500\nhttp: {listen: %s, pprof: true}\nlog: {level: warn}\ntenants:\n",
		s.nats, listen)
	each := s.world.Meetings / s.tenants
	for n := range s.tenants {
		fmt.Fprintf(&y, "- name: bench-%d\n  endpoint: %s\n  auth: {client_id: bench, client_secret_file: secret}\n", n, s.dingtalk)
		fmt.Fprintf(&y, "  poll: {schedule: %q, batch_size: %d, qps: 500, monthly_calls: unlimited}\n", cmp.Or(s.schedule, "@continuous"), batch)
		fmt.Fprint(&y, "  track:\n    conferences:\n")
		for meeting := n * each; meeting < (n+1)*each; meeting++ {
			fmt.Fprintf(&y, "    - %s\n", id(meeting))
		}
	}
	return y.String()
}

// startPlain starts the plain script.
func (b *bench) startPlain(s *scene) error {
	p, _, err := launch(string(plain), s.dir, b.plainFile, "-dingtalk", s.dingtalk, "-nats", s.nats,
		"-prefix", idPrefix, "-meetings", strconv.Itoa(s.world.Meetings), "-batch", strconv.Itoa(b.batch))
	s.client = p
	return err
}
