// Package forward makes a forwarder of the configuration: its secrets, its targets
// and its routes. What the commands say of it stands beside them.
package forward

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"rollcall"
	"rollcall/cmd/rollcall/config"
	"rollcall/forwarder"
	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
	"rollcall/internal/secret"
)

// Targets makes the targets of a configuration. It reads their templates; their
// secrets are read before every message. The error holds every mistake.
func Targets(f config.Forward, transport http.RoundTripper) ([]forwarder.Target, error) {
	var all []forwarder.Target
	var failed []error
	for _, cfg := range f.Targets {
		t, err := newTarget(cfg, transport)
		if err != nil {
			failed = append(failed, fmt.Errorf("target %s: %w", cfg.Name, err))
		}
		all = append(all, t)
	}
	return all, errors.Join(failed...)
}

func newTarget(cfg config.ForwardTarget, transport http.RoundTripper) (forwarder.Target, error) {
	kind, known := target.KindOf(cfg.Kind)
	if !known {
		return forwarder.Target{}, fmt.Errorf("kind %s is not known", cfg.Kind)
	}
	var own fs.FS
	if cfg.Templates != "" {
		if info, err := os.Stat(cfg.Templates); err != nil || !info.IsDir() {
			return forwarder.Target{}, fmt.Errorf("templates %s is no directory that can be read", cfg.Templates)
		}
		own = os.DirFS(cfg.Templates)
	}
	writer := func(zone *time.Location) (*note.Writer, error) { return note.NewWriter(cfg.Language, zone, own) }
	if _, err := writer(time.UTC); err != nil {
		return forwarder.Target{}, err
	}
	monthly := forwarder.Unlimited
	if cfg.MonthlyMessages != config.Unlimited {
		monthly = int(cfg.MonthlyMessages)
	}
	robots := &opener{cfg: cfg, kind: kind, transport: transport}
	return forwarder.Target{
		Name: cfg.Name, Kind: kind, Open: robots.open, Writer: writer, Mention: cfg.At, Monthly: monthly, OnFailure: cfg.OnFailure,
	}, nil
}

// opener opens the robots of a target, anew where a secret has changed.
type opener struct {
	cfg       config.ForwardTarget
	kind      target.Kind
	transport http.RoundTripper

	mu     sync.Mutex
	read   []string // the secrets of robots
	robots []forwarder.Robot
}

// open is [forwarder.Target.Open]. Its errors show no secret.
func (o *opener) open() ([]forwarder.Robot, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	all, read, err := o.options()
	if err != nil {
		return nil, err
	}
	if o.robots != nil && slices.Equal(read, o.read) {
		return o.robots, nil
	}
	robots := make([]forwarder.Robot, 0, len(all))
	for _, options := range all {
		to, err := o.kind.New(options)
		if err != nil {
			return nil, err
		}
		robots = append(robots, forwarder.Robot{Key: options.Address.Key(), Version: version(options), Target: to})
	}
	o.read, o.robots = read, robots
	return robots, nil
}

// version is a hash of what the messages of a robot are signed with.
func version(o target.Options) string {
	sum := sha256.New()
	for _, s := range append([]secret.String{o.Secret}, o.OldSecrets...) {
		_, _ = fmt.Fprintf(sum, "%q ", s.Reveal())
	}
	_, _ = fmt.Fprintf(sum, "%q %s", o.Keyword, o.Address.Key())
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// options reads the secrets of every robot, and returns them beside, in order.
func (o *opener) options() (all []target.Options, read []string, err error) {
	addresses := o.cfg.URLs
	if len(addresses) == 0 {
		addresses = []config.ForwardAddress{{URLFile: o.cfg.URLFile}}
	}
	get := func(path string) (s secret.String) {
		if err == nil && path != "" {
			s, err = secret.ReadFile(path)
			read = append(read, s.Reveal())
		}
		return s
	}
	var old []secret.String
	for _, file := range o.cfg.OldSecretFiles {
		old = append(old, get(file))
	}
	for _, a := range addresses {
		if a.SecretFile == "" {
			a.SecretFile = o.cfg.SecretFile
		}
		options := target.Options{
			Secret: get(a.SecretFile), OldSecrets: old, Keyword: o.cfg.Keyword, AllowPrivate: o.cfg.AllowPrivate, Transport: o.transport,
		}
		address := get(a.URLFile)
		if err == nil {
			options.Address, err = target.ParseAddress(address.Reveal())
		}
		all = append(all, options)
	}
	return all, read, err
}

// Routes are those of a configuration.
func Routes(f config.Forward) ([]forwarder.Route, error) {
	var all []forwarder.Route
	for _, r := range f.Routes {
		zone, err := time.LoadLocation(r.Timezone)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Known(), err)
		}
		all = append(all, forwarder.Route{
			Name: r.Known(), Targets: r.Targets, GroupBy: forwarder.GroupBy(r.GroupBy), Wait: r.GroupWait, Interval: r.GroupInterval,
			Zone: zone, MaxWaiting: r.MaxWaiting, MaxAge: r.MaxAge,
			Match: forwarder.Match{
				Tenants: r.Match.Tenants, Types: r.Match.Types, Titles: r.Match.Titles, Labels: r.Match.Labels, Users: r.Match.Users,
				Provenances: provenances(r.Match.Provenances),
			},
		})
	}
	return all, nil
}

func provenances(words []string) (all []rollcall.Provenance) {
	for _, word := range words {
		all = append(all, rollcall.Provenance(word))
	}
	return all
}
