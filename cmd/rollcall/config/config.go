// Package config is what an operator may say to Rollcall. [Load] turns the
// bytes of one YAML document, and the environment, into a complete [Config] or
// into every complaint there is about them, each with its line, its key and
// what is allowed. It holds no secret, only where they are, and opens no file but
// those of tenants_dir.
//
// The comments of the fields are the manual: docs/configuration.md and
// config.example.yaml are made of them, of the tags and of the defaults. The tag
// allow says what a key takes, and is what complaints quote. The tag live says
// when a file is read anew; tenants and the log's level are, all
// other keys take effect at the next start.
package config

//go:generate go test . -run Current -update

import "time"

// Config is everything that can be set.
type Config struct {
	// Where the embedded NATS keeps events and state, and where observations wait
	// while NATS is away. One process at a time: the directory is locked.
	DataDir string `yaml:"data_dir" allow:"a directory"`
	// Where events and state are kept: in a NATS cluster, or in a server inside
	// this process.
	NATS NATS `yaml:"nats"`
	// The JetStream stream of events and state. Every other name derives from it.
	Stream Stream `yaml:"stream"`
	// While NATS cannot take what was observed, it is also written to a file in
	// data_dir, for the next process should this one end. When it is full, polling
	// pauses until NATS is back.
	Journal Journal `yaml:"journal"`
	// One for each organization of DingTalk, with its own credentials and pace.
	Tenants []Tenant `yaml:"tenants" allow:"a list of tenants"`
	// A directory of files (.yaml or .yml) with more tenants, each file one tenant or
	// a list of them, as they stand in tenants: for those who have hundreds.
	TenantsDir string `yaml:"tenants_dir" allow:"the path of a directory"`
	// Which chat groups and webhooks are told what happens. Tenants are of no matter to
	// "rollcall forward", which may have a file with this and nats alone.
	Forward Forward `yaml:"forward"`
	// Calls a second of this process, over all tenants. DingTalk blocks an address
	// that makes more than 10,000 in 20 s (500 a second), for five minutes; above
	// 490 that is kept away from.
	EgressQPS float64 `yaml:"egress_qps" allow:"a number above 0, at most 500 (where DingTalk blocks the address)"`
	// Health (/livez, /readyz), metrics (/metrics) and the live page (/).
	HTTP HTTP `yaml:"http"`
	// The log, which goes to standard error.
	Log Log `yaml:"log"`
}

// NATS is where events and state are kept. At most one way to authenticate is
// given: a credentials file, a token file, or a user with a password file.
type NATS struct {
	// A NATS cluster (2.14.4 or newer), several addresses separated by commas.
	// Empty: a server inside this process, so that nothing else need be installed.
	URL string `yaml:"url" allow:"nats://, tls://, ws:// or wss:// addresses without user and password, separated by commas, or nothing for the embedded server"`
	// One way to authenticate at most: this file, a token, or a user with a
	// password. Secrets stand in files, which are easier to mount and to rotate than
	// a password in an address, and are never logged.
	CredentialsFile string `yaml:"credentials_file" allow:"the path of a .creds file" live:"whenever the connection is made"`
	// The token to connect with; what the embedded server asks of readers, where it
	// is used.
	TokenFile string `yaml:"token_file" allow:"the path of a file with a token" live:"whenever the connection is made to url"`
	// The user to connect as; whom the embedded server lets in as a reader, where it
	// is used. It wants password_file.
	User string `yaml:"user" allow:"a user's name"`
	// The user's password.
	PasswordFile string `yaml:"password_file" allow:"the path of a file with a password" live:"whenever the connection is made to url"`
	// How the connection is encrypted, beyond what url says.
	TLS TLS `yaml:"tls"`
	// What begins the subjects on which answers are waited for. On a NATS that is
	// shared, give each user its own, such as _INBOX.worker, and it can listen to
	// no other's. The worker answers requests below _INBOX. and this alone.
	InboxPrefix string `yaml:"inbox_prefix" allow:"tokens of letters, digits, _ and -, separated by dots, such as _INBOX.rollcall; the first not that of other subjects of ours"`
	// How JetStream is reached where it is not that of the connection's account: by
	// its domain, or by js_prefix. One of them at most; see deploy/README.md.
	Domain string `yaml:"domain" allow:"letters, digits, _ and -"`
	// The prefix under which JetStream of another account is imported.
	JSPrefix string `yaml:"js_prefix" allow:"the first tokens of subjects, such as JS.rollcall.API"`
	// The server inside this process; ignored when url is set. Whoever connects to
	// it is a reader; docs/operations.md, "Readers of the embedded server", says
	// what a reader can do.
	Embedded Embedded `yaml:"embedded"`
}

// TLS names files in PEM.
type TLS struct {
	// Authorities to trust instead of the system's.
	CAFile string `yaml:"ca_file" allow:"the path of a file with certificates" live:"whenever the connection is made"`
	// A client certificate, if the server asks for one. It wants key_file.
	CertFile string `yaml:"cert_file" allow:"the path of a certificate, together with key_file" live:"whenever the connection is made"`
	// The key of the client certificate.
	KeyFile string `yaml:"key_file" allow:"the path of a key, together with cert_file" live:"whenever the connection is made"`
}

