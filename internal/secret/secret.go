// Package secret has the type for what must never be seen: a string that
// prints as dots, however it is printed.
package secret

import (
	"fmt"
	"io"
)

// dots stand for any secret, whatever its length.
const dots = "•••"

// String is a secret. Its zero value is no secret at all.
type String struct {
	// A pointer, because fmt prints what unexported fields of other structs
	// hold without asking their methods.
	value *string
}

// New makes a secret of value.
func New(value string) String {
	if value == "" {
		return String{}
	}
	return String{&value}
}

// Reveal returns the secret itself. It is for the one place that sends it.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is no secret.
func (s String) Empty() bool { return s.value == nil }

// String prints dots, or nothing where there is no secret.
func (s String) String() string {
	if s.Empty() {
		return ""
	}
	return dots
}

// Format prints dots under every verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText writes dots into JSON, YAML and logs.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
