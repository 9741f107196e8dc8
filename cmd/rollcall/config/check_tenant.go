package config

import (
	"fmt"
	"time"

	"rollcall"
	"rollcall/internal/safetext"
	"rollcall/poller"
)

func (c checker) tenant(at string, t Tenant) {
	if t.Name == "" {
		c.given(join(at, "name"), "")
	} else if !rollcall.ValidTenant(t.Name) {
		c.refuse(join(at, "name"), shown(t.Name)+" cannot name a tenant")
	}
	c.endpoint(join(at, "endpoint"), t.Endpoint)
	c.auth(join(at, "auth"), t.Auth)
	c.poll(join(at, "poll"), t.Poll)
	c.track(join(at, "track"), t.Track)
	c.oneOf(join(at, "privacy.nicks"), t.Privacy.Nicks, "keep", "omit")
}

func (c checker) poll(at string, p Poll) {
	c.schedule(join(at, "schedule"), p.Schedule)
	c.timezone(join(at, "timezone"), p.Timezone)
	between(c, join(at, "batch_size"), p.BatchSize, 1, 1000)
	c.rate(join(at, "qps"), p.QPS)
	between(c, join(at, "timeout"), p.Timeout, time.Second, 5*time.Minute)
	if p.MonthlyCalls == 0 {
		c.missing(join(at, "monthly_calls"), "is required: DingTalk meters calls, and only you know what yours may be spent on (the Standard edition has 5000)")
	}
	between(c, join(at, "shards"), p.Shards, 1, 1024)
	between(c, join(at, "missing_after_polls"), p.MissingAfterPolls, 1, 100)
	atLeast(c, join(at, "expire_unstarted"), p.ExpireUnstarted, time.Minute)
}

// schedule asks the room that will keep it. Its words quote what was written.
func (c checker) schedule(key, expression string) {
	if len(expression) > 256 {
		c.refuse(key, "is longer than any schedule")
		return
	}
	if _, err := poller.ParseSchedule(expression, "UTC"); err != nil {
		c.refuse(key, safetext.Field(err.Error(), 400))
	}
}

func (c checker) timezone(key, name string) {
	c.given(key, name)
	if _, err := poller.ParseSchedule("@every 1m", name); err != nil {
		c.refuse(key, shown(name)+" is no time zone")
	}
}

func (c checker) track(at string, t Track) {
	seen := make(map[string]int, len(t.Conferences))
	for i, id := range t.Conferences {
		key := fmt.Sprintf("%s[%d]", join(at, "conferences"), i)
		first, twice := seen[id]
		switch {
		case id == "":
			c.refuse(key, "is empty")
		case len(id) > rollcall.MaxID:
			c.refuse(key, fmt.Sprintf("has %d bytes; an id has at most %d", len(id), rollcall.MaxID))
		case twice:
			c.refuse(key, fmt.Sprintf("is the same id as conferences[%d]", first))
		default:
			seen[id] = i
		}
	}
	const undiscovered = "this version does not discover meetings yet: name them in track.conferences"
	if len(t.Users) > 0 {
		c.refuse(join(at, "users"), undiscovered)
	}
	if t.Organization.Enabled {
		c.refuse(join(at, "organization.enabled"), undiscovered)
	}
	c.schedule(join(at, "organization.schedule"), t.Organization.Schedule)
}
