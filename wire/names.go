package wire

import (
	"fmt"
	"strings"

	"rollcall"
)

// Names are the names that derive from the stream's name and the prefix of
// its subjects.
type Names struct {
	Stream string // MEETINGS
	Prefix string // meetings
	Source string // what stands before the source of each event: https://rollcall.example/prod; "" for nothing
}

// Event is the subject of an event: <prefix>.event.<tenant>.<conference>.<entity>.<verb>.
func (n Names) Event(tenant, conference string, t rollcall.Type) string {
	return n.Prefix + ".event." + tenant + "." + Token(conference) + "." + string(t)
}

// Events is the subject that matches every event.
func (n Names) Events() string { return n.Prefix + ".event.>" }

// State is the subject of a meeting's record.
func (n Names) State(tenant, conference string) string {
	return n.Prefix + ".state." + tenant + "." + Token(conference)
}

// Tracked is the subject that says that a meeting is tracked.
func (n Names) Tracked(tenant, conference string) string {
	return n.Prefix + ".tracked." + tenant + "." + Token(conference)
}

// Status is the subject that says whether a tenant is being looked at.
func (n Names) Status(tenant string) string { return n.Prefix + ".status." + tenant }

// Watch is the subject of a watch event: <prefix>.watch.<tenant>.<verb>.
func (n Names) Watch(tenant string, t rollcall.Type) string {
	return n.Prefix + ".watch." + tenant + "." + t.Verb()
}

// Watching is the subject that says whether a shard of a tenant is being looked
// at, according to the last watch event.
func (n Names) Watching(tenant string, shard int) string {
	return fmt.Sprintf("%s.watching.%s.%d", n.Prefix, tenant, shard)
}

// Watchings matches those of all shards of a tenant.
func (n Names) Watchings(tenant string) string { return n.Prefix + ".watching." + tenant + ".*" }

// Claim is the subject that says which worker holds a shard of a tenant. The
// claim lives in the same stream as the records, so that its sequence, which
// is the term, can never fall behind the terms that the records hold.
func (n Names) Claim(tenant string, shard int) string {
	return fmt.Sprintf("%s.claim.%s.%d", n.Prefix, tenant, shard)
}

// Claims matches the claims of all shards of a tenant.
func (n Names) Claims(tenant string) string { return n.Prefix + ".claim." + tenant + ".*" }

// Shards is the subject that says how many shards a tenant's meetings form.
func (n Names) Shards(tenant string) string { return n.Prefix + ".shards." + tenant }

// All matches everything that is stored in the stream.
func (n Names) All() string { return n.Prefix + ".>" }

// Commit is the subject to publish to so that a message is stored under subject.
func (n Names) Commit(subject string) string {
	return "rollcall." + n.Stream + ".commit." + strings.TrimPrefix(subject, n.Prefix+".")
}

// Commits matches every subject that is published to.
func (n Names) Commits() string { return "rollcall." + n.Stream + ".commit.>" }

// Workers is the name of the KV bucket in which workers register.
func (n Names) Workers() string { return n.Stream + "_WORKERS" }

// Budget is the name of the KV bucket in which spent calls are counted.
func (n Names) Budget() string { return n.Stream + "_BUDGET" }

// Forward is the name of the KV bucket in which the forwarder keeps how far
// each route has come, and what each target was sent.
func (n Names) Forward() string { return n.Stream + "_FORWARD" }

// Undelivered is the name of the stream of what could not be told.
func (n Names) Undelivered() string { return n.Stream + "_UNDELIVERED" }

// UndeliveredTo is the subject of what could not be told to a target; "*": to any.
func (n Names) UndeliveredTo(target string) string {
	return "rollcall." + n.Stream + ".undelivered." + target
}

// API is the subject of a verb of a tenant's micro service.
func (n Names) API(tenant, verb string) string {
	return "rollcall." + n.Stream + ".api." + tenant + "." + verb
}

// Shard is the subject on which workers pass orders of a tenant on to the one
// that holds the meeting's shard.
func (n Names) Shard(tenant, verb string) string {
	return "rollcall." + n.Stream + ".shard." + tenant + "." + verb
}

const upperHex = "0123456789ABCDEF"

// Token writes every byte outside A-Z a-z 0-9 _ - as %XX. It is injective, and
// the result is a single subject token that is never a wildcard. The empty
// value has no token: callers refuse it before.
func Token(value string) string {
	plain := true
	for i := range len(value) {
		plain = plain && isPlain(value[i])
	}
	if plain {
		return value
	}
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		if isPlain(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&0xf])
	}
	return b.String()
}

// Value reads a token back; ok is false for what [Token] never writes.
func Value(token string) (value string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c != '%' {
			if !isPlain(c) {
				return "", false
			}
			b.WriteByte(c)
			continue
		}
		if i+2 >= len(token) {
			return "", false
		}
		hi, lo := strings.IndexByte(upperHex, token[i+1]), strings.IndexByte(upperHex, token[i+2])
		if hi < 0 || lo < 0 || isPlain(byte(hi<<4|lo)) {
			return "", false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), true
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
