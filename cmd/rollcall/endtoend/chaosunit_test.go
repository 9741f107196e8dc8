//go:build unix

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"rollcall/internal/natsproxy"
)

// unit is a worker that is started again whenever it was killed, with ways of its own
// to each server.
type unit struct {
	field   *battlefield
	site    *site
	proxies []*natsproxy.Proxy
	disk    *disk // of its data_dir; nil: it has none of its own

	mu     sync.Mutex
	worker *worker
	config string // the path
	guests string // what it says of the second tenant
	clock  clock

	misled sync.Mutex // held while its configuration is none
	filled sync.Mutex // held while its disk is full
	frozen bool
}

// admit adds the second tenant to a configuration: one like the first, to which some of
// the meetings belong.
func (u *unit) admit() {
	t, ids := u.field.t, u.field.sim.ids
	list := func(ids []string) string {
		text, err := json.Marshal(ids)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	own, guests := list(ids[:len(ids)-guestMeetings]), list(ids[len(ids)-guestMeetings:])
	u.site.config = edited(t, u.site.config, list(ids), own)
	_, tenant, _ := strings.Cut(contents(t, u.site.config), "tenants:\n")
	tenant, _, _ = strings.Cut(tenant, "http: {")
	u.guests = strings.NewReplacer("name: acme", "name: guests", own, guests, fmt.Sprint("shards: ", replicaShards), "shards: 5").Replace(tenant)
	u.site.config = edited(t, u.site.config, "http: {", u.guests+"http: {")
}

// kill kills a worker, and starts it again at once.
func (u *unit) kill() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.frozen {
		u.worker.kill()
		u.field.count("(kills of workers)")
		u.start()
	}
}

// start starts the worker, in the place of the one before.
func (u *unit) start() {
	u.field.starting.Lock()
	defer u.field.starting.Unlock()
	u.worker = u.site.start()
}

// configure changes the worker's configuration, and has it read again.
func (u *unit) configure(old, fresh string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.site.config = edited(u.field.t, u.site.config, old, fresh)
	u.rename()
	u.worker.signal(syscall.SIGHUP)
}

// rename keeps the configuration where the worker that runs reads it.
func (u *unit) rename() {
	if err := os.Rename(u.site.config, u.config); err != nil {
		u.field.t.Error(err)
	}
	u.site.config = u.config
}

// replace stops a worker in order and starts it with another configuration.
func (u *unit) replace(old, fresh string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.frozen {
		u.worker.kill()
		u.frozen = false
	}
	u.worker.signal(syscall.SIGTERM)
	u.worker.exit()
	u.site.config = edited(u.field.t, u.site.config, old, fresh)
	u.rename()
	u.start()
}

// revive starts a worker again that has ended by itself, as a supervisor does.
func (u *unit) revive() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.worker.alive() {
		u.field.count("a worker ended by itself")
		u.field.t.Logf("worker %s ended by itself: %s", u.site.name, u.worker.err.tail(600))
		u.start()
	}
}

func (u *unit) freeze() { u.set(true, syscall.SIGSTOP) }

func (u *unit) thaw() { u.set(false, syscall.SIGCONT) }

func (u *unit) set(frozen bool, signal syscall.Signal) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.frozen = frozen
	u.worker.signal(signal)
}
