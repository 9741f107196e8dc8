package dingtalk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/address"
)

// DefaultTimeout bounds one HTTP call where [Config] does not say.
const DefaultTimeout = 10 * time.Second

// Config is what a [Client] is made of.
type Config struct {
	// Endpoint is where the API is: https://api.dingtalk.com or
	// https://api.dingtalk.io. Without https it must be this machine.
	Endpoint string
	Auth     Auth
	// Timeout bounds one HTTP call up to the last byte of its answer;
	// 0: [DefaultTimeout].
	Timeout time.Duration
	// Transport carries the calls. nil: one of its own, with the proxy of the
	// environment, which [Client.Close] closes.
	Transport http.RoundTripper
	// Logger may be nil. It gets the trouble with tokens, and calls at debug.
	Logger *zap.Logger
	// Now returns the time; nil: time.Now.
	Now func() time.Time
	// Skewed is called with how far this machine's clock is before DingTalk's, as the
	// Date of an answer shows it, to a second; nil: nobody wants to know.
	Skewed func(time.Duration)
}

// complete checks the configuration and fills in the defaults.
func (c Config) complete() (Config, *url.URL, error) {
	endpoint, err := parseEndpoint(c.Endpoint)
	if err = errors.Join(err, c.Auth.validate()); err != nil {
		return Config{}, nil, fmt.Errorf("configure dingtalk: %w", err)
	}
	if c.Timeout < 0 {
		return Config{}, nil, fmt.Errorf("configure dingtalk: timeout %v is negative", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, endpoint, nil
}

// parseEndpoint accepts https://host[:port], and http for this machine. Its
// errors do not repeat the text, which could hold a password.
func parseEndpoint(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("endpoint is not a URL; write https://api.dingtalk.com")
	case parsed.Hostname() == "":
		return nil, errors.New("endpoint has no host; write https://api.dingtalk.com")
	case parsed.User != nil:
		return nil, errors.New("endpoint must not hold a user or password")
	case strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "":
		return nil, fmt.Errorf("endpoint must end after its host %q", parsed.Host)
	case parsed.Scheme == "https", parsed.Scheme == "http" && address.Loopback(parsed.Hostname()):
		return &url.URL{Scheme: parsed.Scheme, Host: strings.ToLower(parsed.Host)}, nil
	case parsed.Scheme == "http":
		return nil, fmt.Errorf("endpoint on %q must use https: http would show the secrets to the network", parsed.Host)
	}
	return nil, fmt.Errorf("endpoint scheme %q is not https", parsed.Scheme)
}

// OtherEndpoint returns the host of DingTalk's that an endpoint is not: there are
// one for mainland China and one for all others, and neither knows the other's
// organizations. known is false for an endpoint that is neither.
func OtherEndpoint(endpoint string) (other string, known bool) {
	const mainland, abroad = "https://api.dingtalk.com", "https://api.dingtalk.io"
	switch endpoint {
	case mainland:
		return abroad, true
	case abroad:
		return mainland, true
	}
	return "", false
}
