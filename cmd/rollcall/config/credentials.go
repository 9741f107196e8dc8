package config

import "rollcall/poller/dingtalk"

// Credential is one secret of a tenant's app.
type Credential struct {
	Key   string // auth.client_secret_file, push.client_secret_file …
	Where string // the path of its file, or $NAME of an environment variable
	Read  dingtalk.Secret
}

// Credentials are the secrets that the tenant names.
func (t Tenant) Credentials() []Credential {
	all := t.Auth.Credentials()
	if file := t.Push.ClientSecretFile; file != "" {
		all = append(all, Credential{"push." + secretFile, file, dingtalk.FileSecret(file)})
	}
	return all
}

// Credentials are the secrets of the tenant's own app.
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

// PushApp is the app whose events are pushed, with the key of its secret. Where push
// names none, it is that of auth.
func (t Tenant) PushApp() (clientID, key string, from dingtalk.Secret) {
	if t.Push.ClientID != "" || t.Push.ClientSecretFile != "" {
		return t.Push.ClientID, "push." + secretFile, dingtalk.FileSecret(t.Push.ClientSecretFile)
	}
	for _, c := range t.Auth.Credentials() {
		if c.Key == "auth."+secretFile || c.Key == "auth."+secretEnv {
			return t.Auth.ClientID, c.Key, c.Read
		}
	}
	return "", "", nil
}
