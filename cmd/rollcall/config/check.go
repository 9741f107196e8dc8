package config

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// checker holds a configuration that could be read against what is possible.
type checker struct {
	reader
	env func(string) (string, bool)
}

func (c checker) config(cfg Config) {
	c.given("data_dir", cfg.DataDir)
	c.nats(cfg.NATS)
	c.jetStream(cfg.NATS, cfg.Stream.Prefix)
	c.stream(cfg.Stream)
	if cfg.NATS.URL == "" && cfg.Stream.Replicas > 1 {
		c.Refuse("stream.replicas", fmt.Sprintf("%d want a cluster of NATS, and the embedded server is one alone: set it to 1, or set nats.url", cfg.Stream.Replicas))
	}
	seen := map[string]int{}
	for i, tenant := range cfg.Tenants {
		at := fmt.Sprintf("tenants[%d]", i)
		c.tenant(at, tenant)
		if first, twice := seen[tenant.Name]; twice && tenant.Name != "" {
			c.Refuse(join(at, "name"), fmt.Sprintf("is also the name of tenants[%d]%s", first, c.elsewhere(first)))
		}
		seen[tenant.Name] = i
	}
	forwardChecker{c}.forward(cfg.Forward)
	c.rate("egress_qps", cfg.EgressQPS)
	atLeast(c, "journal.max_bytes", cfg.Journal.MaxBytes, 1<<20)
	c.address("http.listen", cfg.HTTP.Listen)
	c.hosts(cfg.HTTP.Hosts)
	c.pprof(cfg.HTTP)
	c.page(cfg.HTTP.Page)
	c.oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", cfg.Log.Format, "json", "console")
}

// elsewhere says where a tenant of a file of tenants_dir is written.
func (c checker) elsewhere(tenant int) string {
	if at, _ := c.Written(fmt.Sprintf("tenants[%d]", tenant)); at.File != "" {
		return fmt.Sprintf(" (%s, line %d)", at.File, at.Line)
	}
	return ""
}

func (c checker) rate(key string, qps float64) {
	if !(qps > 0 && qps <= 500) {
		c.Refuse(key, fmt.Sprintf("%v is out of range", qps))
	}
}

func (c checker) stream(s Stream) {
	if !validStream(s.Name) {
		c.Refuse("stream.name", shown(s.Name)+" cannot name a stream")
	}
	if !validPrefix(s.Prefix) {
		c.Refuse("stream.prefix", shown(s.Prefix)+" cannot begin subjects")
	}
	between(c, "stream.replicas", s.Replicas, 1, 5)
	atLeast(c, "stream.retention", s.Retention, time.Hour)
	atLeast(c, "stream.max_bytes", s.MaxBytes, 0)
	atLeast(c, "stream.workers_max_bytes", s.WorkersMaxBytes, 0)
	atLeast(c, "stream.budget_max_bytes", s.BudgetMaxBytes, 0)
	if !validSource(s.Source) {
		c.Refuse("stream.source", shown(s.Source)+" cannot begin the source of events")
	}
}

// validSource reports whether a path may follow, so that the whole is a reference
// to a URI as CloudEvents want it.
func validSource(source string) bool {
	u, err := url.Parse(source)
	return err == nil && u.String() == source && u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" &&
		u.Opaque == "" && len(source) <= 256 && !strings.HasSuffix(source, "/") && !strings.ContainsAny(source, `"<>\^{|}`+"`")
}

// validPrefix keeps subjects away from those of NATS itself ($…, _…) and from
// those that are published to (rollcall.…).
func validPrefix(prefix string) bool {
	tokens := strings.Split(prefix, ".")
	if tokens[0] == "rollcall" || len(prefix) > 128 {
		return false
	}
	return !slices.ContainsFunc(tokens, func(token string) bool {
		return !isToken(token) || token[0] == '_'
	})
}

// isToken reports whether s is one or more of A-Z a-z 0-9 _ -.
func isToken(s string) bool {
	for i := range len(s) {
		b := s[i]
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-') {
			return false
		}
	}
	return s != ""
}

// given complains when a value that must be there is not.
func (c checker) given(key, value string) {
	if strings.TrimSpace(value) == "" {
		c.Missing(key, "is required")
	}
}

func (c checker) oneOf(key, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.Refuse(key, shown(value)+" is not known")
	}
}

func between[T cmp.Ordered](c checker, key string, value, least, most T) {
	if value < least || value > most {
		c.Refuse(key, fmt.Sprintf("%v is out of range", value))
	}
}

func atLeast[T cmp.Ordered](c checker, key string, value, least T) {
	if value < least {
		c.Refuse(key, fmt.Sprintf("%v is too little", value))
	}
}
