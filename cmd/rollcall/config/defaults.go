package config

import (
	"time"

	"rollcall/differ"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/store"
	"rollcall/worker/backlog"
)

// Defaults is what holds where nothing is said: an embedded NATS on loopback
// and no tenant. A room that has a default of its own is quoted: no number stands
// twice.
func Defaults() Config {
	return Config{
		DataDir: "./rollcall-data",
		NATS:    NATS{InboxPrefix: "_INBOX", Embedded: Embedded{Listen: "127.0.0.1:4222", Sync: "always"}},
		Stream:  Stream{Name: "MEETINGS", Prefix: "meetings", Replicas: 1, Retention: store.DefaultRetention},
		Journal: Journal{MaxBytes: backlog.DefaultMaxBytes},
		// DingTalk blocks an address above 10,000 calls in 20 s: 500 a second.
		EgressQPS: 400,
		HTTP:      HTTP{Listen: "127.0.0.1:8080", Page: Page{Enabled: true, Names: "show"}},
		Log:       Log{Level: "info", Format: "json"},
	}
}

// MembersFor is the default of members for a tenant whose calls are unlimited, or not.
func MembersFor(unlimited bool) string {
	if unlimited {
		return MembersOnChange
	}
	return MembersOnEnd
}

// TenantDefaults is what holds for a tenant where nothing is said. Its name,
// its credentials and its budget of calls have no default.
func TenantDefaults() Tenant {
	return Tenant{
		Endpoint: "https://api.dingtalk.io",
		Auth:     Auth{Kind: AuthInternal},
		Poll: Poll{
			Schedule:          "@every 15s",
			Timezone:          "UTC",
			BatchSize:         poller.DefaultBatchSize,
			QPS:               20,
			Timeout:           dingtalk.DefaultTimeout,
			Shards:            1,
			MissingAfterPolls: differ.DefaultMissingAfterPolls,
			ExpireUnstarted:   24 * time.Hour,
		},
		Track:   Track{UsersSchedule: "@every 5m", Organization: Organization{Schedule: "@every 5m"}},
		Push:    Push{MonthlyPushes: 3000},
		Members: MembersFor(false),
		Privacy: Privacy{Nicks: "keep", IDs: "keep"},
	}
}
