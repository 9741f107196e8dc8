package config

import "fmt"

// SecretFile is a file with a secret, and the key that names it.
type SecretFile struct{ Key, Path string }

// SecretFiles are the files that must stay secret, in the order of the keys.
func (c Config) SecretFiles() []SecretFile {
	all := []SecretFile{
		{"nats.credentials_file", c.NATS.CredentialsFile},
		{"nats.token_file", c.NATS.TokenFile},
		{"nats.password_file", c.NATS.PasswordFile},
		{"nats.tls.key_file", c.NATS.TLS.KeyFile},
		{"http.page.token_file", c.HTTP.Page.TokenFile},
	}
	for i, t := range c.Tenants {
		for _, f := range []SecretFile{
			{"auth." + secretFile, t.Auth.ClientSecretFile},
			{"auth." + suiteSecretFile, t.Auth.SuiteSecretFile},
			{"auth." + suiteTicketFile, t.Auth.SuiteTicketFile},
			{"push." + secretFile, t.Push.ClientSecretFile},
		} {
			all = append(all, SecretFile{fmt.Sprintf("tenants[%d].%s", i, f.Key), f.Path})
		}
		all = append(all, SecretFile{fmt.Sprintf("tenants[%d].privacy.pseudonym_key_file", i), t.Privacy.PseudonymKeyFile})
	}
	for i, t := range c.Forward.Targets {
		all = append(all, t.secretFiles(fmt.Sprintf("forward.targets[%d].", i))...)
	}
	var given []SecretFile
	for _, f := range all {
		if f.Path != "" {
			given = append(given, f)
		}
	}
	return given
}

func (t ForwardTarget) secretFiles(at string) []SecretFile {
	all := []SecretFile{{at + "url_file", t.URLFile}, {at + "secret_file", t.SecretFile}}
	for i, u := range t.URLs {
		all = append(all, SecretFile{fmt.Sprintf("%surls[%d].url_file", at, i), u.URLFile}, SecretFile{fmt.Sprintf("%surls[%d].secret_file", at, i), u.SecretFile})
	}
	for i, file := range t.OldSecretFiles {
		all = append(all, SecretFile{fmt.Sprintf("%sold_secret_files[%d]", at, i), file})
	}
	return all
}
