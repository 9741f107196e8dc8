package config

import (
	"time"

	"rollcall"
)

// Tenant is one organization of DingTalk, with its own credentials and pace.
type Tenant struct {
	// What the organization is called in subjects and events. Required.
	Name string `yaml:"name" allow:"1 to 32 of a-z, 0-9 and -, unlike every other tenant's"`
	// Where DingTalk's API is: https://api.dingtalk.com for organizations in
	// mainland China.
	Endpoint string `yaml:"endpoint" allow:"an https:// address without path or password; http:// on loopback only"`
	// How access tokens are had. The app needs the permission
	// VideoConference.Conference.Read. Keys that do not belong to the kind are
	// refused.
	Auth Auth `yaml:"auth"`
	// When DingTalk is asked, and how much.
	Poll Poll `yaml:"poll"`
	// Which meetings are watched besides those of "rollcall track".
	Track Track `yaml:"track"`
	// Whether DingTalk's list of a meeting's members is read. on_end: once after each
	// end, for exact times of everybody who was there, and meeting.summarized tells
	// them. on_change: also when a meeting starts and when somebody joins, at most
	// once a minute, for the roles of those who are there, and
	// participant.role_changed tells them. off: it is not. Each such list costs a
	// call for 128 of its lines. Default: on_end with a number in monthly_calls,
	// on_change with unlimited.
	Members string `yaml:"members" allow:"on_change, on_end or off"`
	// Whether DingTalk pushes what happens, which says sooner than any schedule whom
	// to ask about. The app chooses the Stream mode in the developer console (Events
	// and callbacks) and subscribes to the events of video meetings.
	Push Push `yaml:"push"`
	// What is kept of people.
	Privacy Privacy `yaml:"privacy"`
}

// When DingTalk's lists of members are read; see [Tenant].
const (
	MembersOnChange = "on_change"
	MembersOnEnd    = "on_end"
	MembersOff      = "off"
)

// The kinds of [Auth].
const (
	AuthInternal = "internal"
	AuthCorp     = "corp"
	AuthUnified  = "unified"
)

// Auth is how access tokens are had. The table of authKeys says which keys belong
// to which kind.
type Auth struct {
	// internal: an app of your own organization; it wants client_id and one of
	// client_secret_file and client_secret_env. unified: the same, and corp_id.
	// corp: a third-party app; it wants suite_key, suite_secret_file, corp_id and
	// suite_ticket_file.
	Kind string `yaml:"kind" allow:"internal, corp or unified"`
	// The app's AppKey.
	ClientID string `yaml:"client_id" allow:"the AppKey"`
	// The app's AppSecret.
	ClientSecretFile string `yaml:"client_secret_file" allow:"the path of a file with the AppSecret" live:"at each token"`
	// The environment variable that holds the AppSecret, instead of a file.
	ClientSecretEnv string `yaml:"client_secret_env" allow:"the name of an environment variable that holds the AppSecret"`
	// The SuiteKey of a third-party app.
	SuiteKey string `yaml:"suite_key" allow:"the SuiteKey"`
	// The SuiteSecret of a third-party app.
	SuiteSecretFile string `yaml:"suite_secret_file" allow:"the path of a file with the SuiteSecret" live:"at each token"`
	// The suite ticket, which DingTalk pushes every five hours.
	SuiteTicketFile string `yaml:"suite_ticket_file" allow:"the path of a file that always holds the newest suite ticket" live:"at each token"`
	// The organization that has the app, for kinds corp and unified.
	CorpID string `yaml:"corp_id" allow:"the organization's CorpId"`
}

// Poll is when DingTalk is asked, and how much.
type Poll struct {
	// When to ask: cron (minute hour day month weekday, or six fields with seconds
	// first), @hourly and the like, or @every. 15s around the clock costs 178,560
	// calls a month; the Standard edition has 5,000, that is one call in 9 minutes.
	// Nothing is asked while no meeting is tracked. @every ticks at instants that the
	// tenant's name decides, so that many tenants do not ask at once.
	//
	// @continuous leaves no distance: a pass follows the other, as fast as qps,
	// egress_qps and monthly_calls allow and NATS stores, and looks once a second
	// where there is nothing to ask. Raise missing_after_polls with it.
	Schedule string `yaml:"schedule" allow:"a cron expression of five or six fields (seconds first), @hourly and the like, @every with whole seconds, or @continuous"`
	// The zone of cron's hours; @every does not need one.
	Timezone string `yaml:"timezone" allow:"UTC or a name of the tz database, such as Asia/Shanghai"`
	// Meetings in one call. DingTalk does not state its limit.
	BatchSize int `yaml:"batch_size" allow:"a whole number from 1 to 1000"`
	// Calls a second; the Standard edition allows 20.
	QPS float64 `yaml:"qps" allow:"a number above 0, at most 500 (where DingTalk blocks the address)"`
	// Calls that may be under way at once in a pass. 0: as many as qps allows in the
	// time that DingTalk takes to answer, so that a long way there costs no pace.
	InFlight int `yaml:"in_flight" allow:"a whole number from 0 to 32"`
	// How long one call may take.
	Timeout time.Duration `yaml:"timeout" allow:"a duration with a unit from 1s to 5m, such as 10s"`
	// Calls that may be spent in a calendar month (UTC+8). Required, since DingTalk
	// meters the calls of all of an organization's apps together, and nobody should
	// spend them without knowing. unlimited keeps the schedule exactly. A number is
	// never exceeded, by all workers together: the schedule is the fastest pace then,
	// and the calls are spread over the hours of the week in which meetings are seen.
	MonthlyCalls Calls `yaml:"monthly_calls" allow:"the calls a month that may be spent, 1 or more, or the word unlimited"`
	// Parts of the meetings that several workers share. 1 keeps the calls full.
	Shards int `yaml:"shards" allow:"a whole number from 1 to 1024"`
	// How many answers in a row must not know a meeting before it counts as ended.
	// One alone may be DingTalk's mistake.
	MissingAfterPolls int `yaml:"missing_after_polls" allow:"a whole number from 1 to 100"`
	// A meeting that has not started by then is no longer tracked, so that it does
	// not cost calls forever.
	ExpireUnstarted time.Duration `yaml:"expire_unstarted" allow:"a duration with a unit, at least 1m, such as 24h"`
}

