package embedded

import (
	"crypto/subtle"

	"github.com/nats-io/nats-server/v2/server"

	"rollcall/wire"
)

// workerInbox is where the worker's requests are answered.
const workerInbox = "_ROLLCALL.inbox"

// authenticate lets the worker in by its password, and everybody else as a
// reader: with the credentials asked for, or without any.
func (cfg *Config) authenticate(options *server.Options, worker *server.User) {
	reader := &server.User{Username: cfg.User, Password: cfg.Password.Reveal(), Permissions: readerPermissions(cfg.Names)}
	if !cfg.Token.Empty() {
		options.CustomClientAuthentication = &byToken{worker, reader, cfg.Token.Reveal()}
		return
	}
	if cfg.open() {
		reader.Username, reader.Password = "reader", ""
		options.NoAuthUser = reader.Username
	}
	options.Users = []*server.User{worker, reader}
}

// byToken lets readers in by a token, which the server itself cannot have
// beside users.
type byToken struct {
	worker, reader *server.User
	token          string
}

// Check is asked by the server about each new connection.
func (b *byToken) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if opts.Username == b.worker.Username && same(opts.Password, b.worker.Password) {
		c.RegisterUser(b.worker)
		return true
	}
	if same(opts.Token, b.token) {
		c.RegisterUser(b.reader)
		return true
	}
	return false
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// readerPermissions let readers read, and have streams of their own. What is
// denied is what would change the ledger, forge what it says, or show what is
// not committed.
func readerPermissions(n wire.Names) *server.Permissions {
	deny := []string{n.Commits(), n.All(), n.Shard("*", ">"), "_ROLLCALL.>"}
	deny = append(deny, changesOf(n.Stream)...)
	for _, bucket := range []string{n.Workers(), n.Budget()} {
		deny = append(deny, "$KV."+bucket+".>")
		deny = append(deny, changesOf("KV_"+bucket)...)
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Deny: deny},
		Subscribe: &server.SubjectPermission{Deny: []string{n.Commits(), n.API("*", ">"), n.Shard("*", ">"), "_ROLLCALL.>"}},
	}
}

// changesOf are the requests that change a stream or what it holds.
func changesOf(stream string) []string {
	var subjects []string
	for _, verb := range []string{
		"CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "MSG.DELETE", "LEADER.STEPDOWN", "PEER.REMOVE",
	} {
		subjects = append(subjects, "$JS.API.STREAM."+verb+"."+stream)
	}
	return subjects
}
