package config

import (
	"fmt"
	"net"
	"strings"

	"rollcall/internal/address"
	"rollcall/internal/secret"
)

// Remark is something that works, and may not be what was meant.
type Remark struct {
	Key   string // where it stands
	Found string // what is worth a look
	Fix   string
}

// Remarks are what is worth a look in a configuration without mistakes: what is
// of no effect beside something else, and what strangers could read. It looks at
// the modes of the files of secrets.
func (c Config) Remarks() []Remark {
	remarks := c.idle()
	for i, t := range c.Tenants {
		remarks = append(remarks, t.idle(fmt.Sprintf("tenants[%d]", i), c.EgressQPS)...)
	}
	host, _, err := net.SplitHostPort(c.NATS.Embedded.Listen)
	if c.NATS.URL == "" && err == nil && !address.Loopback(host) {
		remarks = append(remarks, Remark{
			"nats.embedded.listen", "readers on other machines send their token or password to the embedded server unencrypted",
			"let the network between them be private, or run a NATS of your own with TLS and set nats.url",
		})
		if c.NATS.Embedded.OperatorTokenFile == "" {
			remarks = append(remarks, Remark{
				"nats.embedded.operator_token_file", "nobody can track or untrack meetings: the embedded server listens beyond loopback, and no token says who may",
				"name a file with a token for operators, or list the meetings in track.conferences",
			})
		}
	}
	for _, f := range c.SecretFiles() {
		if mode, is := secret.Exposed(f.Path); is {
			remarks = append(remarks, Remark{
				f.Key, fmt.Sprintf("other users of this machine can read or change %s (mode %04o)", f.Path, mode),
				"chmod 600 " + f.Path + ", for the user who runs rollcall",
			})
		}
	}
	return remarks
}

// idle are the settings that have no effect beside others.
func (c Config) idle() []Remark {
	if c.NATS.URL == "" || c.NATS.Embedded == Defaults().NATS.Embedded {
		return nil
	}
	return []Remark{{"nats.embedded", "has no effect while nats.url is set", "remove it, or nats.url"}}
}

func (t Tenant) idle(at string, egress float64) []Remark {
	var remarks []Remark
	remark := func(is bool, key, found, fix string) {
		if is {
			remarks = append(remarks, Remark{join(at, key), found, fix})
		}
	}
	usual := TenantDefaults()
	o := t.Track.Organization
	remark(!o.Enabled && (o.patterns() || o.Schedule != usual.Track.Organization.Schedule),
		"track.organization", "has no effect while enabled is false", "set enabled: true in it, or remove it")
	remark(len(t.Track.Users) == 0 && t.Track.UsersSchedule != usual.Track.UsersSchedule,
		"track.users_schedule", "has no effect without users", "name their union ids in track.users, or remove it")
	remark(t.Poll.Timezone != usual.Poll.Timezone && !t.cron(),
		"poll.timezone", "has no effect on @every and @continuous, which know no hours", "remove it, or write poll.schedule as a cron expression")
	remark(t.Poll.QPS > egress,
		"poll.qps", fmt.Sprintf("%v has no effect: egress_qps allows all tenants together %v", t.Poll.QPS, egress), "raise egress_qps, or lower it")
	return remarks
}

// patterns reports whether any are given.
func (o Organization) patterns() bool {
	return len(o.Include.Titles)+len(o.Include.Creators)+len(o.Exclude.Titles)+len(o.Exclude.Creators) > 0
}

// cron reports whether any schedule of the tenant has hours.
func (t Tenant) cron() bool {
	used := []string{t.Poll.Schedule}
	if len(t.Track.Users) > 0 {
		used = append(used, t.Track.UsersSchedule)
	}
	if t.Track.Organization.Enabled {
		used = append(used, t.Track.Organization.Schedule)
	}
	for _, schedule := range used {
		if word := strings.TrimSpace(schedule); !strings.HasPrefix(word, "@every") && !strings.HasPrefix(word, "@continuous") {
			return true
		}
	}
	return false
}
