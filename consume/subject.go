package consume

import (
	"fmt"
	"strings"

	"rollcall"
	"rollcall/wire"
)

// DefaultPrefix and DefaultStream are the names that Rollcall uses unless its
// configuration says otherwise.
const (
	DefaultPrefix = "meetings"
	DefaultStream = "MEETINGS"
)

// Subject returns the subjects of the events of a tenant ("": all) and a meeting
// ("": all) of these types (none: all): one for each type, none overlapping.
// They are those of [DefaultPrefix]; [Names] has those of another.
func Subject(tenant, conferenceID string, types ...rollcall.Type) []string {
	return Names{}.Subject(tenant, conferenceID, types...)
}

// Names are the names of one installation. The zero value is the default.
type Names struct {
	Stream string // default MEETINGS
	Prefix string // default meetings
}

func (n Names) filled() wire.Names {
	names := wire.Names{Stream: n.Stream, Prefix: n.Prefix}
	if names.Stream == "" {
		names.Stream = DefaultStream
	}
	if names.Prefix == "" {
		names.Prefix = DefaultPrefix
	}
	return names
}

// Subject is [Subject] under these names.
func (n Names) Subject(tenant, conferenceID string, types ...rollcall.Type) []string {
	names := n.filled()
	front := names.Prefix + ".event." + anyOr(tenant) + "." + anyOr(wire.Token(conferenceID)) + "."
	if len(types) == 0 {
		return []string{front + "*.*"}
	}
	var subjects []string
	seen := make(map[rollcall.Type]bool, len(types))
	for _, t := range types {
		if !seen[t] {
			seen[t] = true
			subjects = append(subjects, subjectOf(names, tenant, front, t))
		}
	}
	return subjects
}

// subjectOf is the subject of a type; a watch event is of a tenant, whatever the meeting.
func subjectOf(names wire.Names, tenant, front string, t rollcall.Type) string {
	if t == rollcall.WatchLost || t == rollcall.WatchResumed {
		return names.Watch(anyOr(tenant), t)
	}
	return front + string(t)
}

func anyOr(token string) string {
	if token == "" {
		return "*"
	}
	return token
}

// ParseSubject reads the subject of an event under the default prefix: of which
// tenant and meeting it is, and its type.
func ParseSubject(subject string) (tenant, conferenceID string, t rollcall.Type, err error) {
	return Names{}.ParseSubject(subject)
}

// ParseSubject is [ParseSubject] under these names.
func (n Names) ParseSubject(subject string) (tenant, conferenceID string, t rollcall.Type, err error) {
	front := n.filled().Prefix + ".event."
	below, ok := strings.CutPrefix(subject, front)
	tokens := strings.Split(below, ".")
	if !ok || len(tokens) != 4 || !rollcall.ValidTenant(tokens[0]) {
		return "", "", "", fmt.Errorf("parse subject %.300q: want %s<tenant>.<conference>.<entity>.<verb>", subject, front)
	}
	id, ok := wire.Value(tokens[1])
	if !ok || id == "" || tokens[2] == "" || tokens[3] == "" {
		return "", "", "", fmt.Errorf("parse subject %.300q: %.100q is no token of a meeting's id, or the type is missing", subject, tokens[1])
	}
	return tokens[0], id, rollcall.Type(tokens[2] + "." + tokens[3]), nil
}
