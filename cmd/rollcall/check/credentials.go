package check

import (
	"context"
	"strings"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller/dingtalk"
)

// credential is a secret, and where the configuration says that it is.
type credential struct {
	key, where string
	read       dingtalk.Secret
}

func fromFile(key, path string) []credential {
	if path == "" {
		return nil
	}
	return []credential{{key, path, dingtalk.FileSecret(path)}}
}

func fromEnv(key, name string) []credential {
	if name == "" {
		return nil
	}
	return []credential{{key, "$" + name, dingtalk.EnvSecret(name)}}
}

// credentials are the secrets that the configuration names: one for each
// secret that its kind of app needs.
func credentials(a config.Auth) (client, suite, ticket []credential) {
	client = append(fromFile("auth.client_secret_file", a.ClientSecretFile), fromEnv("auth.client_secret_env", a.ClientSecretEnv)...)
	return client, fromFile("auth.suite_secret_file", a.SuiteSecretFile), fromFile("auth.suite_ticket_file", a.SuiteTicketFile)
}

func auth(a config.Auth) dingtalk.Auth {
	client, suite, ticket := credentials(a)
	return dingtalk.Auth{
		Kind: dingtalk.Kind(a.Kind), ClientID: a.ClientID, CorpID: a.CorpID, SuiteKey: a.SuiteKey,
		ClientSecret: first(client), SuiteSecret: first(suite), SuiteTicket: first(ticket),
	}
}

func first(given []credential) dingtalk.Secret {
	if len(given) == 0 {
		return nil
	}
	return given[0].read
}

// secret reads each secret.
func (t *tenant) secret(context.Context) Result {
	client, suite, ticket := credentials(t.cfg.Auth)
	var where []string
	for _, c := range append(append(client, suite...), ticket...) {
		if _, err := c.read(); err != nil {
			return fail(c.key, err.Error(), "put it there, readable for the user who runs rollcall, or correct "+c.key)
		}
		where = append(where, c.key+" "+c.where)
	}
	return ok("read the credentials", "%s can be read", strings.Join(where, ", "))
}
