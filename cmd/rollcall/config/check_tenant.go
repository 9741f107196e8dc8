package config

import (
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/internal/safetext"
	"rollcall/poller"
)

func (c checker) tenant(at string, t Tenant) {
	if t.Name == "" {
		c.given(join(at, "name"), "")
	} else if !rollcall.ValidTenant(t.Name) {
		c.Refuse(join(at, "name"), shown(t.Name)+" cannot name a tenant")
	}
	c.endpoint(join(at, "endpoint"), t.Endpoint)
	c.auth(join(at, "auth"), t.Auth)
	c.poll(join(at, "poll"), t.Poll)
	c.track(join(at, "track"), t.Track)
	c.push(join(at, "push"), t)
	c.privacy(join(at, "privacy"), t.Privacy)
	c.oneOf(join(at, "members"), t.Members, MembersOnChange, MembersOnEnd, MembersOff)
}

func (c checker) privacy(at string, p Privacy) {
	c.oneOf(join(at, "nicks"), p.Nicks, "keep", "omit")
	c.oneOf(join(at, "ids"), p.IDs, "keep", "pseudonym")
	if p.PseudonymKeyFile != "" && p.IDs != "pseudonym" {
		c.Refuse(join(at, "pseudonym_key_file"), "is for ids: pseudonym; ids are kept")
	}
}

func (c checker) poll(at string, p Poll) {
	c.schedule(join(at, "schedule"), p.Schedule)
	c.timezone(join(at, "timezone"), p.Timezone)
	between(c, join(at, "batch_size"), p.BatchSize, 1, 1000)
	c.rate(join(at, "qps"), p.QPS)
	between(c, join(at, "in_flight"), p.InFlight, 0, poller.MostInFlight)
	between(c, join(at, "timeout"), p.Timeout, time.Second, 5*time.Minute)
	if p.MonthlyCalls == 0 {
		c.Missing(join(at, "monthly_calls"), "is required: DingTalk meters calls, and only you know what yours may be spent on (the Standard edition has 5000)")
	}
	between(c, join(at, "shards"), p.Shards, 1, 1024)
	between(c, join(at, "missing_after_polls"), p.MissingAfterPolls, 1, 100)
	atLeast(c, join(at, "expire_unstarted"), p.ExpireUnstarted, time.Minute)
}

// schedule asks the room that will keep it. Its words quote what was written.
func (c checker) schedule(key, expression string) {
	if len(expression) > 256 {
		c.Refuse(key, "is longer than any schedule")
		return
	}
	if _, err := poller.ParseSchedule(expression, "UTC"); err != nil {
		c.Refuse(key, safetext.Field(err.Error(), 400))
	}
}

func (c checker) timezone(key, name string) {
	c.given(key, name)
	if _, err := poller.ParseSchedule("@every 1m", name); err != nil {
		c.Refuse(key, shown(name)+" is no time zone")
	}
}

func (c checker) track(at string, t Track) {
	c.texts(join(at, "conferences"), "id", t.Conferences)
	c.texts(join(at, "users"), "id", t.Users)
	c.distant(join(at, "users_schedule"), t.UsersSchedule)
	c.distant(join(at, "organization.schedule"), t.Organization.Schedule)
	c.patterns(join(at, "organization.include"), t.Organization.Include)
	c.patterns(join(at, "organization.exclude"), t.Organization.Exclude)
}

func (c checker) patterns(at string, p Patterns) {
	c.texts(join(at, "titles"), "pattern", p.Titles)
	c.texts(join(at, "creators"), "pattern", p.Creators)
}

// distant wants a schedule with a distance between its instants.
func (c checker) distant(key, expression string) {
	c.schedule(key, expression)
	if s, err := poller.ParseSchedule(expression, "UTC"); err == nil && s.Continuous() {
		c.Refuse(key, "is for asking about meetings; looking for them wants a distance")
	}
}

// texts wants each text of a list once, none of them empty or longer than an
// id; what names one of them.
func (c checker) texts(list, what string, texts []string) {
	article := "a"
	if what == "id" {
		article = "an"
	}
	seen := make(map[string]int, len(texts))
	for i, text := range texts {
		key := fmt.Sprintf("%s[%d]", list, i)
		first, twice := seen[text]
		switch {
		case text == "":
			c.Refuse(key, "is empty")
		case what == "id" && strings.TrimSpace(text) != text:
			c.Refuse(key, fmt.Sprintf("has blanks around it: %.80q; leave them out", text))
		case len(text) > rollcall.MaxID:
			c.Refuse(key, fmt.Sprintf("has %d bytes; %s %s has at most %d", len(text), article, what, rollcall.MaxID))
		case twice:
			c.Refuse(key, fmt.Sprintf("is the same %s as %s[%d]", what, list[strings.LastIndex(list, ".")+1:], first))
		default:
			seen[text] = i
		}
	}
}
