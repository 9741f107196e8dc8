package config

import (
	"slices"

	"rollcall/internal/secret"
)

// authKeys is what each kind of auth takes. All of a kind's keys are required,
// and no others allowed; of the pair secretFile and secretEnv exactly one.
func authKeys(kind string) []string {
	switch kind {
	case AuthInternal:
		return []string{"client_id", secretFile, secretEnv}
	case AuthCorp:
		return []string{"suite_key", suiteSecretFile, suiteTicketFile, "corp_id"}
	case AuthUnified:
		return []string{"corp_id", "client_id", secretFile, secretEnv}
	}
	return nil
}

const (
	secretFile      = "client_secret_file"
	secretEnv       = "client_secret_env"
	suiteSecretFile = "suite_secret_file"
	suiteTicketFile = "suite_ticket_file"
)

// auth never shows a value: any of them may be a secret in the wrong place.
func (c checker) auth(at string, a Auth) {
	keys := authKeys(a.Kind)
	if keys == nil {
		c.Refuse(join(at, "kind"), "is not known")
		return
	}
	for _, field := range a.fields() {
		key := join(at, field.key)
		switch takes := slices.Contains(keys, field.key); {
		case !takes && field.value != "":
			c.Refuse(key, "does not belong to kind "+a.Kind)
		case takes && field.key != secretFile && field.key != secretEnv:
			c.given(key, field.value)
		}
	}
	if slices.Contains(keys, secretFile) {
		c.clientSecret(at, a)
	}
}

// clientSecret wants exactly one place of the secret, and one that is there.
func (c checker) clientSecret(at string, a Auth) {
	switch {
	case a.ClientSecretFile == "" && a.ClientSecretEnv == "":
		c.Missing(join(at, secretFile), "is required, or "+secretEnv)
	case a.ClientSecretFile != "" && a.ClientSecretEnv != "":
		c.Refuse(join(at, secretEnv), "is given beside "+secretFile+": keep one of them")
	case a.ClientSecretEnv != "":
		value, set := c.env(a.ClientSecretEnv)
		if !set || value == "" {
			c.Refuse(join(at, secretEnv), "names an environment variable that is not set, or empty")
		} else if _, err := secret.Parse([]byte(value)); err != nil {
			c.Refuse(join(at, secretEnv), "names an environment variable whose value is no secret: "+err.Error())
		}
	}
}

// authField is one value of [Auth] under its key.
type authField struct{ key, value string }

func (a Auth) fields() []authField {
	return []authField{
		{"client_id", a.ClientID},
		{secretFile, a.ClientSecretFile},
		{secretEnv, a.ClientSecretEnv},
		{"suite_key", a.SuiteKey},
		{suiteSecretFile, a.SuiteSecretFile},
		{suiteTicketFile, a.SuiteTicketFile},
		{"corp_id", a.CorpID},
	}
}

// push wants an app whose events are pushed: both keys, or neither where auth has
// an app of its own.
func (c checker) push(at string, t Tenant) {
	p := t.Push
	switch {
	case p.ClientID == "" && p.ClientSecretFile != "":
		c.Missing(join(at, "client_id"), "is required beside "+secretFile)
	case p.ClientID != "" && p.ClientSecretFile == "":
		c.Missing(join(at, secretFile), "is required beside client_id")
	case p.Enabled && p.ClientID == "" && t.Auth.Kind == AuthCorp:
		c.Missing(join(at, "client_id"), "is required: auth of kind corp has no app of the organization's own")
	}
}
