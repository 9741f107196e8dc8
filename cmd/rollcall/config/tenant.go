package config

import (
	"time"

	"rollcall"
)

// Tenant is one organization of DingTalk, with its own credentials and pace.
type Tenant struct {
	Name     string  `yaml:"name" allow:"1 to 32 of a-z, 0-9 and -, unlike every other tenant's"`
	Endpoint string  `yaml:"endpoint" allow:"an https:// address without path or password; http:// on loopback only"`
	Auth     Auth    `yaml:"auth"`
	Poll     Poll    `yaml:"poll"`
	Track    Track   `yaml:"track"`
	Privacy  Privacy `yaml:"privacy"`
}

// The kinds of [Auth].
const (
	AuthInternal = "internal"
	AuthCorp     = "corp"
	AuthUnified  = "unified"
)

// Auth is how access tokens are got. Which keys belong to which kind is
// written in the table of authKeys.
type Auth struct {
	Kind             string `yaml:"kind" allow:"internal, corp or unified"`
	ClientID         string `yaml:"client_id" allow:"the AppKey"`
	ClientSecretFile string `yaml:"client_secret_file" allow:"the path of a file with the AppSecret"`
	ClientSecretEnv  string `yaml:"client_secret_env" allow:"the name of an environment variable that holds the AppSecret"`
	SuiteKey         string `yaml:"suite_key" allow:"the SuiteKey"`
	SuiteSecretFile  string `yaml:"suite_secret_file" allow:"the path of a file with the SuiteSecret"`
	SuiteTicketFile  string `yaml:"suite_ticket_file" allow:"the path of a file that always holds the newest suite ticket"`
	CorpID           string `yaml:"corp_id" allow:"the organization's CorpId"`
}

// Poll is when DingTalk is asked, and how much.
type Poll struct {
	Schedule          string        `yaml:"schedule" allow:"a cron expression of five or six fields (seconds first), @hourly and the like, @every with whole seconds, or @continuous"`
	Timezone          string        `yaml:"timezone" allow:"UTC or a name of the tz database, such as Asia/Shanghai"`
	BatchSize         int           `yaml:"batch_size" allow:"a whole number from 1 to 1000"`
	QPS               float64       `yaml:"qps" allow:"a number above 0, at most 500 (where DingTalk blocks the address)"`
	Timeout           time.Duration `yaml:"timeout" allow:"a duration with a unit from 1s to 5m, such as 10s"`
	MonthlyCalls      Calls         `yaml:"monthly_calls" allow:"the calls a month that may be spent, 1 or more, or the word unlimited"`
	Shards            int           `yaml:"shards" allow:"a whole number from 1 to 1024"`
	MissingAfterPolls int           `yaml:"missing_after_polls" allow:"a whole number from 1 to 100"`
	ExpireUnstarted   time.Duration `yaml:"expire_unstarted" allow:"a duration with a unit, at least 1m, such as 24h"`
}

// Calls is a number of metered calls a calendar month; 0 is not said.
type Calls int64

// Unlimited says that calls are not counted against a budget.
const Unlimited Calls = -1

// Track is which meetings are watched besides those that operators add.
type Track struct {
	Conferences   []string     `yaml:"conferences" allow:"a list of conference ids, each once, of 1 to 256 bytes, or of {id: …, labels: {…}}"`
	Users         []string     `yaml:"users" allow:"a list of union ids, each once, of 1 to 256 bytes"`
	UsersSchedule string       `yaml:"users_schedule" allow:"a cron expression of five or six fields (seconds first), @hourly and the like, or @every with whole seconds"`
	Organization  Organization `yaml:"organization"`
	// Labels are those of conferences, by id.
	Labels map[string]rollcall.Labels `yaml:"-"`
}

// conference is a meeting that is written as a section.
type conference struct {
	ID     string          `yaml:"id" allow:"a conference id of 1 to 256 bytes"`
	Labels rollcall.Labels `yaml:"labels" allow:"at most 16 labels, keys of 1 to 63 of a-z 0-9 _ . -, values of at most 256 bytes"`
}

// Organization is the discovery of an organization's ongoing meetings.
type Organization struct {
	Enabled  bool     `yaml:"enabled" allow:"true or false"`
	Schedule string   `yaml:"schedule" allow:"a cron expression of five or six fields (seconds first), @hourly and the like, or @every with whole seconds"`
	Include  Patterns `yaml:"include"`
	Exclude  Patterns `yaml:"exclude"`
	// Labels are those of each meeting that is found so.
	Labels rollcall.Labels `yaml:"labels" allow:"at most 16 labels, keys of 1 to 63 of a-z 0-9 _ . -, values of at most 256 bytes"`
}

// Patterns are about a meeting's title, and about its creator's id and name.
type Patterns struct {
	Titles   []string `yaml:"titles" allow:"a list of patterns of 1 to 256 bytes, in which * stands for any text and ? for one character"`
	Creators []string `yaml:"creators" allow:"a list of patterns of 1 to 256 bytes, in which * stands for any text and ? for one character"`
}

// Privacy is what is kept of people.
type Privacy struct {
	Nicks string `yaml:"nicks" allow:"keep or omit"`
}
