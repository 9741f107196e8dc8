package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// StatusSchema is the version of the JSON of a [Status].
const StatusSchema = 1

// The states of a [Status].
const (
	StateOK        = "ok"        // polls answer
	StateThrottled = "throttled" // DingTalk asks to go slower
	StateQuota     = "quota"     // the month's calls are used up
	StateAuth      = "auth"      // DingTalk refuses the credentials or lacks a permission
	StateAway      = "away"      // DingTalk cannot be reached
)

// Status says whether a tenant is being looked at, so that silence has a
// meaning. Times have milliseconds.
type Status struct {
	Tenant       string
	State        string        // ok, throttled, quota, auth or away
	LastGoodPoll time.Time     // when the last poll that learned anything was answered; zero: none yet
	LastPass     time.Time     // when the last pass was over; zero: none yet
	Pace         time.Duration // the interval between two passes
	Tracked      int           // meetings in the tracked set
	SetAside     int           // meetings of the worker that says this whose records can be neither read nor stored
	At           time.Time     // when this was said
	// Shards are when the last pass over each shard began that learned anything;
	// zero: there was none, or nothing of the shard is tracked. Empty: an earlier
	// version does not say.
	Shards []time.Time
}

// statusJSON is the stored shape of a [Status].
type statusJSON struct {
	Schema       int    `json:"schema"`
	Tenant       string `json:"tenant"`
	State        string `json:"state"`
	LastGoodPoll Time   `json:"lastGoodPoll"`
	LastPass     Time   `json:"lastPass"`
	Pace         string `json:"pace"`
	Tracked      int    `json:"tracked"`
	SetAside     int    `json:"setAside,omitempty"`
	At           Time   `json:"at"`

	Shards []shardStatusJSON `json:"shards,omitempty"`
}

type shardStatusJSON struct {
	LookedAt Time `json:"lookedAt"`
}

// MarshalJSON writes {"schema":1,"tenant","state","lastGoodPoll","lastPass",
// "pace","tracked","setAside" where there are any,"at","shards":[{"lookedAt"}]}: times in RFC 3339 with
// milliseconds or null, the pace as a Go duration ("15s").
func (s Status) MarshalJSON() ([]byte, error) {
	shards := make([]shardStatusJSON, len(s.Shards))
	for i, at := range s.Shards {
		shards[i].LookedAt.Time = at
	}
	return json.Marshal(statusJSON{
		Schema: StatusSchema, Tenant: s.Tenant, State: s.State,
		LastGoodPoll: Time{Time: s.LastGoodPoll}, LastPass: Time{Time: s.LastPass},
		Pace: s.Pace.String(), Tracked: s.Tracked, SetAside: s.SetAside, At: Time{Time: s.At},
		Shards: shards,
	})
}

// UnmarshalJSON reads what MarshalJSON writes, and refuses a newer
// schema with [ErrNewerSchema].
func (s *Status) UnmarshalJSON(data []byte) error {
	var stored statusJSON
	err := json.Unmarshal(data, &stored)
	if err := CheckSchema(data, stored.Schema, err); err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	pace, err := time.ParseDuration(stored.Pace)
	if err != nil {
		return fmt.Errorf("read status: pace: %w", err)
	}
	*s = Status{
		Tenant: stored.Tenant, State: stored.State, LastGoodPoll: stored.LastGoodPoll.Time,
		LastPass: stored.LastPass.Time, Pace: pace, Tracked: stored.Tracked, SetAside: stored.SetAside, At: stored.At.Time,
	}
	for _, shard := range stored.Shards {
		s.Shards = append(s.Shards, shard.LookedAt.Time)
	}
	return nil
}
