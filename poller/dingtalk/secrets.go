package dingtalk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"rollcall/internal/secret"
)

// maxSecret bounds the file of a secret, in bytes.
const maxSecret = 64 << 10

// Secret is where a secret comes from. It is asked before every token request,
// so that a rotated one is taken up; its errors must not contain the secret.
type Secret func() (secret.String, error)

// FileSecret reads a secret from a file, without the line ends after it.
func FileSecret(path string) Secret {
	return func() (secret.String, error) {
		content, err := readSecretFile(path)
		if err != nil {
			return secret.String{}, fmt.Errorf("read secret file %q: %w", path, err)
		}
		return content, nil
	}
}

// EnvSecret reads a secret from an environment variable.
func EnvSecret(name string) Secret {
	return func() (secret.String, error) {
		value, set := os.LookupEnv(name)
		value = strings.TrimRight(value, "\r\n")
		switch {
		case !set:
			return secret.String{}, fmt.Errorf("read secret: environment variable %q is not set", name)
		case value == "":
			return secret.String{}, fmt.Errorf("read secret: environment variable %q is empty", name)
		}
		return secret.New(value), nil
	}
}

func readSecretFile(path string) (secret.String, error) {
	// Only a regular file can be read again, and never blocks.
	if err := regularFile(path); err != nil {
		return secret.String{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return secret.String{}, plainFileError(err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return secret.String{}, plainFileError(err)
	}
	if len(content) > maxSecret {
		return secret.String{}, fmt.Errorf("it is larger than %d bytes and cannot be a secret", maxSecret)
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return secret.String{}, errors.New("it is empty")
	}
	return secret.New(value), nil
}

func regularFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return plainFileError(err)
	case info.IsDir():
		return errors.New("it is a directory; name the file in it")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	return nil
}

// plainFileError leaves out the path, which the caller has named already.
func plainFileError(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
