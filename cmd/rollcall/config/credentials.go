package config

import "rollcall/poller/dingtalk"

// Credential is one secret of a tenant's app.
type Credential struct {
	Key   string // auth.client_secret_file
	Where string // the path of its file, or $NAME of an environment variable
	Read  dingtalk.Secret
}

// Credentials are the secrets that are named.
func (a Auth) Credentials() []Credential {
	var all []Credential
	add := func(key, name, where string, read func(string) dingtalk.Secret) {
		if name != "" {
			all = append(all, Credential{"auth." + key, where, read(name)})
		}
	}
	add(secretFile, a.ClientSecretFile, a.ClientSecretFile, dingtalk.FileSecret)
	add(secretEnv, a.ClientSecretEnv, "$"+a.ClientSecretEnv, dingtalk.EnvSecret)
	add(suiteSecretFile, a.SuiteSecretFile, a.SuiteSecretFile, dingtalk.FileSecret)
	add(suiteTicketFile, a.SuiteTicketFile, a.SuiteTicketFile, dingtalk.FileSecret)
	return all
}

// DingTalk is what a client authenticates with.
func (a Auth) DingTalk() dingtalk.Auth {
	d := dingtalk.Auth{Kind: dingtalk.Kind(a.Kind), ClientID: a.ClientID, CorpID: a.CorpID, SuiteKey: a.SuiteKey}
	for _, c := range a.Credentials() {
		switch c.Key {
		case "auth." + suiteSecretFile:
			d.SuiteSecret = c.Read
		case "auth." + suiteTicketFile:
			d.SuiteTicket = c.Read
		default:
			d.ClientSecret = c.Read
		}
	}
	return d
}
