package follow

import (
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/internal/safetext"
	"rollcall/wire"
)

// Filter says which events to follow. Its zero value is all of them.
type Filter struct {
	Tenant     string          // "": of every tenant
	Conference string          // "": of every meeting
	Types      []rollcall.Type // none: of every type
}

// subjects are the subjects that the filter matches; no two overlap.
func (f Filter) subjects(names wire.Names) []string {
	tenant, conference := "*", "*"
	if f.Tenant != "" {
		tenant = f.Tenant
	}
	if f.Conference != "" {
		conference = wire.Token(f.Conference)
	}
	front := names.Prefix + ".event." + tenant + "." + conference + "."
	if len(f.Types) == 0 {
		return []string{front + "*.*"}
	}
	subjects := make([]string, 0, len(f.Types))
	for _, t := range f.Types {
		subjects = append(subjects, front+string(t))
	}
	slices.Sort(subjects)
	return slices.Compact(subjects)
}

// ParseType reads what people call a type of event: participant.joined, the
// CloudEvents type rollcall.participant.joined, participant.* for all of an
// entity, or the verb alone: joined. The error lists the types there are.
func ParseType(word string) ([]rollcall.Type, error) {
	wanted := strings.TrimPrefix(word, "rollcall.")
	var types []rollcall.Type
	for _, t := range rollcall.Types() {
		if wanted == string(t) || wanted == t.Verb() || wanted == t.Entity()+".*" {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return nil, fmt.Errorf("no type of event is called %q; there are %s", safetext.Field(word, 40), allTypes())
	}
	return types, nil
}

func allTypes() string {
	var b strings.Builder
	b.WriteString("participant.*, meeting.*")
	for _, t := range rollcall.Types() {
		b.WriteString(", " + string(t))
	}
	return b.String()
}
