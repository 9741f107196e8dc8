package target

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"rollcall/internal/address"
	"rollcall/internal/secret"
)

// Address is where a target is reached. For most services it is the secret
// itself, so it prints as dots, however it is printed.
type Address struct{ raw secret.String }

// ParseAddress checks an address: https, or http to this machine. Its errors
// show nothing of it.
func ParseAddress(raw string) (Address, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return Address{}, errors.New("the address is no URL; paste it whole, as the service shows it")
	case u.Host == "" || u.Hostname() == "":
		return Address{}, errors.New("the address has no host; it begins with https://")
	case u.User != nil:
		return Address{}, errors.New("the address holds a user name; leave it out")
	case u.Scheme == "https", u.Scheme == "http" && address.Loopback(u.Hostname()):
		u.Fragment, u.RawFragment = "", ""
		return Address{secret.New(u.String())}, nil
	}
	return Address{}, errors.New("the address must begin with https:// (http:// is for this machine alone)")
}

// Key returns what tells this address from others and can be shown: a hash.
func (a Address) Key() string {
	sum := sha256.Sum256([]byte(a.raw.Reveal()))
	return hex.EncodeToString(sum[:16])
}

// Empty reports whether there is no address.
func (a Address) Empty() bool { return a.raw.Empty() }

// reveal returns the address itself, for the one place that sends.
func (a Address) reveal() *url.URL {
	u, err := url.Parse(a.raw.Reveal())
	if err != nil { // ParseAddress has parsed it
		return &url.URL{}
	}
	return u
}

// String prints dots.
func (a Address) String() string { return a.raw.String() }

// Format prints dots under every verb.
func (a Address) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// MarshalText writes dots into JSON, YAML and logs.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
