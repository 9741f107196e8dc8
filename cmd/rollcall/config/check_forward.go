package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/forwarder"
	"rollcall/forwarder/target"
)

// forwardChecker checks who is told, and of what.
type forwardChecker struct{ checker }

func (c forwardChecker) forward(f Forward) {
	if f.Listen != "" {
		c.address("forward.listen", f.Listen)
	}
	targets := map[string]int{}
	for i, t := range f.Targets {
		at := fmt.Sprintf("forward.targets[%d]", i)
		c.forwardTarget(at, t)
		c.unique(join(at, "name"), t.Name, targets, i, "targets")
	}
	for i, t := range f.Targets {
		other, is := targets[t.OnFailure]
		key := fmt.Sprintf("forward.targets[%d].on_failure", i)
		switch {
		case t.OnFailure == "":
		case !is || other == i:
			c.Refuse(key, shown(t.OnFailure)+" is no other target")
		case f.Targets[other].Kind == webhook:
			c.Refuse(key, shown(t.OnFailure)+" is a webhook, which takes events and no messages")
		}
	}
	routes := map[string]int{}
	for i, r := range f.Routes {
		at := fmt.Sprintf("forward.routes[%d]", i)
		c.forwardRoute(at, r, targets)
		c.unique(join(at, "name"), r.Known(), routes, i, "routes")
	}
}

// webhook is the kind that takes events.
const webhook = "webhook"

// unique wants a name once.
func (c checker) unique(key, name string, seen map[string]int, i int, list string) {
	if first, twice := seen[name]; twice && name != "" {
		c.Refuse(key, fmt.Sprintf("is that of %s[%d], too", list, first))
		return
	}
	seen[name] = i
}

func (c forwardChecker) forwardTarget(at string, t ForwardTarget) {
	c.named(join(at, "name"), t.Name, true)
	c.given(join(at, "kind"), t.Kind)
	kind, known := target.KindOf(t.Kind)
	if !known {
		c.Refuse(join(at, "kind"), shown(t.Kind)+" is not known")
		return
	}
	switch {
	case t.URLFile == "" && len(t.URLs) == 0:
		c.Missing(join(at, "url_file"), "is required")
	case t.URLFile != "" && len(t.URLs) > 0:
		c.Refuse(join(at, "urls"), "is given beside url_file: keep one of them")
	}
	c.fileOfAddress(join(at, "url_file"), t.URLFile)
	for i, u := range t.URLs {
		key := fmt.Sprintf("%s.urls[%d].url_file", at, i)
		c.given(key, u.URLFile)
		c.fileOfAddress(key, u.URLFile)
		if u.SecretFile != "" && !kind.Signs {
			c.Refuse(fmt.Sprintf("%s.urls[%d].secret_file", at, i), "is of no use to kind "+t.Kind+", which signs nothing")
		}
	}
	if t.SecretFile != "" && !kind.Signs {
		c.Refuse(join(at, "secret_file"), "is of no use to kind "+t.Kind+", which signs nothing")
	}
	if len(t.OldSecretFiles) > 0 && t.Kind != webhook {
		c.Refuse(join(at, "old_secret_files"), "is for webhooks alone")
	}
	c.texts(join(at, "old_secret_files"), "path", t.OldSecretFiles)
	if t.Keyword != "" && (!kind.Keywords || len(t.Keyword) > 64) {
		c.Refuse(join(at, "keyword"), shown(t.Keyword)+" cannot be a keyword here")
	}
	c.texts(join(at, "at"), "user", t.At)
	c.oneOf(join(at, "language"), t.Language, "en", "zh")
	if t.AllowPrivate && t.Kind != webhook {
		c.Refuse(join(at, "allow_private"), "is for webhooks alone")
	}
	if t.Kind == webhook && (len(t.At) > 0 || t.Templates != "") {
		c.Refuse(join(at, "kind"), "webhook takes events as they are: at and templates are of no use to it")
	}
}

// fileOfAddress does not show the address that stands where its file belongs.
func (c forwardChecker) fileOfAddress(key, file string) {
	if strings.Contains(file, "://") {
		c.Refuse(key, "is an address, which is a secret: write it into a file, and the file's path here")
	}
}

// named wants a name as that of a tenant.
func (c checker) named(key, name string, required bool) {
	switch {
	case name == "" && required:
		c.Missing(key, "is required")
	case name != "" && forwarder.CheckName(name) != nil:
		c.Refuse(key, shown(name)+" cannot be a name")
	}
}

func (c forwardChecker) forwardRoute(at string, r ForwardRoute, targets map[string]int) {
	c.named(join(at, "name"), r.Name, false)
	c.match(join(at, "match"), r.Match)
	if len(r.Targets) == 0 {
		c.Missing(join(at, "targets"), "is required")
	}
	c.texts(join(at, "targets"), "name", r.Targets)
	for i, name := range r.Targets {
		if _, is := targets[name]; !is {
			c.Refuse(fmt.Sprintf("%s.targets[%d]", at, i), shown(name)+" is not among forward.targets")
		}
	}
	c.oneOf(join(at, "group_by"), r.GroupBy, string(forwarder.ByMeeting), string(forwarder.ByTenant), string(forwarder.ByRoute))
	between(c.checker, join(at, "group_wait"), r.GroupWait, 0, 10*time.Minute)
	between(c.checker, join(at, "group_interval"), r.GroupInterval, 0, 24*time.Hour)
	c.timezone(join(at, "timezone"), r.Timezone)
	between(c.checker, join(at, "max_waiting"), r.MaxWaiting, 1, 100_000)
	atLeast(c.checker, join(at, "max_age"), r.MaxAge, time.Minute)
}

func (c forwardChecker) match(at string, m ForwardMatch) {
	c.texts(join(at, "tenants"), "name", m.Tenants)
	for i, name := range m.Tenants {
		c.named(fmt.Sprintf("%s.tenants[%d]", at, i), name, false)
	}
	c.texts(join(at, "types"), "type", m.Types)
	for i, pattern := range m.Types {
		if pattern != "" && !slices.ContainsFunc(forwarder.Types(), func(t rollcall.Type) bool { return forwarder.TypeFits(pattern, t) }) {
			c.Refuse(fmt.Sprintf("%s.types[%d]", at, i), shown(pattern)+" fits no type of event; docs/events.md lists them")
		}
	}
	c.texts(join(at, "titles"), "pattern", m.Titles)
	c.texts(join(at, "users"), "id", m.Users)
	c.texts(join(at, "provenances"), "word", m.Provenances)
	for i, p := range m.Provenances {
		if !slices.Contains(rollcall.Provenances(), rollcall.Provenance(p)) {
			c.Refuse(fmt.Sprintf("%s.provenances[%d]", at, i), shown(p)+" is not known; baseline, observed, inferred and reconciled are")
		}
	}
}
