package config

import (
	"reflect"
	"strings"
	"testing"

	"rollcall/forwarder/target"
)

// A tag cannot read the table of kinds: it is held against it.
func TestTheTagsNameTheKinds(t *testing.T) {
	for _, c := range []struct {
		field, before, last string
		has                 func(target.Kind) bool
	}{
		{"Kind", "", " or ", func(target.Kind) bool { return true }},
		{"SecretFile", "the path of a file with the signing secret; kinds ", " and ", func(k target.Kind) bool { return k.Signs }},
		{"Keyword", "at most 64 bytes; kinds ", " and ", func(k target.Kind) bool { return k.Keywords }},
	} {
		var kinds []string
		for _, kind := range target.Kinds() {
			if c.has(kind) {
				kinds = append(kinds, kind.Name)
			}
		}
		n := len(kinds) - 1
		want := c.before + strings.Join(kinds[:n], ", ") + c.last + kinds[n]
		field, _ := reflect.TypeFor[ForwardTarget]().FieldByName(c.field)
		if got := field.Tag.Get("allow"); got != want {
			t.Errorf("forward.go, ForwardTarget.%s: the tag allow is %q, and the kinds of forwarder/target make it %q: write that, then go generate ./cmd/rollcall/config", c.field, got, want)
		}
	}
}
