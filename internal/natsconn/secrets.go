package natsconn

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"rollcall/internal/secret"
)

// authentication returns the options for the one way to authenticate. The files
// are read now, so that a mistake is met at the start, and again whenever the
// connection is made anew.
func (cfg *Config) authentication() ([]nats.Option, error) {
	if err := cfg.oneWay(); err != nil {
		return nil, err
	}
	switch {
	case cfg.CredentialsFile != "":
		if err := secret.CheckFile(cfg.CredentialsFile); err != nil {
			return nil, fmt.Errorf("read nats.credentials_file: %w", err)
		}
		return []nats.Option{nats.UserCredentials(cfg.CredentialsFile)}, nil
	case cfg.TokenFile != "":
		if _, err := readSecret("nats.token_file", cfg.TokenFile); err != nil {
			return nil, err
		}
		return []nats.Option{nats.TokenHandler(func() string { return again(cfg.TokenFile) })}, nil
	case cfg.User != "":
		if _, err := readSecret("nats.password_file", cfg.PasswordFile); err != nil {
			return nil, err
		}
		user, file := cfg.User, cfg.PasswordFile
		return []nats.Option{nats.UserInfoHandler(func() (string, string) { return user, again(file) })}, nil
	}
	return nil, nil
}

func (cfg *Config) oneWay() error {
	ways := 0
	for _, given := range []string{cfg.CredentialsFile, cfg.TokenFile, cfg.User} {
		if given != "" {
			ways++
		}
	}
	if ways > 1 {
		return errors.New("give only one of nats.credentials_file, nats.token_file and nats.user")
	}
	if (cfg.User == "") != (cfg.PasswordFile == "") {
		return errors.New("nats.user and nats.password_file belong together")
	}
	return nil
}

// readSecret reads a file. Its errors name the key and never show the content.
func readSecret(key, file string) (string, error) {
	value, err := secret.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	return value.Reveal(), nil
}

// again reads a secret for another attempt to connect. A file that is away for
// a moment, as while it is replaced, makes this attempt fail and the next one
// better.
func again(file string) string {
	value, err := readSecret("", file)
	if err != nil {
		return ""
	}
	return value
}

func (t TLS) options() ([]nats.Option, error) {
	var options []nats.Option
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("nats.tls.cert_file and nats.tls.key_file belong together")
	}
	if t.CA != "" {
		if err := secret.CheckFile(t.CA); err != nil {
			return nil, fmt.Errorf("read nats.tls.ca_file: %w", err)
		}
		options = append(options, nats.RootCAs(t.CA))
	}
	if t.Cert != "" {
		if err := errors.Join(secret.CheckFile(t.Cert), secret.CheckFile(t.Key)); err != nil {
			return nil, fmt.Errorf("read nats.tls.cert_file and key_file: %w", err)
		}
		if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
			return nil, fmt.Errorf("read nats.tls.cert_file and key_file: %w", err)
		}
		options = append(options, nats.ClientCert(t.Cert, t.Key))
	}
	return options, nil
}
