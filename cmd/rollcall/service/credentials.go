package service

import (
	"errors"
	"fmt"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller/dingtalk"
)

func auth(a config.Auth) dingtalk.Auth {
	out := dingtalk.Auth{
		Kind: dingtalk.Kind(a.Kind), ClientID: a.ClientID, CorpID: a.CorpID, SuiteKey: a.SuiteKey,
		ClientSecret: clientSecret(a),
	}
	if a.SuiteSecretFile != "" {
		out.SuiteSecret = dingtalk.FileSecret(a.SuiteSecretFile)
	}
	if a.SuiteTicketFile != "" {
		out.SuiteTicket = dingtalk.FileSecret(a.SuiteTicketFile)
	}
	return out
}

func clientSecret(a config.Auth) dingtalk.Secret {
	switch {
	case a.ClientSecretFile != "":
		return dingtalk.FileSecret(a.ClientSecretFile)
	case a.ClientSecretEnv != "":
		return dingtalk.EnvSecret(a.ClientSecretEnv)
	}
	return nil
}

// readable reads each secret once, so that a start without one fails at once
// and not at the first question.
func readable(a config.Auth) error {
	var problems []error
	for key, secret := range map[string]dingtalk.Secret{
		"auth.client_secret": clientSecret(a),
		"auth.suite_secret":  auth(a).SuiteSecret,
		"auth.suite_ticket":  auth(a).SuiteTicket,
	} {
		if secret == nil {
			continue
		}
		if _, err := secret(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(problems...)
}
