package embedded

import (
	"crypto/subtle"
	"slices"

	"github.com/nats-io/nats-server/v2/server"

	"rollcall/internal/address"
	"rollcall/internal/secret"
	"rollcall/wire"
)

// workerInbox is where the worker's requests are answered.
const workerInbox = "_ROLLCALL.inbox"

// gate admits every client: the worker by its password, operators by their
// token, and everybody else as a reader, with the credentials asked for or
// without any.
type gate struct {
	cfg    *Config
	worker *server.User
	ready  chan struct{} // closed once rooms is set
	rooms  *rooms
}

// Check is asked by the server about each new connection.
func (g *gate) Check(c server.ClientAuthentication) bool {
	given := c.GetOpts()
	if given.Username == g.worker.Username && same(given.Password, g.worker.Password) {
		c.RegisterUser(g.worker)
		return true
	}
	<-g.ready
	operator := g.cfg.operates(given)
	if !operator && !g.cfg.reads(given) {
		return false
	}
	return g.rooms.take(c, operator || g.cfg.Operator.Empty() && g.cfg.local())
}

// operates recognizes an operator by the token, alone or as a password.
func (cfg *Config) operates(given *server.ClientOpts) bool {
	return !cfg.Operator.Empty() && (matches(cfg.Operator, given.Token) || given.Username == "operator" && matches(cfg.Operator, given.Password))
}

func (cfg *Config) reads(given *server.ClientOpts) bool {
	switch {
	case !cfg.Token.Empty():
		return matches(cfg.Token, given.Token)
	case cfg.open():
		return true
	}
	return given.Username == cfg.User && matches(cfg.Password, given.Password)
}

// local reports whether nobody but this machine can connect.
func (cfg *Config) local() bool {
	host, _, err := cfg.address()
	return err == nil && address.Loopback(host)
}

func matches(want secret.String, given string) bool { return same(given, want.Reveal()) }

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// What connections may do within their room.
type rights struct {
	services []string // what they may ask of the worker's side
	checked  []string // the same, where the door looks at each request
}

// readerRights let readers read: live, from the stream, and by asking the worker.
func readerRights(n wire.Names) rights {
	const api = "$JS.API."
	r := rights{services: []string{api + "INFO", api + "STREAM.NAMES", api + "STREAM.LIST", "$SRV.>", n.API("*", "list"), n.API("*", "show")}}
	for _, stream := range streams(n) {
		r.services = append(
			r.services, api+"STREAM.INFO."+stream, api+"STREAM.MSG.GET."+stream, api+"DIRECT.GET."+stream, api+"DIRECT.GET."+stream+".>",
			api+"CONSUMER.NAMES."+stream, api+"CONSUMER.LIST."+stream, api+"CONSUMER.INFO."+stream+".*", api+"CONSUMER.MSG.NEXT."+stream+".*",
			"$JS.ACK."+stream+".>", "$JS.FC."+stream+".>",
		)
		r.checked = append(
			r.checked, api+"CONSUMER.CREATE."+stream, api+"CONSUMER.CREATE."+stream+".>",
			api+"CONSUMER.DURABLE.CREATE."+stream+".*", api+"CONSUMER.DELETE."+stream+".*",
		)
	}
	return r
}

// operatorRights let operators say besides what is tracked, and forward: the worker
// makes the bucket and the stream that a forwarder writes.
func operatorRights(n wire.Names) rights {
	r := readerRights(n)
	r.services = append(r.services, n.API("*", "track"), n.API("*", "untrack"), n.API("*", "forget"), "$KV."+n.Forward()+".>", n.UndeliveredTo("*"))
	return r
}

// streams are those that can be read: of events and state, and of the buckets.
func streams(n wire.Names) []string {
	return []string{n.Stream, "KV_" + n.Workers(), "KV_" + n.Budget(), "KV_" + n.Forward(), n.Undelivered()}
}

// permissions refuse with an error what would change the ledger or forge what it
// says, and would come to nothing in a room anyway.
func (r rights) permissions(n wire.Names) *server.Permissions {
	deny := []string{n.Commits(), n.All(), n.Shard("*", ">"), "_ROLLCALL.>", "$KV." + n.Workers() + ".>", "$KV." + n.Budget() + ".>"}
	for _, verb := range []string{"CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "MSG.DELETE", "LEADER.STEPDOWN", "PEER.REMOVE"} {
		deny = append(deny, "$JS.API.STREAM."+verb+".>")
	}
	for _, order := range []string{n.API("*", "track"), n.API("*", "untrack"), n.API("*", "forget"), "$KV." + n.Forward() + ".>", n.UndeliveredTo("*")} {
		if !slices.Contains(r.services, order) {
			deny = append(deny, order)
		}
	}
	return &server.Permissions{
		Publish: &server.SubjectPermission{Deny: deny},
		Subscribe: &server.SubjectPermission{
			Deny: []string{n.Commits(), n.API("*", ">"), n.Shard("*", ">"), "_ROLLCALL.>", "$JS.>", "$SRV.>", "$KV.>", "_R_.>"},
		},
	}
}
