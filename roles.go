package rollcall

import "strings"

// Fact is whether something holds of a person. The zero value means that
// nobody has said.
type Fact uint8

// The facts.
const (
	FactUnknown Fact = iota
	FactFalse
	FactTrue
)

var factNames = names[Fact]{"", "false", "true"}

// FactOf is what somebody has said.
func FactOf(holds bool) Fact {
	if holds {
		return FactTrue
	}
	return FactFalse
}

// String returns the fact as it stands on the wire; "" when unknown.
func (f Fact) String() string { return factNames.name(f) }

// Known reports whether anybody has said.
func (f Fact) Known() bool { return f == FactFalse || f == FactTrue }

// Roles are what DingTalk's list of a meeting's members says of a person beside
// their coming and going.
type Roles struct {
	Host, CoHost Fact
	External     Fact // of another organization
	Phone        Fact // has dialled in
}

// String names the roles that the person is known to have: "host, phone"; "" for none.
func (r Roles) String() string {
	var held []string
	for _, role := range []struct {
		fact Fact
		name string
	}{{r.Host, "host"}, {r.CoHost, "co-host"}, {r.External, "external"}, {r.Phone, "phone"}} {
		if role.fact == FactTrue {
			held = append(held, role.name)
		}
	}
	return strings.Join(held, ", ")
}

// Or returns what either knows to hold, and otherwise what either knows.
func (r Roles) Or(other Roles) Roles {
	return Roles{
		Host: max(r.Host, other.Host), CoHost: max(r.CoHost, other.CoHost),
		External: max(r.External, other.External), Phone: max(r.Phone, other.Phone),
	}
}

// With returns the roles with what is known of other in place of what was known.
func (r Roles) With(other Roles) Roles {
	for _, role := range []struct{ is, said *Fact }{
		{&r.Host, &other.Host}, {&r.CoHost, &other.CoHost}, {&r.External, &other.External}, {&r.Phone, &other.Phone},
	} {
		if role.said.Known() {
			*role.is = *role.said
		}
	}
	return r
}
