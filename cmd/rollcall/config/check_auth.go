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
		return []string{"suite_key", "suite_secret_file", "suite_ticket_file", "corp_id"}
	case AuthUnified:
		return []string{"corp_id", "client_id", secretFile, secretEnv}
	}
	return nil
}

const (
	secretFile = "client_secret_file"
	secretEnv  = "client_secret_env"
)

// auth never shows a value: any of them may be a secret in the wrong place.
func (c checker) auth(at string, a Auth) {
	keys := authKeys(a.Kind)
	if keys == nil {
		c.refuse(join(at, "kind"), "is not known")
		return
	}
	for _, field := range a.fields() {
		key := join(at, field.key)
		switch takes := slices.Contains(keys, field.key); {
		case !takes && field.value != "":
			c.refuse(key, "does not belong to kind "+a.Kind)
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
		c.missing(join(at, secretFile), "is required, or "+secretEnv)
	case a.ClientSecretFile != "" && a.ClientSecretEnv != "":
		c.refuse(join(at, secretEnv), "is given beside "+secretFile+": keep one of them")
	case a.ClientSecretEnv != "":
		value, set := c.env(a.ClientSecretEnv)
		if !set || value == "" {
			c.refuse(join(at, secretEnv), "names an environment variable that is not set, or empty")
		} else if _, err := secret.Parse([]byte(value)); err != nil {
			c.refuse(join(at, secretEnv), "names an environment variable whose value is no secret: "+err.Error())
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
		{"suite_secret_file", a.SuiteSecretFile},
		{"suite_ticket_file", a.SuiteTicketFile},
		{"corp_id", a.CorpID},
	}
}
