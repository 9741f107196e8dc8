package dingtalk

import (
	"errors"
	"fmt"
	"os"

	"rollcall/internal/secret"
)

// Secret is where a secret comes from. It is asked before every token request,
// so that a rotated one is taken up; its errors must not contain the secret.
type Secret func() (secret.String, error)

// FileSecret reads a secret from a file, without the white space around it.
func FileSecret(path string) Secret {
	return func() (secret.String, error) {
		value, err := secret.ReadFile(path)
		if err != nil {
			return secret.String{}, fmt.Errorf("read secret: %w", err)
		}
		return value, nil
	}
}

// EnvSecret reads a secret from an environment variable, by the rules of a file.
// Its errors do not show the name, which may be the secret itself.
func EnvSecret(name string) Secret {
	return func() (secret.String, error) {
		value, set := os.LookupEnv(name)
		if !set {
			return secret.String{}, errors.New("read secret: there is no such environment variable")
		}
		parsed, err := secret.Parse([]byte(value))
		if err != nil {
			return secret.String{}, fmt.Errorf("read secret from environment variable %s: %w", name, err)
		}
		return parsed, nil
	}
}
