package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"rollcall"
)

// Forward is who is told what happens in meetings: chat groups and webhooks.
// "rollcall forward", or "rollcall run --with-forwarder", tells them.
type Forward struct {
	// Where "rollcall forward" serves health (/livez, /readyz) and metrics (/metrics).
	// Empty: nowhere. "rollcall run --with-forwarder" serves them at http.listen.
	Listen string `yaml:"listen" allow:"host:port, such as 127.0.0.1:8081, or nothing"`
	// Chat groups and webhooks that can be told; docs/forwarding.md has what each
	// kind takes.
	Targets []ForwardTarget `yaml:"targets" allow:"a list of targets"`
	// Which events are told to which targets. An event is told by every route that
	// it matches.
	Routes []ForwardRoute `yaml:"routes" allow:"a list of routes"`
}

// ForwardTarget is a chat group or a webhook.
type ForwardTarget struct {
	// What routes, commands and metrics call it. Required.
	Name string `yaml:"name" allow:"1 to 32 of a-z, 0-9 and -, unlike every other target's"`
	// Which service it is. Required.
	Kind string `yaml:"kind" allow:"dingtalk, feishu, wecom, slack, teams or webhook"`
	// The address, as the service shows it. It is a secret, and so stands in a file.
	URLFile string `yaml:"url_file" allow:"the path of a file with an https:// address (http:// on loopback only)" live:"before every message"`
	// Several robots of one group, instead of url_file: they are taken in turn, and
	// together may say more. Each is {url_file: …, secret_file: …}, or the path alone
	// where it signs with the target's secret_file.
	URLs []ForwardAddress `yaml:"urls" allow:"a list of {url_file: …, secret_file: …}, or of paths of files with an address"`
	// What messages are signed with: of DingTalk and Feishu the robot's signing secret,
	// of a webhook the key, whsec_….
	SecretFile string `yaml:"secret_file" allow:"the path of a file with the signing secret; kinds dingtalk, feishu and webhook" live:"before every message"`
	// Keys of a webhook that sign, too, until its receivers know the new one.
	OldSecretFiles []string `yaml:"old_secret_files" allow:"a list of paths of files with keys; kind webhook" live:"before every message"`
	// The word that a robot with keywords wants in every message.
	Keyword string `yaml:"keyword" allow:"at most 64 bytes; kinds dingtalk and feishu"`
	// Who is notified by each message: ids of users of the service, or all.
	At []string `yaml:"at" allow:"a list of ids of users, or [all]"`
	// The language of messages.
	Language string `yaml:"language" allow:"en or zh"`
	// A directory with templates of your own, *.tmpl, which take the place of those
	// of the same name; docs/forwarding.md lists them.
	Templates string `yaml:"templates" allow:"a directory"`
	// Messages that may be sent in a calendar month (UTC+8), by all processes
	// together. It is never exceeded, and the last message says that it is. DingTalk
	// counts a robot's messages against the pushes of the organization.
	MonthlyMessages Calls `yaml:"monthly_messages" allow:"the messages a month that may be sent, 1 or more, or the word unlimited"`
	// The target that is told when this one cannot be, for long or for good.
	OnFailure string `yaml:"on_failure" allow:"the name of another target, a chat group"`
	// Lets a webhook be an address of a private network or of this machine. Others
	// could use it to reach what only this machine can.
	AllowPrivate bool `yaml:"allow_private" allow:"true or false; kind webhook"`
}

// ForwardAddress is one of several robots of a target.
type ForwardAddress struct {
	// The robot's address.
	URLFile string `yaml:"url_file" allow:"the path of a file with an https:// address (http:// on loopback only)" live:"before every message"`
	// What its messages are signed with; empty: the target's secret_file.
	SecretFile string `yaml:"secret_file" allow:"the path of a file with the signing secret" live:"before every message"`
}

// ForwardRoute says which events are told to which targets.
type ForwardRoute struct {
	// What status and metrics call it, and by what its place is kept over a restart.
	// Without a name that is made of match and group_by, and a route that is changed
	// there begins anew, with what happens from then on.
	Name string `yaml:"name" allow:"1 to 32 of a-z, 0-9 and -, unlike every other route's"`
	// Which events. What stands in it must all fit.
	Match ForwardMatch `yaml:"match"`
	// Who is told. Required.
	Targets []string `yaml:"targets" allow:"a list of names of targets, each once"`
	// Which events share a message: those of a meeting, of a tenant, or all of the
	// route.
	GroupBy string `yaml:"group_by" allow:"meeting, tenant or route"`
	// How long the first event of a group waits for others. Changes that undo each
	// other meanwhile are not told.
	GroupWait time.Duration `yaml:"group_wait" allow:"a duration with a unit from 0s to 10m, such as 5s"`
	// How long after a message about a group the next one follows at the earliest. A
	// kick, an end, and that nobody looks any more, wait only for group_wait.
	GroupInterval time.Duration `yaml:"group_interval" allow:"a duration with a unit from 0s to 24h, such as 60s"`
	// The zone of the times in messages.
	Timezone string `yaml:"timezone" allow:"UTC or a name of the tz database, such as Asia/Shanghai"`
	// Events that may wait for a target that cannot be told. Of more the oldest are cut,
	// which the next message says.
	MaxWaiting int `yaml:"max_waiting" allow:"a whole number from 1 to 100000"`
	// How old an event may become before it is cut.
	MaxAge time.Duration `yaml:"max_age" allow:"a duration with a unit, at least 1m, such as 24h"`
}

// ForwardMatch says which events a route takes.
type ForwardMatch struct {
	// Tenants; none: all.
	Tenants []string `yaml:"tenants" allow:"a list of names of tenants, each once"`
	// Types, or patterns such as participant.* or "*". None: the few that people want
	// to know: meeting.started, meeting.ended, participant.kicked_out,
	// participant.declined, watch.lost and watch.resumed.
	Types []string `yaml:"types" allow:"a list of types of events, or of patterns in which * stands for any text, each once"`
	// Patterns for the meeting's title, in which `*` stands for any text and `?` for one
	// character, case-insensitively.
	Titles []string `yaml:"titles" allow:"a list of patterns of 1 to 256 bytes, in which * stands for any text and ? for one character"`
	// Labels that the meeting must have.
	Labels rollcall.Labels `yaml:"labels" allow:"at most 16 labels, keys of 1 to 63 of a-z 0-9 _ . -, values of at most 256 bytes"`
	// Union ids of people: events about others are not told.
	Users []string `yaml:"users" allow:"a list of union ids, each once, of 1 to 256 bytes"`
	// How events came to be known: baseline (found so at the first look), observed,
	// inferred, reconciled. None: all.
	Provenances []string `yaml:"provenances" allow:"a list of baseline, observed, inferred and reconciled, each once"`
}

// TargetDefaults is what holds for a target where nothing is said.
func TargetDefaults() ForwardTarget {
	return ForwardTarget{Language: "en", MonthlyMessages: Unlimited}
}

// RouteDefaults is what holds for a route where nothing is said.
func RouteDefaults() ForwardRoute {
	return ForwardRoute{
		GroupBy: "meeting", GroupWait: 5 * time.Second, GroupInterval: time.Minute, Timezone: "UTC", MaxWaiting: 10_000, MaxAge: 24 * time.Hour,
	}
}

// Known is the route's name; where it has none, one made of what it matches.
func (r ForwardRoute) Known() string {
	if r.Name != "" {
		return r.Name
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %s", r.Match, r.GroupBy)) // maps print in the order of their keys
	return "route-" + hex.EncodeToString(sum[:4])
}
