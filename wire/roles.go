package wire

import "rollcall"

// Roles are a person's roles in JSON; nil: nobody has said.
type Roles struct {
	Host     *bool `json:"host,omitempty"`
	CoHost   *bool `json:"coHost,omitempty"`
	External *bool `json:"external,omitempty"`
	Phone    *bool `json:"phone,omitempty"`
}

// RolesOf returns the JSON of roles.
func RolesOf(r rollcall.Roles) Roles {
	return Roles{said(r.Host), said(r.CoHost), said(r.External), said(r.Phone)}
}

func said(f rollcall.Fact) *bool {
	if !f.Known() {
		return nil
	}
	holds := f == rollcall.FactTrue
	return &holds
}

// Facts returns the word for the JSON.
func (r *Roles) Facts() rollcall.Roles {
	return rollcall.Roles{Host: fact(r.Host), CoHost: fact(r.CoHost), External: fact(r.External), Phone: fact(r.Phone)}
}

func fact(said *bool) rollcall.Fact {
	if said == nil {
		return rollcall.FactUnknown
	}
	return rollcall.FactOf(*said)
}

// The members of a person's roles, which may be missing.
const (
	roleHost     = `,"host":`
	roleCoHost   = `,"coHost":`
	roleExternal = `,"external":`
	rolePhone    = `,"phone":`
)

// rolesSize is how many bytes all of them take.
const rolesSize = len(roleHost+roleCoHost+roleExternal+rolePhone) + 4*len("false")

// appendRoles appends the roles that are known, as members behind others.
func appendRoles(dst []byte, r *rollcall.Roles) []byte {
	if *r == (rollcall.Roles{}) { // as nearly all are
		return dst
	}
	dst = appendFact(dst, roleHost, r.Host)
	dst = appendFact(dst, roleCoHost, r.CoHost)
	dst = appendFact(dst, roleExternal, r.External)
	return appendFact(dst, rolePhone, r.Phone)
}

func appendFact(dst []byte, member string, f rollcall.Fact) []byte {
	if !f.Known() {
		return dst
	}
	return append(append(dst, member...), f.String()...)
}

// roles reads what appendRoles writes.
func (c *canonical) roles() rollcall.Roles {
	return rollcall.Roles{
		Host: c.factIf(roleHost), CoHost: c.factIf(roleCoHost), External: c.factIf(roleExternal), Phone: c.factIf(rolePhone),
	}
}

func (c *canonical) factIf(member string) rollcall.Fact {
	if c.other || !c.took(member) {
		return rollcall.FactUnknown
	}
	return rollcall.FactOf(c.bool())
}
