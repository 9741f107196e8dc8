package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// scene is everything that runs during a session: the simulated DingTalk, the
// broker, and the program that is measured.
type scene struct {
	session
	batch     int // meetings a call
	dir       string
	simulated *process
	dingtalk  string
	steer     string   // where the simulated DingTalk is told what to do
	broker    *process // nil: the worker brings it
	nats      string
	client    *process   // the program that is measured, or the first of several
	clients   []*process // all of them
	console   string     // where the first shows its metrics; "": nowhere
	environ   []string   // what clients have in theirs besides
}

// open starts DingTalk and the broker.
func (b *bench) open(d session) (s *scene, err error) {
	s = &scene{session: d, batch: b.batch}
	if s.dir, err = os.MkdirTemp(b.dir, "scene-"); err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	certificate := ""
	if d.tls {
		certificate = filepath.Join(s.dir, "dingtalk.pem")
		s.environ = []string{"SSL_CERT_FILE=" + certificate}
	}
	var addresses string
	s.simulated, addresses, err = helper(s.dir, "simulate", "-meetings", strconv.Itoa(d.world.Meetings), "-people", strconv.Itoa(d.world.People),
		"-rates", listed(d.rates), "-round-trip", d.roundTrip.String(), "-tls", certificate)
	if err == nil {
		s.dingtalk, s.steer, _ = strings.Cut(addresses, " ")
		err = s.openBroker()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *scene) openBroker() (err error) {
	if s.embedded {
		address, err := freeAddress()
		s.nats = "nats://" + address
		return err
	}
	s.broker, s.nats, err = helper(s.dir, "broker", "-dir", filepath.Join(s.dir, "store"), "-sync", s.sync, "-servers", strconv.Itoa(max(s.servers, 1)))
	return err
}

func listed(rates []float64) string {
	var all []string
	for _, rate := range rates {
		all = append(all, strconv.FormatFloat(rate, 'g', -1, 64))
	}
	return strings.Join(all, ",")
}

// close ends everything and removes what was stored.
func (s *scene) close() {
	for _, p := range append(s.clients, s.broker, s.simulated) {
		if p != nil {
			_ = p.stop() // it was killed, if it did not end
		}
	}
	_ = os.RemoveAll(s.dir)
}

// begin lets people change at another rate.
func (s *scene) begin(ctx context.Context, rate float64) error {
	percent := url.Values{"percent": {listed([]float64{rate})}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.steer+"/bench/rate?"+percent.Encode(), nil)
	if err != nil {
		return fmt.Errorf("change the rate: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("change the rate: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("change the rate to %v %%: %s", rate, response.Status)
	}
	return nil
}

func (s *scene) served(ctx context.Context) (n served, err error) {
	err = getJSON(ctx, s.steer+"/bench/served", &n)
	return n, err
}

func getJSON(ctx context.Context, address string, into any) error {
	body, err := get(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	return nil
}

// awaitPasses waits until each meeting was reported so many times in the phase.
func (s *scene) awaitPasses(ctx context.Context, passes int32) error {
	ctx, cancel := context.WithTimeout(ctx, 10*patience)
	defer cancel()
	for {
		n, err := s.served(ctx)
		if err != nil || n.Least >= passes {
			return err
		}
		select {
		case <-s.client.done:
			return fmt.Errorf("measure %s: it has ended: %s", s.client.name, s.client.said)
		default:
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for questions: only %d of %d came: %w: %s", n.Least, passes, err, s.client.said)
		}
	}
}

// awaitCalm waits, while nothing changes, until what has changed before is
// stored, but for a rest that the client may be behind: where one poll follows the
// other it stores some answers later than it asks for the next.
func (s *scene) awaitCalm(ctx context.Context) error {
	if s.schedule != "" {
		return s.awaitPasses(ctx, 2)
	}
	const behind = 6 // answers of a tenant, at most
	calls := (s.world.Meetings/s.tenants + s.batch - 1) / s.batch
	return s.awaitPasses(ctx, int32(2+behind/calls))
}

// stopClients stops them one after the other; each stores first what it holds.
func (s *scene) stopClients() error {
	for _, p := range s.clients {
		if err := p.stop(); err != nil {
			return err
		}
	}
	return nil
}
