package embedded

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats-server/v2/server"

	"rollcall/wire"
)

// rooms are accounts of NATS, one for each connection of a reader, so that what
// one asks and is answered no other can hear. They import what is read from the
// account of the worker, and nothing that is sent in them reaches it except the
// requests that they import: an answer whose asker wants it on a subject of the
// ledger ends in the asker's room.
type rooms struct {
	running *server.Server
	names   wire.Names

	mu  sync.Mutex // guards all
	all []*room
}

type room struct {
	account  *server.Account
	operator bool
}

// most is how many connections of readers there may be: a message on its way to
// all of them is in memory as often, and one may have 4 MiB. The server takes
// more, which are refused one by one, so that the worker never finds it full.
const (
	most            = 64
	mostConnections = 8 * most
)

// openRooms exports what rooms import.
func openRooms(running *server.Server, names wire.Names) (*rooms, error) {
	home := running.GlobalAccount()
	rights := operatorRights(names)
	for _, name := range rights.services {
		if err := home.AddServiceExportWithResponse(name, server.Streamed, nil); err != nil {
			return nil, fmt.Errorf("let readers ask on %s: %w", name, err)
		}
	}
	for _, name := range rights.checked {
		if err := home.AddServiceExport(door+name, nil); err != nil {
			return nil, fmt.Errorf("let readers ask on %s: %w", name, err)
		}
	}
	for _, name := range heard(names) {
		if err := home.AddStreamExport(name, nil); err != nil {
			return nil, fmt.Errorf("let readers hear %s: %w", name, err)
		}
	}
	return &rooms{running: running, names: names}, nil
}

// heard are what readers may subscribe to: what is committed, and what their
// push consumers send them.
func heard(n wire.Names) []string { return []string{n.All(), "_INBOX.>"} }

// take lets a connection into a room of its own; false where all are taken.
func (r *rooms) take(c server.ClientAuthentication, operator bool) bool {
	rights, name := readerRights(r.names), "reader"
	if operator {
		rights, name = operatorRights(r.names), "operator"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	account := r.free(operator, rights)
	if account == nil {
		return false
	}
	c.RegisterUser(&server.User{Username: name, Permissions: rights.permissions(r.names), Account: account})
	return true
}

// free returns a room that nobody is in, or makes one; nil where there is none.
func (r *rooms) free(operator bool, rights rights) *server.Account {
	taken := 0
	for _, one := range r.all {
		empty := one.account.NumLocalConnections() == 0
		if empty && one.operator == operator {
			return one.account
		}
		if !empty {
			taken++
		}
	}
	if taken >= most {
		return nil
	}
	account, _ := r.running.LookupOrRegisterAccount(fmt.Sprintf("room-%d", len(r.all)+1))
	r.furnish(account, rights)
	r.all = append(r.all, &room{account, operator})
	return account
}

func (r *rooms) furnish(account *server.Account, rights rights) {
	home := r.running.GlobalAccount()
	// What openRooms has exported can be imported.
	for _, name := range rights.services {
		_ = account.AddServiceImport(home, name, name)
	}
	for _, name := range rights.checked {
		_ = account.AddServiceImport(home, name, door+name)
	}
	for _, name := range heard(r.names) {
		_ = account.AddStreamImport(home, name, "")
	}
}