// Calls is a number of metered calls a calendar month; 0 is not said.
type Calls int64

// Unlimited says that calls are not counted against a budget.
const Unlimited Calls = -1

// Track is which meetings are watched besides those that operators add.
type Track struct {
	// Ids of meetings to watch. One that is written {id: …, labels: {team: blue}} has
	// labels, which stand in its events and its record.
	Conferences []string `yaml:"conferences" allow:"a list of conference ids, each once, of 1 to 256 bytes, or of {id: …, labels: {…}}"`
	// Union ids of people: the meetings they are in are found and watched. One call
	// for each person whenever users_schedule says so; with a number in
	// monthly_calls at most so often.
	Users []string `yaml:"users" allow:"a list of union ids, each once, of 1 to 256 bytes"`
	// When the meetings of users are looked for.
	UsersSchedule string `yaml:"users_schedule" allow:"a cron expression of five or six fields (seconds first), @hourly and the like, or @every with whole seconds"`
	// All of the organization's meetings that go on. One call for each page of the
	// list; with a number in monthly_calls a share of the calls goes into looking,
	// and the schedule is the fastest pace.
	Organization Organization `yaml:"organization"`
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
	// Whether they are looked for.
	Enabled bool `yaml:"enabled" allow:"true or false"`
	// When they are looked for.
	Schedule string `yaml:"schedule" allow:"a cron expression of five or six fields (seconds first), @hourly and the like, or @every with whole seconds"`
	// Which of them: patterns in which `*` stands for any text and `?` for one
	// character, case-insensitively. Where there are patterns, each kind must match.
	Include Patterns `yaml:"include"`
	// Which of them not: what matches any pattern here is left out.
	Exclude Patterns `yaml:"exclude"`
	// Labels of each meeting that is found so.
	Labels rollcall.Labels `yaml:"labels" allow:"at most 16 labels, keys of 1 to 63 of a-z 0-9 _ . -, values of at most 256 bytes"`
}

// Patterns are about a meeting's title, and about its creator's id and name.
type Patterns struct {
	// Patterns for the title.
	Titles []string `yaml:"titles" allow:"a list of patterns of 1 to 256 bytes, in which * stands for any text and ? for one character"`
	// Patterns for the creator's id, and for the creator's name.
	Creators []string `yaml:"creators" allow:"a list of patterns of 1 to 256 bytes, in which * stands for any text and ? for one character"`
}

// Push is DingTalk's pushes over its Stream connection. They are hints at whom to
// ask about, and where they fail the schedule holds.
type Push struct {
	// Whether they are heard. Of several workers one is connected.
	Enabled bool `yaml:"enabled" allow:"true or false"`
	// The AppKey of the app whose events are pushed. Empty: that of auth, with its
	// secret.
	ClientID string `yaml:"client_id" allow:"the AppKey"`
	// The AppSecret of that app.
	ClientSecretFile string `yaml:"client_secret_file" allow:"the path of a file with the AppSecret" live:"at each connection"`
	// Pushes that may be used in a calendar month (UTC+8): DingTalk meters those of all
	// of an organization's apps together, and the Standard edition has 3,000. Before they
	// are used up the connection is ended, until the next month; the schedule goes on.
	MonthlyPushes Calls `yaml:"monthly_pushes" allow:"the pushes a month that may be used, 1 or more, or the word unlimited"`
}

// Privacy is what is kept of people.
type Privacy struct {
	// omit: people's names are not stored and stand in no event. After a change from
	// keep, meetings that go on begin a new epoch (docs/events.md), and earlier
	// events keep the names until the retention is over.
	Nicks string `yaml:"nicks" allow:"keep or omit"`
	// pseudonym: in the place of a user id stands a pseudonym, always the same for one
	// person of the tenant, in all that is stored, published and logged. After a change from
	// keep, meetings that go on begin a new epoch, as with nicks.
	IDs string `yaml:"ids" allow:"keep or pseudonym"`
	// The secret from which pseudonyms are made. Where several workers serve the tenant all
	// need the same one. Default: pseudonym-key in data_dir, which the worker makes. With another
	// secret everybody has another pseudonym, and meetings that go on begin a new epoch.
	PseudonymKeyFile string `yaml:"pseudonym_key_file" allow:"the path of a file with a secret; with ids: pseudonym"`
}
