// Package config is what an operator may say to Rollcall. [Load] turns the
// bytes of one YAML document, and the environment, into a complete [Config] or
// into every complaint there is about them, each with its line, its key and
// what is allowed. It opens no file and holds no secret: only where they are.
package config

import "time"

// Config is everything that can be set. The `allow` tags say what a key takes,
// and are what complaints quote.
type Config struct {
	DataDir string   `yaml:"data_dir" allow:"a directory"`
	NATS    NATS     `yaml:"nats"`
	Stream  Stream   `yaml:"stream"`
	Journal Journal  `yaml:"journal"`
	Tenants []Tenant `yaml:"tenants" allow:"a list of tenants"`
	// EgressQPS bounds the calls a second of the whole process.
	EgressQPS float64 `yaml:"egress_qps" allow:"a number above 0, at most 500 (where DingTalk blocks the address)"`
	HTTP      HTTP    `yaml:"http"`
	Log       Log     `yaml:"log"`
}

// NATS is where events and state are kept. At most one way to authenticate is
// given: a credentials file, a token file, or a user with a password file.
type NATS struct {
	URL             string `yaml:"url" allow:"nats://, tls://, ws:// or wss:// addresses without user and password, separated by commas, or nothing for the embedded server"`
	CredentialsFile string `yaml:"credentials_file" allow:"the path of a .creds file"`
	TokenFile       string `yaml:"token_file" allow:"the path of a file with a token"`
	User            string `yaml:"user" allow:"a user's name"`
	PasswordFile    string `yaml:"password_file" allow:"the path of a file with a password"`
	TLS             TLS    `yaml:"tls"`
	// InboxPrefix begins the subjects on which answers are waited for, and on
	// which the worker answers.
	InboxPrefix string `yaml:"inbox_prefix" allow:"tokens of letters, digits, _ and -, separated by dots, such as _INBOX.rollcall; the first not that of other subjects of ours"`
	// Domain and JSPrefix say how JetStream is reached: by its domain, or by the
	// prefix under which another account's is imported. At most one is given.
	Domain   string   `yaml:"domain" allow:"letters, digits, _ and -"`
	JSPrefix string   `yaml:"js_prefix" allow:"the first tokens of subjects, such as JS.rollcall.API"`
	Embedded Embedded `yaml:"embedded"`
}

// TLS names files in PEM: authorities to trust instead of the system's, and a
// certificate to show with its key.
type TLS struct {
	CAFile   string `yaml:"ca_file" allow:"the path of a file with certificates"`
	CertFile string `yaml:"cert_file" allow:"the path of a certificate, together with key_file"`
	KeyFile  string `yaml:"key_file" allow:"the path of a key, together with cert_file"`
}

// Embedded is the server inside the process, used while NATS.URL is empty.
type Embedded struct {
	Listen string `yaml:"listen" allow:"host:port, such as 127.0.0.1:4222; beyond loopback together with nats.token_file, or nats.user and nats.password_file"`
	Sync   string `yaml:"sync" allow:"always or interval"`
	// OperatorTokenFile holds what is asked of those who track and untrack.
	OperatorTokenFile string `yaml:"operator_token_file" allow:"the path of a file with a token"`
}

// Stream is the JetStream stream of events and state.
type Stream struct {
	Name      string        `yaml:"name" allow:"1 to 64 letters, digits, _ and -"`
	Prefix    string        `yaml:"prefix" allow:"tokens of letters, digits, _ and -, separated by dots, the first not \"rollcall\" and none beginning with _"`
	Replicas  int           `yaml:"replicas" allow:"a whole number from 1 to 5"`
	Retention time.Duration `yaml:"retention" allow:"a duration with a unit, at least 1h, such as 168h"`
	MaxBytes  int64         `yaml:"max_bytes" allow:"a whole number of bytes, 0 for no limit"`
	// Source stands before the source of each event, which tells installations apart.
	Source string `yaml:"source" allow:"the beginning of a URI without a query, at most 256 bytes and not ending in /, such as https://rollcall.example/prod"`
}

// Journal keeps on disk what waits while NATS is away.
type Journal struct {
	MaxBytes int64 `yaml:"max_bytes" allow:"a whole number of bytes, at least 1048576"`
}

// HTTP is where health and metrics are served, and profiles where they are wanted.
type HTTP struct {
	Listen string `yaml:"listen" allow:"host:port, such as 127.0.0.1:8080"`
	// Hosts are names, beside addresses and the machine's own, that may be asked.
	Hosts []string `yaml:"hosts" allow:"a list of host names without scheme and port, each once, such as rollcall.example"`
	Pprof bool     `yaml:"pprof" allow:"true, with http.listen on loopback, or false"`
}

// Log is how the process writes its log, to standard error.
type Log struct {
	Level  string `yaml:"level" allow:"debug, info, warn or error"`
	Format string `yaml:"format" allow:"json or console"`
}