// Embedded is the server inside the process, used while NATS.URL is empty.
type Embedded struct {
	// Loopback, so that subscribers on this machine can connect and nobody else.
	// Any other address wants token_file, or user and password_file.
	Listen string `yaml:"listen" allow:"host:port, such as 127.0.0.1:4222; beyond loopback together with nats.token_file, or nats.user and nats.password_file"`
	// always: every commit is on the disk before it counts, also when the power
	// fails. interval: every two minutes; faster, and kill -9 still loses nothing.
	Sync string `yaml:"sync" allow:"always or interval"`
	// Who may track and untrack, which spends calls: whoever shows this token (as a
	// token, or as the password of the user operator). Empty: on loopback everybody,
	// beyond it nobody.
	OperatorTokenFile string `yaml:"operator_token_file" allow:"the path of a file with a token"`
}

// Stream is the JetStream stream of events and state.
type Stream struct {
	// The name from which every other one derives, such as that of the bucket
	// MEETINGS_WORKERS.
	Name string `yaml:"name" allow:"1 to 64 letters, digits, _ and -"`
	// What subjects begin with: meetings.event.TENANT.CONFERENCE.ENTITY.VERB, for
	// example.
	Prefix string `yaml:"prefix" allow:"tokens of letters, digits, _ and -, separated by dots, the first not \"rollcall\" and none beginning with _"`
	// Servers of a cluster that keep a copy. 3 survive the loss of one.
	Replicas int `yaml:"replicas" allow:"a whole number from 1 to 5"`
	// How long events, and meetings that are over, are kept. A week lets a consumer
	// be away over a long weekend.
	Retention time.Duration `yaml:"retention" allow:"a duration with a unit, at least 1h, such as 168h"`
	// The stream's size in bytes; 0 sets no limit. When full, nothing new is stored
	// until room is made: events are not thrown away to make it.
	MaxBytes int64 `yaml:"max_bytes" allow:"a whole number of bytes, 0 for no limit"`
	// The size of the bucket in which workers register, when it is created, in bytes.
	// Accounts of managed NATS demand one; a worker takes about 1 kB and 200 bytes a
	// shard.
	WorkersMaxBytes int64 `yaml:"workers_max_bytes" allow:"a whole number of bytes, 0 for no limit"`
	// The same of the bucket in which calls are counted, where a tenant has a number
	// of monthly_calls: about 2 kB a tenant and month.
	BudgetMaxBytes int64 `yaml:"budget_max_bytes" allow:"a whole number of bytes, 0 for no limit"`
	// What stands before the source of each event, so that events of several
	// installations can be told apart.
	Source string `yaml:"source" allow:"the beginning of a URI without a query, at most 256 bytes and not ending in /, such as https://rollcall.example/prod"`
}

// Journal keeps on disk what waits while NATS is away.
type Journal struct {
	// The size of the file in bytes.
	MaxBytes int64 `yaml:"max_bytes" allow:"a whole number of bytes, at least 1048576"`
}

// HTTP is where health, metrics and the live page are served, and profiles where
// they are wanted.
type HTTP struct {
	// Loopback, since health and metrics tell who is watched; in a container use
	// 0.0.0.0:8080.
	Listen string `yaml:"listen" allow:"host:port, such as 127.0.0.1:8080"`
	// Names under which it may be asked, beside addresses, localhost and this
	// machine's own name: those of a proxy or a Kubernetes service, for example.
	// Under another name a stranger's page could read it through a browser.
	Hosts []string `yaml:"hosts" allow:"a list of host names without scheme and port, each once, such as rollcall.example"`
	// /debug/pprof, for whoever profiles this process. Only on loopback: it costs
	// CPU to ask for, and shows the inside.
	Pprof bool `yaml:"pprof" allow:"true, with http.listen on loopback, or false"`
	// The page that one keeps open: which meetings go on, who is in them, and how
	// old that is. See docs/page.md.
	Page Page `yaml:"page"`
}

// Page is the live page, which shows the names of people.
type Page struct {
	// Whether it is served at /. Beyond loopback it is served only with token_file or
	// proxies, and otherwise is not there.
	Enabled bool `yaml:"enabled" allow:"true or false"`
	// Who may see it: whoever shows this token, as the password of any user or as a
	// bearer. It goes unencrypted over http: beyond loopback put a proxy with TLS in front.
	TokenFile string `yaml:"token_file" allow:"the path of a file with a token" live:"whenever the page is asked for"`
	// Proxies that have asked already who looks, and are asked for no token. They
	// keep the Host of a request, or their name stands in http.hosts.
	Proxies []string `yaml:"proxies" allow:"a list of IP addresses and networks, each once, such as 10.0.0.7 or 10.244.0.0/16"`
	// show, or hide: initials and counts, and nothing else of a person.
	Names string `yaml:"names" allow:"show or hide"`
}

// Log is how the process writes its log, to standard error.
type Log struct {
	// What is logged at least.
	Level string `yaml:"level" allow:"debug, info, warn or error"`
	// json for programs, console for people.
	Format string `yaml:"format" allow:"json or console"`
}
